//! Work that is ready to be timed.

use std::fmt;
use std::path::Path;

use burn::tensor::Device;
use thiserror::Error;

use super::case::Case;
use super::{networks, playing, sampling};

/// Operations of one kind, whose first results have been checked.
pub(super) struct Work {
    /// Does so many operations, and returns when the device has done them: by reading the last result.
    pub(super) run: Box<dyn FnMut(u64) -> anyhow::Result<()>>,
    /// How many times are counted for an operation: the agent steps in it, 1 for a batch.
    pub(super) units: u64,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").field("units", &self.units).finish_non_exhaustive()
    }
}

impl Work {
    pub(super) fn of_batches(run: impl FnMut(u64) -> anyhow::Result<()> + 'static) -> Self {
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

/// Makes a case ready and checks its first results. Cases of the processor alone leave the device alone.
pub(super) fn prepare(case: Case, device: &Device, roms: Option<&Path>) -> anyhow::Result<Work> {
    match case {
        Case::Forward { agent, batch } => networks::forward(agent, batch, device),
        Case::Update { agent, batch } => networks::update(agent, batch, device),
        Case::Projection { batch } => networks::projection(batch, device),
        Case::Sampling { scheme, batch } => sampling::draw(scheme, batch, sampling::TRANSITIONS),
        Case::Environment { game, count } => playing::environment(game, count, roms),
        Case::EndToEnd { game } => playing::end_to_end(game, device, roms),
    }
}
