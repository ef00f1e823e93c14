//! Why a run or an evaluation cannot begin or go on.

use prism_algorithms::{AgentError, LearningError, ReplayError};
use prism_environment::{AgentSteps, EnvironmentError, VectorError};
use prism_model::{DeviceError, NetworkError, WeightsError};
use prism_runs::{CheckpointError, RecordError, RunFolderError};
use thiserror::Error;

use crate::config::{NotEnoughMemory, SettingsError};
use crate::environments::BuildError;
use crate::memory::MemoryBound;

/// Why a run cannot begin or go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// There is no such device here.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The environments cannot be made.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The agent does not fit its environments.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The machine has not the memory.
    #[error("{source}; {bound}")]
    Memory {
        /// What is needed, what there is, and what would fit.
        source: NotEnoughMemory,
        /// Why there is no more.
        bound: MemoryBound,
    },
    /// An environment failed.
    #[error(transparent)]
    Environment(#[from] VectorError),
    /// An environment that is played to be watched failed.
    #[error(transparent)]
    Playing(#[from] EnvironmentError),
    /// A policy takes other observations, or has other actions, than the environment.
    #[error("the policy was not trained on {environment}: it takes other observations or has other actions")]
    OtherPolicy {
        /// The environment.
        environment: String,
    },
    /// An environment's observation does not follow from the one before.
    #[error(transparent)]
    Observation(ReplayError),
    /// The weights are of no use any more.
    #[error("{0}; lower optimiser.learning_rate or bound optimiser.gradient_norm")]
    Learning(#[source] LearningError),
    /// Weights cannot be read or belong to another network.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The run folder cannot be made, found or written.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// A record cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A checkpoint cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint does not have the state of this run.
    #[error("the checkpoint at {at}, which {program} wrote, cannot be used: {reason}")]
    UnusableCheckpoint {
        /// Where the run was.
        at: AgentSteps,
        /// The program that wrote it.
        program: String,
        /// What is wrong.
        reason: String,
    },
    /// The configuration of a run is not the one that its checkpoint was made under.
    #[error("{key} is {now} in the run's config.toml, and was {then} when its checkpoint was made")]
    OtherConfiguration {
        /// The setting.
        key: String,
        /// Its value now.
        now: String,
        /// Its value when the checkpoint was made.
        then: String,
    },
    /// A run that is to go on has reached its limit.
    #[error("the run is at {at}, and its limit is {limit}")]
    AtLimit {
        /// Where it is.
        at: AgentSteps,
        /// The limit.
        limit: AgentSteps,
    },
    /// A setting that a run cannot change while it goes on.
    #[error("{key} cannot change when a run goes on: its records would be those of two different runs")]
    Unchangeable {
        /// The setting.
        key: String,
    },
}

/// Who can mend an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunErrorKind {
    /// The user, with another configuration or another command.
    Usage,
    /// Not the user's request: a disk, a device, a file or an environment failed.
    Outside,
}

impl RunError {
    /// Who can mend it.
    pub fn kind(&self) -> RunErrorKind {
        match self {
            Self::Settings(_)
            | Self::Memory { .. }
            | Self::AtLimit { .. }
            | Self::Unchangeable { .. }
            | Self::OtherConfiguration { .. }
            | Self::Agent(AgentError::Network(NetworkError::NotAnImage { .. }))
            | Self::Device(DeviceError::Unknown { .. } | DeviceError::NotCompiled { .. }) => RunErrorKind::Usage,
            Self::Build(error) if error.is_usage() => RunErrorKind::Usage,
            _ => RunErrorKind::Outside,
        }
    }

    /// The error and its causes in one line.
    pub fn reason(&self) -> String {
        let mut reason = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if !reason.contains(&text) {
                reason.push_str(": ");
                reason.push_str(&text);
            }
            cause = error.source();
        }
        reason
    }
}

/// Why training cannot go on.
#[derive(Debug, Error)]
pub(crate) enum TrainingError {
    /// An environment failed.
    #[error(transparent)]
    Environment(#[from] VectorError),
    /// An environment's observation does not follow from the one before.
    #[error(transparent)]
    Observation(#[from] ReplayError),
    /// The weights are of no use any more.
    #[error(transparent)]
    Learning(#[from] LearningError),
}

impl From<TrainingError> for RunError {
    fn from(error: TrainingError) -> Self {
        match error {
            TrainingError::Environment(error) => Self::Environment(error),
            TrainingError::Observation(error) => Self::Observation(error),
            TrainingError::Learning(error) => Self::Learning(error),
        }
    }
}
