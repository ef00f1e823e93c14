//! Work that is ready to be timed.

use std::fmt;

use prism_algorithms::ReplayError;
use prism_environment::VectorError;
use prism_model::NetworkError;
use thiserror::Error;

use crate::config::SettingsError;
use crate::environments::BuildError;
use crate::error::{RunError, TrainingError};

/// Why work cannot be done.
#[derive(Debug, Error)]
pub(super) enum WorkError {
    /// A result is wrong.
    #[error(transparent)]
    Wrong(#[from] WrongResult),
    /// What a run is made of cannot be made or fails.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl WorkError {
    /// The error and its causes in one line.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Wrong(error) => error.to_string(),
            Self::Run(error) => error.reason(),
        }
    }
}

/// What a run is made of fails as a run would.
macro_rules! as_run_error {
    ($($error:ty),*) => {
        $(impl From<$error> for WorkError {
            fn from(error: $error) -> Self {
                Self::Run(error.into())
            }
        })*
    };
}

as_run_error!(SettingsError, BuildError, VectorError, TrainingError);

impl From<NetworkError> for WorkError {
    fn from(error: NetworkError) -> Self {
        Self::Run(prism_algorithms::AgentError::from(error).into())
    }
}

impl From<ReplayError> for WorkError {
    fn from(error: ReplayError) -> Self {
        Self::Run(prism_algorithms::AgentError::from(error).into())
    }
}

/// Operations of one kind, whose first results have been checked.
pub(super) struct Work {
    /// Does so many operations, and returns when the device has done them: by reading the last result.
    pub(super) run: Box<dyn FnMut(u64) -> Result<(), WorkError>>,
    /// How many times are counted for an operation: the agent steps in it, 1 for a batch.
    pub(super) units: u64,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").field("units", &self.units).finish_non_exhaustive()
    }
}

impl Work {
    pub(super) fn of_batches(run: impl FnMut(u64) -> Result<(), WorkError> + 'static) -> Self {
        Self { run: Box::new(run), units: 1 }
    }
}

/// A result that is not what it should be.
#[derive(Debug, Error)]
#[error("{what}: {found}, expected {expected}; the device or its driver computes wrongly, or prism has a bug there")]
pub(super) struct WrongResult {
    pub(super) what: &'static str,
    pub(super) found: String,
    pub(super) expected: String,
}

/// Checks that there are `count` numbers, all of them finite.
pub(super) fn check_numbers(what: &'static str, numbers: &[f32], count: usize) -> Result<(), WrongResult> {
    if numbers.len() != count {
        let found = format!("{} numbers", numbers.len());
        return Err(WrongResult { what, found, expected: count.to_string() });
    }
    match numbers.iter().find(|number| !number.is_finite()) {
        Some(number) => {
            Err(WrongResult { what, found: number.to_string(), expected: "only finite numbers".to_owned() })
        }
        None => Ok(()),
    }
}
