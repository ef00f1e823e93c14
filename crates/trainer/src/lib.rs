//! Training and evaluation of value-based agents.
//!
//! A [`Run`] takes a [`Config`] and [`Environments`], plays and learns, and writes a [`RunFolder`]; [`evaluate`] scores the
//! weights in it. [`mod@bench`] measures how fast a machine's devices do the work of a run, [`plot`] draws that.
//!
//! ```
//! use prism::{Config, Environments, Interrupt, Place, Run, RunFolder, Statistics};
//! use prism_model::Weights;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let parent = tempfile::tempdir()?;
//! # let runs = parent.path().to_owned();
//! let config = Config::preset("catch")?.with("training.agent_steps", 1000)?.with("evaluation.episodes", 20)?;
//! let run = Run::new(&config, Environments::of(config.environment(), None)?, Place::In(runs))?;
//! let folder = run.folder().path().to_owned();
//! let summary = run.go()?; // plays, learns, and writes the run folder
//! println!("{:?} after {} games", summary.ending, summary.episodes);
//!
//! let weights = Weights::read(&RunFolder::open(&folder)?.best_weights()?)?;
//! let environments = Environments::of(config.environment(), None)?;
//! let games = prism::evaluate(&config, &environments, &weights, &Interrupt::default(), &mut |_| {})?;
//! println!("{}", Statistics::of(&games.scores()));
//! # assert_eq!(games.scores().len(), 20);
//! # Ok(())
//! # }
//! ```

pub mod bench;
mod config;
mod device;
mod environments;
mod error;
mod evaluate;
mod evaluation_protocol;
mod interrupt;
mod memory;
pub mod play;
pub mod plot;
mod policy_file;
mod rerun;
mod run;
mod seeds;
pub mod sweep;
mod training_scores;

pub use config::{
    Config, EnvironmentConfig, EnvironmentKind, EvaluationConfig, Fault, MemoryNeed, NotEnoughMemory, Note, Origin,
    Override, Problem, RunConfig, SettingsError, Source, Threads, TrainingConfig, listing, presets,
};
pub use environments::{BuildError, Environments};
pub use error::{RunError, RunErrorKind};
pub use evaluate::{EvaluatedGame, EvaluationLength, Games, evaluate, evaluate_phase};
pub use evaluation_protocol::{Course, EvaluationProtocol, NewGames, UnknownEvaluationProtocol};
pub use interrupt::{Interrupt, Request};
pub use memory::{MemoryBound, available as available_memory};
pub use policy_file::{CONFIG_KEY, POSITION_KEY, imported_network, imported_policy_file, policy_file};
pub use prism_runs::{
    CheckpointError, Circumstances, Comparison, Difference, DistributionRecord, Ending, EpisodeRecord,
    EvaluationRecord, Event, Extent, FinishedGame, Journal, Manifest, Moment, Outcome, OutputError, OutputFile, Part,
    Position, ProgressLine, RecordError, RecordedRun, RecordedSummary, RunFolder, RunFolderError, RunHeader,
    RunIdentity, RunPath, RunProgress, SavedWeights, ScoreTracker, Screen, Sink, StartedFile, Statistics, Summary,
    UpdateRecord, append_evaluation,
};
pub use rerun::{Rerun, RerunError};
pub use run::resumption::Resumption;
pub use run::{Place, Run};
pub use seeds::{NotSeeds, Seeds};
pub use toml::Value;
pub use training_scores::{Span, TrainingGames, TrainingRecord, TrainingScores};
