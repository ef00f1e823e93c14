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
mod network;
mod player;
pub mod plot;
pub mod presets;
mod settings;
mod train;

pub use config::{
    Config, DiagnosticsConfig, DistributionRecords, EnvironmentConfig, EnvironmentKind, EvaluationConfig,
    LearningConfig, NetworkParts, Prioritization, ReplayConfig, Threads, TrainingConfig,
};
pub use environments::build_environments;
pub use evaluate::{EvaluateOptions, evaluate};
pub use interrupt::Interrupt;
pub use prism_runs::{
    DistributionRecord, Ending, EpisodeRecord, EvaluationRecord, Event, FinishedGame, Journal, Manifest, Position,
    RecordError, RecordedRun, RunFolder, RunFolderError, RunHeader, RunIdentity, RunPath, SavedWeights, ScoreTracker,
    Sink, Statistics, Summary, UpdateRecord, append_evaluation,
};
pub use settings::{Origin, Override, SettingsError, Source};
pub use train::{TrainOptions, train};
