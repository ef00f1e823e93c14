//! The same run again, to see whether its records are still the same.

use std::path::Path;

use prism_environment::AgentSteps;
use prism_runs::{
    Circumstances, Comparison, Difference, Extent, ReadError, RecordedRun, RecordedSummary, RunFolder, RunProgress,
};
use thiserror::Error;

use crate::config::{Config, Override, SettingsError, Source};

/// A recorded run that is to be run again, to where it ended.
#[derive(Debug)]
pub struct Rerun {
    folder: RunFolder,
    config: Config,
    circumstances: Vec<Circumstances>,
    summary: Option<RecordedSummary>,
}

/// Why a run cannot be run again or compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RerunError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// Its configuration cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// It has recorded nothing that could be compared.
    #[error("the run in {0} has recorded nothing yet that could be compared")]
    NothingRecorded(String),
}

impl Rerun {
    /// That of the run in the folder at `path`, with `changes` to its configuration. It ends where the run has ended, or where
    /// `changes` say, whichever is first; and runs on the device that the run was last on, unless `changes` name one.
    ///
    /// # Errors
    /// When the run cannot be read, has not taken a step, or `changes` cannot be used.
    pub fn of(path: &Path, changes: &[Override]) -> Result<Self, RerunError> {
        let recorded = RecordedRun::open(path)?;
        let folder = RunFolder::open(path).map_err(|source| ReadError::Run { path: path.to_owned(), source })?;
        let circumstances = Circumstances::of(path)?;
        let summary = recorded.summary()?;
        let source = Source::read(path)?;

        let mut config = Config::read(&source, changes)?;
        let last_device = circumstances.iter().rev().find_map(|circumstances| circumstances.device.as_deref());
        if let Some(device) = last_device.filter(|_| changes.iter().all(|change| change.key() != "run.device")) {
            config = config.with("run.device", device)?;
        }
        // Whether it ended by itself or not, it does so at the same step.
        let taken = summary.as_ref().map_or_else(|| RunProgress::of(path).agent_steps, |summary| summary.agent_steps);
        if taken == 0 {
            return Err(RerunError::NothingRecorded(path.display().to_string()));
        }
        let ending = summary.as_ref().map(|summary| summary.ending.as_str());
        if ending != Some("limit") && AgentSteps(taken) < config.training().limit {
            config = config.with("training.agent_steps", i64::try_from(taken).unwrap_or(i64::MAX))?;
        }
        // A score that was set when the run went on would have ended it sooner.
        if ending != Some("solved") || circumstances.len() > 1 {
            config = config.with("training.stop_score", "none")?;
        }
        Ok(Self { folder, config, circumstances, summary })
    }

    /// The configuration of the run as it is run again.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether the run failed, and that in the folder at `again` for the same reason.
    ///
    /// # Errors
    /// When its summary cannot be read.
    pub fn failed_alike(&self, again: &RunFolder) -> Result<bool, ReadError> {
        let now = RecordedRun::open(again.path())?.summary()?;
        let reason = |summary: Option<&RecordedSummary>| summary.and_then(|summary| summary.reason.clone());
        let then = reason(self.summary.as_ref());
        Ok(then.is_some() && then == reason(now.as_ref()))
    }

    /// What differs between the run, from its beginning and from each step at which it went on, and that in the folder at
    /// `again`.
    ///
    /// # Errors
    /// When a manifest cannot be read.
    pub fn differences(&self, again: &RunFolder) -> Result<Vec<Difference>, ReadError> {
        let now = Circumstances::of(again.path())?.pop().unwrap_or_default();
        Ok(self.circumstances.iter().flat_map(|then| then.differences(&now)).collect())
    }

    /// Compares the records with those in the folder `again`, whole where both ended at the same step.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn compare(&self, again: &RunFolder) -> Result<Vec<Comparison>, ReadError> {
        let now = RecordedRun::open(again.path())?.summary()?;
        // A run that failed stopped within a step.
        let whole = |summary: &RecordedSummary| (summary.ending != "failed").then_some(summary.agent_steps);
        let extent = match (self.summary.as_ref().and_then(whole), now.as_ref().and_then(whole)) {
            (Some(then), Some(now)) if then == now => Extent::Whole,
            _ => Extent::Common,
        };
        Comparison::of(&self.folder, again, extent)
    }
}
