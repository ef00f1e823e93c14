//! Training and evaluation of value-based agents.
//!
//! A [`Run`] takes a [`Config`] and [`Environments`], plays and learns, and writes a [`RunFolder`]; [`evaluate`] scores the
//! weights in it. [`mod@bench`] measures how fast a machine's devices do the work of a run, [`plot`] draws that.

pub mod bench;
mod config;
mod environments;
mod evaluate;
mod interrupt;
mod memory;
pub mod plot;
mod run;

pub use config::{
    Config, EnvironmentConfig, EnvironmentKind, EvaluationConfig, Fault, MemoryNeed, NotEnoughMemory, Note, Origin,
    Override, Problem, RunConfig, SettingsError, Source, Threads, TrainingConfig, listing, presets,
};
pub use environments::{BuildError, Environments};
pub use evaluate::{EvaluatedGame, Games, evaluate};
pub use interrupt::{Interrupt, Request};
pub use memory::{MemoryBound, available as available_memory};
pub use prism_runs::{
    DistributionRecord, Ending, EpisodeRecord, EvaluationRecord, Event, FinishedGame, Journal, Manifest, OutputError,
    OutputFile, Position, RecordError, RecordedRun, RunFolder, RunFolderError, RunHeader, RunIdentity, RunPath,
    SavedWeights, ScoreTracker, Sink, Statistics, Summary, UpdateRecord, append_evaluation,
};
pub use run::{CONFIG_KEY, POSITION_KEY, Place, Run, RunError, RunErrorKind};
