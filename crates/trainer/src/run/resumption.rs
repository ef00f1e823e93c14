//! A run that is to go on where it was when its last checkpoint was taken.

use std::path::Path;

use prism_environment::AgentSteps;
use prism_runs::{Checkpoints, RecordedRun, RunFolder, RunLock, WholeCheckpoint};

use super::checkpoint::{RunState, program};
use crate::config::{Config, Override, Source};
use crate::error::RunError;

/// Settings that may change while a run goes on, and whole sections of them: what is learned does not depend on them.
const CHANGEABLE: [&str; 7] = [
    "training.agent_steps",
    "training.stop_score",
    "training.save_period",
    "training.checkpoints",
    "environment.threads",
    "run.device",
    "evaluation.",
];

/// A run that is to go on: its folder, which no other process can write meanwhile, its configuration, and the checkpoint that
/// it goes on from. [`Run::resume`](crate::Run::resume) makes it a run again.
#[derive(Debug)]
pub struct Resumption {
    pub(super) folder: RunFolder,
    pub(super) lock: RunLock,
    pub(super) config: Config,
    pub(super) checkpoints: Checkpoints,
    pub(super) checkpoint: WholeCheckpoint,
    pub(super) state: RunState,
    /// What there is to say about how it goes on.
    pub(super) notes: Vec<String>,
}

impl Resumption {
    /// Opens the run in the folder at `path`, with `changes` to its configuration. A run that was solved goes on to its limit,
    /// unless `changes` says when to stop.
    ///
    /// # Errors
    /// When the folder is not that of a run, another process writes it, it has no whole checkpoint, the run has reached its
    /// limit, or `changes` are none that a run may make while it goes on.
    pub fn open(path: &Path, changes: &[Override]) -> Result<Self, RunError> {
        let folder = RunFolder::open(path)?;
        let source = Source::read(path)?;
        let before = Config::read(&source, &[])?;
        let mut config = Config::read(&source, changes)?;
        if let Some(key) = unchangeable(&before, &config) {
            return Err(RunError::Unchangeable { key: key.to_owned() });
        }
        let lock = RunLock::take(&folder)?;
        let mut checkpoints = Checkpoints::of(&folder);
        let mut checkpoint = checkpoints.newest_whole()?;
        let state = RunState::take(&mut checkpoint)?;
        same_run(&state, &before)?;
        let mut notes: Vec<String> =
            checkpoint.damage.iter().map(|damage| format!("damaged, and not used: {damage}")).collect();

        let (wrote, goes_on) = (&checkpoint.entry.program, program());
        if *wrote != goes_on {
            notes.push(format!("{wrote} wrote the checkpoint and {goes_on} goes on: numbers may round differently"));
        }
        // A run that was killed after its last step has no summary yet, and only completes its records.
        let (ended, recorded) = recorded(path);
        if ended == Recorded::Solved
            && let Some(score) = config.training().stop_score.filter(|&score| state.scores().solved(score))
        {
            config = config.with("training.stop_score", "none")?;
            notes.push(format!("the run was solved with a mean score of {score}: it goes on until its limit"));
        }
        let (at, limit, limit_before) =
            (checkpoint.entry.at.agent_steps.max(recorded), config.training().limit, before.training().limit);
        if at >= limit && (ended != Recorded::Open || limit != limit_before) {
            return Err(RunError::AtLimit { at, limit });
        }
        if limit != limit_before {
            notes.push(format!("its limit was {limit_before} and is now {limit}"));
        }
        Ok(Self { folder, lock, config, checkpoints, checkpoint, state, notes })
    }

    /// The configuration of the run as it goes on.
    pub fn config(&self) -> &Config {
        &self.config
    }
}

/// How a run has ended, as far as it matters for going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recorded {
    Solved,
    Limit,
    /// It was interrupted, failed or never said how it ended.
    Open,
}

/// How a run has ended and at which agent step, which its last checkpoint may lie before.
fn recorded(path: &Path) -> (Recorded, AgentSteps) {
    let Ok(Some(summary)) = RecordedRun::open(path).and_then(|run| run.summary()) else {
        return (Recorded::Open, AgentSteps(0));
    };
    let ended = match summary.ending.as_str() {
        "solved" => Recorded::Solved,
        "limit" => Recorded::Limit,
        _ => Recorded::Open,
    };
    (ended, AgentSteps(summary.agent_steps))
}

/// Refuses a checkpoint that was made under another configuration than the run's file now has: that of another run, or of
/// before the file was changed.
fn same_run(state: &RunState, now: &Config) -> Result<(), RunError> {
    let then = Config::from_toml("the checkpoint's configuration", &state.config)?;
    let Some(key) = unchangeable(&then, now) else { return Ok(()) };
    let value = |config: &Config| config.setting(key).map_or_else(|| "not set".to_owned(), ToString::to_string);
    Err(RunError::OtherConfiguration { key: key.to_owned(), now: value(now), then: value(&then) })
}

/// The first setting in which two configurations differ and that may not change while a run goes on.
fn unchangeable(before: &Config, after: &Config) -> Option<&'static str> {
    changed(before, after).into_iter().find(|key| !is_changeable(key))
}

/// The settings in which two configurations differ, each once.
pub(crate) fn changed(before: &Config, after: &Config) -> Vec<&'static str> {
    let mut changed = Vec::new();
    for (key, _) in before.settings().chain(after.settings()) {
        if !changed.contains(&key) && before.setting(key) != after.setting(key) {
            changed.push(key);
        }
    }
    changed
}

/// Whether a setting may change while a run goes on.
pub(crate) fn is_changeable(key: &str) -> bool {
    CHANGEABLE.iter().any(|changeable| key == *changeable || (changeable.ends_with('.') && key.starts_with(changeable)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_cannot_change_and_when_it_ends_can() {
        let before = Config::preset("catch").unwrap();
        let refused = |values: &[(&str, toml::Value)]| {
            let after = before.with_all(values.iter().map(|(key, value)| (*key, value.clone()))).unwrap();
            assert_eq!(changed(&before, &after), values.iter().map(|(key, _)| *key).collect::<Vec<_>>());
            unchangeable(&before, &after)
        };
        assert_eq!(refused(&[("training.agent_steps", 77.into())]), None);
        assert_eq!(refused(&[("evaluation.episodes", 3.into())]), None);
        assert_eq!(refused(&[("learning.gamma", toml::Value::Float(0.5))]), Some("learning.gamma"));
        assert_eq!(refused(&[("run.seed", 5.into())]), Some("run.seed"));
        // A change that is allowed does not hide one that is not.
        let both = [("environment.threads", 2.into()), ("learning.gamma", toml::Value::Float(0.5))];
        assert_eq!(refused(&both), Some("learning.gamma"));
        assert_eq!(refused(&[]), None);
    }
}
