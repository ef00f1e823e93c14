//! Training and evaluation of value-based agents: configuration, run loop, records.
//!
//! A run is a [`Config`], a seed and a device: [`train`] plays, learns and writes a [`RunFolder`]; [`evaluate`] scores
//! the weights in it; [`plot`] draws it. [`mod@bench`] measures how fast a machine's devices do the work of a run.

pub mod bench;
mod config;
mod diagnostics;
mod environments;
mod evaluate;
mod interrupt;
mod player;
pub mod plot;
mod progress;
mod records;
mod run_folder;
mod scores;
mod statistics;
mod tensorboard;
mod train;

pub use config::{
    Config, EnvironmentConfig, EnvironmentKind, EvaluationConfig, Fault, MemoryNeed, NotEnoughMemory, Note, Origin,
    Override, Problem, RunConfig, SettingsError, Source, Threads, TrainingConfig, listing as settings, presets,
};
pub use environments::build_environments;
pub use evaluate::{EvaluateOptions, evaluate};
pub use interrupt::Interrupt;
pub use records::{
    DistributionRecord, Ending, EpisodeRecord, EvaluationRecord, Heading, Progress, RecordError, Records, Summary,
    UpdateRecord,
};
pub use run_folder::{Checkpoint, Machine, Manifest, RunFolder, RunFolderError};
pub use scores::{FinishedGame, ScoreTracker};
pub use statistics::Statistics;
pub use tensorboard::EventWriter;
pub use train::{TrainOptions, train};
