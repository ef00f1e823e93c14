//! Why a sweep cannot be planned or run.

use std::io;
use std::path::PathBuf;

use prism_runs::{CheckpointError, ReadError};
use thiserror::Error;

use crate::config::{Origin, SettingsError, did_you_mean};

/// Why a sweep cannot be planned or run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The file cannot be read.
    #[error("cannot read the sweep's file {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{origin}: this is not valid TOML: {reason}")]
    Syntax {
        /// Where.
        origin: Origin,
        /// What the parser says.
        reason: String,
    },
    /// A key that sweeps do not have.
    #[error("{origin}: unknown key `{key}`{}; keys here: {}", did_you_mean(.near), .known.join(", "))]
    UnknownKey {
        /// Where.
        origin: Origin,
        /// The key.
        key: String,
        /// Keys that are spelt like it.
        near: Vec<String>,
        /// Every key that could stand there.
        known: Vec<&'static str>,
    },
    /// A value of the wrong type or form.
    #[error("{origin}: {key} = {value} cannot be used: expected {expected}")]
    Value {
        /// Where.
        origin: Origin,
        /// The key.
        key: String,
        /// The value as TOML writes it.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// A key that is missing.
    #[error("{}: the key `{key}` is missing: expected {expected}", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// A preset that does not exist.
    #[error("{origin}: {source}")]
    Preset {
        /// Where it is named.
        origin: Origin,
        /// What is wrong with it.
        source: SettingsError,
    },
    /// The configuration of a run cannot be used.
    #[error("runs in {runs}/: {source}")]
    Settings {
        /// Their folder, within that of the sweep, or the name of one run.
        runs: String,
        /// What is wrong.
        source: SettingsError,
    },
    /// Two runs would have the same folder.
    #[error("two runs would be called {run}: expected each game and seed once, and another `name` for each variant")]
    Twice {
        /// What both would be called.
        run: String,
    },
    /// No run has this name.
    #[error("the sweep has no run `{name}`{}; its runs: {}", did_you_mean(.near), .runs.join(", "))]
    NoSuchRun {
        /// What was asked for.
        name: String,
        /// Names that are spelt like it.
        near: Vec<String>,
        /// The first of its runs.
        runs: Vec<String>,
    },
    /// Where a run's folder should be there is something else.
    #[error("{} is in the way of a run: it is no folder of a run, and not empty", .0.display())]
    InTheWay(PathBuf),
    /// A run with other settings is in its folder.
    #[error("the run in {} was begun with {key} = {recorded}, and the sweep says {planned}", .path.display())]
    OtherRun {
        /// The folder.
        path: PathBuf,
        /// The first setting that differs.
        key: String,
        /// What the run has.
        recorded: String,
        /// What the sweep says.
        planned: String,
    },
    /// A run that has begun, has not ended, and cannot go on.
    #[error("the run in {} has not ended, and has no checkpoint to go on from", .0.display())]
    CannotGoOn(PathBuf),
    /// A run's folder cannot be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// A run's checkpoints cannot be looked at.
    #[error(transparent)]
    Checkpoints(#[from] CheckpointError),
    /// What a run left before it began cannot be taken away.
    #[error("cannot take away {}, which holds a run that has not begun", .path.display())]
    TakeAway {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
