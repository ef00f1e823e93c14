//! What there is of a planned run.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use prism_runs::{
    Checkpoints, EPISODES, RecordedRun, RunFolder, RunFolderError, RunLock, RunProgress, TRAIN, complete_lines,
};
use toml::Value;

use super::error::SweepError;
use super::plan::PlannedRun;
use crate::config::{Config, Source};
use crate::run::resumption::{changed, is_changeable};

/// What a run's folder may hold before its configuration is written.
const FIRST: [&str; 5] = ["manifest.json", "manifest.json.partial", "config.toml.partial", "weights", ".lock"];
/// A folder without a run that is younger may be one that another process is just filling.
const YOUNG: Duration = Duration::from_secs(10);

/// What there is of a planned run.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Nothing.
    New,
    /// A folder that holds nothing of use: whoever began it was stopped before the first checkpoint.
    Remnant,
    /// It has begun and can go on, with these changes to its settings.
    Unfinished(Vec<(&'static str, Value)>),
    /// Another process trains it.
    Busy,
    /// It was solved or has reached its limit, also one that was lowered since.
    Ended,
}

impl PlannedRun {
    /// What there is of the run.
    ///
    /// # Errors
    /// When something else is in its folder, or a run that is not this one or cannot go on.
    pub fn standing(&self) -> Result<Standing, SweepError> {
        let folder = match RunFolder::open(&self.folder) {
            Ok(folder) => folder,
            // A link that leads nowhere is in the way as well.
            Err(RunFolderError::Absent(_)) if self.folder.symlink_metadata().is_err() => return Ok(Standing::New),
            Err(_) => return self.without_run(),
        };
        let refused = |source| SweepError::Settings { runs: self.name.clone(), source };
        let recorded = Source::read(&self.folder).and_then(|source| Config::read(&source, &[])).map_err(refused)?;
        let changes = changed(&recorded, &self.config);
        if let Some(key) = changes.iter().find(|key| !is_changeable(key)) {
            return Err(self.other_run(key, &recorded));
        }
        if self.has_ended(&recorded)? {
            return Ok(Standing::Ended);
        }
        // Whoever trains it has the lock until the process ends.
        match RunLock::take(&folder) {
            Err(RunFolderError::InUse(_)) => return Ok(Standing::Busy),
            Err(source) => return Err(prism_runs::ReadError::Run { path: self.folder.clone(), source }.into()),
            Ok(_) => {}
        }
        if self.is_beyond(&recorded) {
            return Ok(Standing::Ended);
        }
        if Checkpoints::of(&folder).any()? {
            let value = |key| self.config.setting(key).map(|value| (key, value.clone()));
            return Ok(Standing::Unfinished(changes.into_iter().filter_map(value).collect()));
        }
        if has_rows(&self.folder.join(EPISODES)) || has_rows(&self.folder.join(TRAIN)) {
            return Err(SweepError::CannotGoOn(self.folder.clone()));
        }
        Ok(Standing::Remnant)
    }

    /// Removes what a run left that was stopped before its first checkpoint.
    ///
    /// # Errors
    /// [`SweepError::TakeAway`].
    pub fn remove_remnant(&self) -> Result<(), SweepError> {
        match fs::remove_dir_all(&self.folder) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(SweepError::TakeAway { path: self.folder.clone(), source })
            }
            _ => Ok(()),
        }
    }

    /// What there is where the folder holds no run.
    fn without_run(&self) -> Result<Standing, SweepError> {
        let in_the_way = || SweepError::InTheWay(self.folder.clone());
        let entries = fs::read_dir(&self.folder).map_err(|_| in_the_way())?;
        for entry in entries {
            let name = entry.map_err(|_| in_the_way())?.file_name();
            if !FIRST.iter().any(|first| name == *first) {
                return Err(in_the_way());
            }
        }
        let age = self.folder.metadata().and_then(|folder| folder.modified()).ok().and_then(|time| time.elapsed().ok());
        Ok(if age.is_some_and(|age| age < YOUNG) { Standing::Busy } else { Standing::Remnant })
    }

    fn has_ended(&self, recorded: &Config) -> Result<bool, SweepError> {
        let Some(summary) = RecordedRun::open(&self.folder)?.summary()? else { return Ok(false) };
        Ok(match summary.ending.as_str() {
            "solved" => recorded.training().stop_score == self.config.training().stop_score,
            "limit" => summary.agent_steps >= self.config.training().limit.0,
            _ => false,
        })
    }

    /// Whether its limit was lowered to where it has been already.
    fn is_beyond(&self, recorded: &Config) -> bool {
        let limit = self.config.training().limit;
        limit < recorded.training().limit && RunProgress::of(&self.folder).agent_steps >= limit.0
    }

    fn other_run(&self, key: &str, recorded: &Config) -> SweepError {
        let shown = |config: &Config| config.setting(key).map_or_else(|| "no value".to_owned(), Value::to_string);
        SweepError::OtherRun {
            path: self.folder.clone(),
            key: key.to_owned(),
            recorded: shown(recorded),
            planned: shown(&self.config),
        }
    }
}

/// Whether a table has a row below its names.
fn has_rows(path: &Path) -> bool {
    complete_lines(path).is_ok_and(|text| text.lines().count() > 1)
}
