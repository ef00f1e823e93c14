//! The state of a run, and the thread that writes it while the run goes on.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use prism_algorithms::{Replay, ReplayExtent, ReplayHead, ReplayLoader, ReplayPart};
use prism_environment::{EnvironmentError, VectorError};
use prism_runs::{CheckpointEntry, CheckpointError, Checkpoints, Position, ScoreTracker, WholeCheckpoint};
use serde::{Deserialize, Serialize};

use super::recorder::RecorderState;
use super::training::TrainingState;
use crate::error::RunError;

/// Parts of the replay are put together up to this share of its capacity, so that checkpoints at short intervals do not make
/// thousands of files.
const LARGEST_SHARE: u64 = 16;

/// Everything that decides the future of a run but the transitions in its replay.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunState {
    /// The run's configuration, as its file has it.
    pub(super) config: String,
    pub(super) training: TrainingState,
    pub(super) replay: ReplayHead,
    /// The parts that hold the transitions.
    parts: Vec<ReplayExtent>,
    pub(super) recorder: RecorderState,
}

/// Writes checkpoints on a thread of its own, one at a time.
#[derive(Debug)]
pub(super) struct Saver {
    stage: Stage,
    /// How long the run has waited for checkpoints.
    waited: Duration,
    /// The parts of the last checkpoint that was completed.
    parts: Vec<ReplayExtent>,
}

#[derive(Debug)]
enum Stage {
    Idle(Checkpoints),
    Writing(JoinHandle<Written>),
    Written(Box<Written>),
    /// A thread that wrote has panicked, and has taken the checkpoints with it.
    Lost,
}

/// What the thread hands back: the checkpoints, and the parts of the new one if it is complete.
type Written = (Checkpoints, Result<Vec<ReplayExtent>, CheckpointError>);

impl Saver {
    /// The saver of a new run.
    pub(super) fn new(checkpoints: Checkpoints) -> Self {
        Self { stage: Stage::Idle(checkpoints), waited: Duration::ZERO, parts: Vec::new() }
    }

    /// The saver of a run that goes on from `state`.
    pub(super) fn resumed(checkpoints: Checkpoints, state: &RunState) -> Self {
        Self { stage: Stage::Idle(checkpoints), waited: Duration::ZERO, parts: state.parts.clone() }
    }

    /// Begins to write a checkpoint of a run at `at`, once the one before is written. The replay may change as soon as this
    /// returns.
    ///
    /// # Errors
    /// Why the checkpoint before could not be written; this one is begun nevertheless.
    pub(super) fn save(
        &mut self,
        at: Position,
        config: String,
        training: TrainingState,
        replay: &Replay,
        recorder: RecorderState,
    ) -> Result<(), CheckpointError> {
        let outcome = self.wait();
        let Stage::Idle(checkpoints) = std::mem::replace(&mut self.stage, Stage::Lost) else { return outcome };
        let (parts, new) = self.plan(replay);
        let state = RunState { config, training, replay: replay.head(), parts, recorder };
        let entry = CheckpointEntry { at, program: program(), parts: names(&state.parts) };
        let write = move || write(checkpoints, entry, state, new);
        self.stage = begin(write);
        outcome
    }

    /// Waits until the checkpoint under way is written.
    ///
    /// # Errors
    /// Why it could not be written; those before it are as they were.
    pub(super) fn wait(&mut self) -> Result<(), CheckpointError> {
        let (checkpoints, outcome) = match std::mem::replace(&mut self.stage, Stage::Lost) {
            Stage::Idle(checkpoints) => (checkpoints, Ok(self.parts.clone())),
            Stage::Written(written) => *written,
            Stage::Writing(thread) => match thread.join() {
                Ok(written) => written,
                // Its panic has been reported as the bug that it is.
                Err(_) => return Ok(()),
            },
            Stage::Lost => return Ok(()),
        };
        self.stage = Stage::Idle(checkpoints);
        self.parts = outcome?;
        Ok(())
    }

    /// Adds time that the run has waited for a checkpoint.
    pub(super) fn count(&mut self, waited: Duration) {
        self.waited += waited;
    }

    /// How long the run has waited for checkpoints, and the bytes that they take; nothing before the first is complete.
    pub(super) fn cost(&self) -> Option<(Duration, u64)> {
        let Stage::Idle(checkpoints) = &self.stage else { return None };
        Some((self.waited, checkpoints.bytes()))
    }

    /// The parts of the next checkpoint, and the one that is to be written, if anything is new.
    fn plan(&self, replay: &Replay) -> (Vec<ReplayExtent>, Option<ReplayPart>) {
        let living = replay.extent();
        let mut parts: Vec<ReplayExtent> = self.parts.iter().filter(|part| part.reaches(&living)).cloned().collect();
        let last = self.parts.last().cloned().unwrap_or_default();
        let new = replay.part_after(&last);
        if new.is_empty() {
            return (parts, None);
        }
        let mut extent = new.extent().clone();
        let most = replay.config().capacity as u64 / LARGEST_SHARE;
        let mut joined = false;
        while let Some(last) = parts.pop_if(|last| {
            last.transitions() <= extent.transitions() && last.transitions() + extent.transitions() <= most
        }) {
            extent = last.up_to(&extent);
            joined = true;
        }
        let new = if joined { replay.part_from(&extent) } else { new };
        parts.push(new.extent().clone());
        (parts, Some(new))
    }
}

impl Drop for Saver {
    /// No file is left half-written where it can be helped.
    fn drop(&mut self) {
        let _ = self.wait();
    }
}

/// Has a thread do this, or does it at once where there can be no more threads.
fn begin(write: impl FnOnce() -> Written + Send + 'static) -> Stage {
    fn perform(job: &Mutex<Option<impl FnOnce() -> Written>>) -> Written {
        let write = job.lock().unwrap_or_else(PoisonError::into_inner).take();
        write.expect("it is taken once")()
    }
    let job = Arc::new(Mutex::new(Some(write)));
    let thread = thread::Builder::new().name("checkpoint".to_owned()).spawn({
        let job = Arc::clone(&job);
        move || perform(&job)
    });
    thread.map_or_else(|_| Stage::Written(Box::new(perform(&job))), Stage::Writing)
}

fn write(mut checkpoints: Checkpoints, entry: CheckpointEntry, state: RunState, new: Option<ReplayPart>) -> Written {
    let mut written = || {
        if let (Some(part), Some(name)) = (&new, entry.parts.last()) {
            checkpoints.write_part(name, &|out| part.write_to(out))?;
        }
        checkpoints.write_head(entry.clone(), &|out| postcard::to_io(&state, out).map(|_| ()).map_err(io::Error::other))
    };
    let outcome = written();
    (checkpoints, outcome.map(|()| state.parts))
}

/// Version and commit of this program.
pub(super) fn program() -> String {
    format!("prism {} {}", env!("CARGO_PKG_VERSION"), env!("PRISM_COMMIT"))
}

fn names(parts: &[ReplayExtent]) -> Vec<String> {
    parts.iter().map(ReplayExtent::name).collect()
}

impl RunState {
    /// The state in a checkpoint, which then has it no more.
    ///
    /// # Errors
    /// When it is not such a state.
    pub(super) fn take(checkpoint: &mut WholeCheckpoint) -> Result<Self, RunError> {
        let bytes = std::mem::take(&mut checkpoint.state);
        let state: Self = postcard::from_bytes(&bytes).map_err(|error| unusable(checkpoint, &error))?;
        if let Some(part) = state.parts.iter().find(|part| !part.is_sound()) {
            return Err(unusable(checkpoint, &format!("it has a part of {part:?}")));
        }
        if names(&state.parts) == checkpoint.entry.parts {
            Ok(state)
        } else {
            Err(unusable(checkpoint, &"it names other parts than its state"))
        }
    }

    /// The scores that the run had.
    pub(super) fn scores(&self) -> &ScoreTracker {
        self.recorder.scores()
    }
}

/// Puts the replay of a checkpoint together, for a run whose replay is `like` this one.
pub(super) fn load_replay(head: ReplayHead, checkpoint: &WholeCheckpoint, like: &Replay) -> Result<Replay, RunError> {
    let refused = |error| unusable(checkpoint, &error);
    let mut loader = ReplayLoader::new(head, like.config()).map_err(refused)?;
    for path in &checkpoint.parts {
        loader.read(&mut WholeCheckpoint::open_part(path)?).map_err(refused)?;
    }
    loader.finish().map_err(refused)
}

/// Why the state in a checkpoint is not that of this run.
pub(super) fn unusable(checkpoint: &WholeCheckpoint, reason: &dyn std::fmt::Display) -> RunError {
    let CheckpointEntry { at, program, .. } = &checkpoint.entry;
    RunError::UnusableCheckpoint { at: at.agent_steps, program: program.clone(), reason: reason.to_string() }
}

/// Whether environments of this kind cannot be saved, which is no fault of the run.
pub(super) fn cannot_be_saved(error: &VectorError) -> bool {
    let VectorError::Environment { source, .. } = error else { return false };
    matches!(source, EnvironmentError::NoState { .. } | EnvironmentError::Inexact { .. })
}
