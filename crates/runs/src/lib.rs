//! What a training run writes into its folder, and reading it back.
//!
//! A run makes a [`RunFolder`], then records what happens as [`Event`]s in a [`Journal`]. The journal passes every event to
//! its [`Sink`]s: [`Tables`], [`TensorBoard`], [`Log`], [`SummaryFile`] and those [added](Journal::add), such as a
//! [`Screen`].
//!
//! ```
//! use prism_environment::{AgentSteps, Frames, Seed};
//! use prism_runs::{Ending, Event, Journal, Manifest, Owed, Position, RecordedRun, RunFolder, RunHeader, RunIdentity};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let parent = tempfile::tempdir()?;
//! # let runs = parent.path();
//! let identity = RunIdentity {
//!     name: "catch".to_owned(),
//!     environment: "catch".to_owned(),
//!     protocol: "catch 10x5".to_owned(),
//!     seed: Seed(3),
//!     device: "flex".to_owned(),
//!     rom: None,
//!     actions: Vec::new(),
//!     command: std::env::args_os().collect(),
//!     version: "0.1.0".to_owned(),
//!     commit: "unknown".to_owned(),
//! };
//! let config = "[replay]\nwarm_up = 500\n[training]\nscore_window = 100\nstop_score = \"none\"\n";
//! let manifest = Manifest::new(identity, config.to_owned())?;
//! let folder = RunFolder::create_in(runs, &manifest)?;
//! let limit = AgentSteps(1000);
//! let header = RunHeader { manifest, limit, score_window: 100, diagnostics: Vec::new(), memory: None };
//! let mut journal = Journal::create(&folder, header.clone())?;
//! let mut at = Position { epsilon: 1.0, ..Position::default() };
//! while at.agent_steps < AgentSteps(500) {
//!     at.agent_steps += AgentSteps(1); // play and learn here, and record the results
//!     at.frames += Frames(1);
//!     journal.record(Event::Progress(at))?;
//! }
//! let checkpoint = journal.position(Owed::Nothing)?; // a later process continues from here
//! journal.finish(Ending::Interrupted, at)?;
//!
//! let journal = Journal::resume(&folder, header, &checkpoint)?;
//! journal.finish(Ending::Failed { reason: "no game ended".to_owned() }, at)?;
//! let summary = RecordedRun::open(folder.path())?.summary()?;
//! assert_eq!(summary.and_then(|summary| summary.reason).as_deref(), Some("no game ended"));
//! # Ok(())
//! # }
//! ```

mod checkpoints;
mod circumstances;
mod clock;
mod comparison;
mod events;
mod file;
mod folder;
mod journal;
mod lock;
mod log;
mod manifest;
mod names;
mod narrator;
mod output_file;
mod position;
mod progress;
mod progress_line;
mod read_error;
mod recorded_run;
mod rows;
mod run_path;
mod scores;
mod screen;
mod sink;
mod statistics;
mod summary_file;
mod table;
mod tables;
mod tensorboard;

pub use checkpoints::{CheckpointEntry, CheckpointError, Checkpoints, Content, WholeCheckpoint};
pub use circumstances::{Circumstances, Difference};
pub use clock::{Moment, Rates};
pub use comparison::{Comparison, Extent, Outcome};
pub use events::{
    DistributionRecord, Ending, EpisodeRecord, Estimate, EvaluationRecord, Event, RunHeader, Summary, UpdateRecord,
    Value,
};
pub use folder::{RunFolder, RunFolderError, SavedWeights, UnknownWeights};
pub use journal::{Journal, JournalPosition, Owed};
pub use lock::RunLock;
pub use log::Log;
pub use manifest::{Machine, Manifest, RunIdentity};
pub use names::{DISTRIBUTIONS, EPISODES, EVALUATIONS, TIMING, TRAIN};
pub use output_file::{OutputError, OutputFile, StartedFile};
pub use position::Position;
pub use progress::RunProgress;
pub use progress_line::{Part, ProgressLine};
pub use read_error::ReadError;
pub use recorded_run::{RecordedRun, RecordedSummary};
pub use rows::{DistributionRow, EpisodeRow, EvaluationRow, TimingRow, UpdateRow};
pub use run_path::RunPath;
pub use scores::{FinishedGame, ScoreTracker};
pub use screen::Screen;
pub use sink::{FilePositions, RecordError, Sink};
pub use statistics::Statistics;
pub use summary_file::SummaryFile;
pub use table::{NumberTable, complete_lines};
pub use tables::{Tables, append_evaluation};
pub use tensorboard::TensorBoard;
