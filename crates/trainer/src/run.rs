//! A run: an agent trained in the environments it is handed, and everything about it written down.

mod checkpoint;
mod offending;
mod recorder;
pub(crate) mod resumption;
pub(crate) mod training;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::HumanBytes;
use prism_environment::{AgentSteps, VectorEnvironment};
use prism_model::{Device, DeviceChoice, DeviceClass};
use prism_runs::{
    CheckpointError, Checkpoints, Ending, EvaluationRecord, Journal, Manifest, Owed, Position, RunFolder,
    RunFolderError, RunHeader, RunIdentity, RunLock, Sink, Summary,
};

use self::checkpoint::{RunState, Saver};
use self::recorder::Recorder;
use self::resumption::Resumption;
use self::training::Training;
use crate::config::{Config, MemoryNeed};
use crate::device::device_of;
use crate::environments::Environments;
use crate::error::{RunError, TrainingError};
use crate::evaluate::Evaluation;
use crate::interrupt::Interrupt;
use crate::memory;
use crate::policy_file::card;

/// Where a run's folder is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// This folder, which must not exist yet.
    At(PathBuf),
    /// A new folder in this one, named for the run.
    In(PathBuf),
}

impl Place {
    /// Refuses a folder that is there already.
    ///
    /// # Errors
    /// [`RunFolderError::Exists`].
    pub fn check(&self) -> Result<(), RunError> {
        match self {
            // A link that leads nowhere is in the way as well.
            Self::At(path) if path.symlink_metadata().is_ok() => Err(RunFolderError::Exists(path.clone()).into()),
            Self::At(_) | Self::In(_) => Ok(()),
        }
    }
}

/// An agent that trains in environments. [`Run::new`] refuses what can be refused; [`Run::go`] trains to the end.
pub struct Run {
    config: Config,
    environments: Environments,
    device: Device,
    training: Training,
    recorder: Recorder,
    /// None where there are no checkpoints.
    saver: Option<Saver>,
    owed: Owed,
    interrupt: Interrupt,
    /// Other processes are kept out of the folder as long as the run lives.
    _lock: RunLock,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("folder", self.recorder.folder()).finish_non_exhaustive()
    }
}

impl Run {
    /// Makes a run ready: environments, agent, folder. Seed and device are those of the configuration's `[run]`.
    ///
    /// # Errors
    /// When the device, the environments or the folder cannot be had, the environments are not those of the configuration,
    /// the network does not fit them, or the machine has not the memory that the run will need.
    pub fn new(config: &Config, environments: Environments, place: Place) -> Result<Self, RunError> {
        place.check()?;
        let (choice, built, need) = Self::prepare(config, &environments)?;
        let device = choice.device.open();
        let seed = config.run().seed;
        let card = card(&config.environment().kind, built.spec());
        let training = Training::new(config, built, seed, &device)?;

        // From here on there is a folder: whatever can be refused was refused before.
        let manifest = manifest(config, &choice.device.name, &environments, card.actions.clone());
        let folder = match &place {
            Place::At(path) => RunFolder::create(path, &manifest),
            Place::In(parent) => RunFolder::create_in(parent, &manifest),
        }?;
        let begin = |folder: RunFolder| {
            let lock = RunLock::take(&folder)?;
            let saver = config.training().checkpoints.then(|| Saver::new(Checkpoints::of(&folder)));
            let journal = Journal::create(&folder, header(config, manifest, &training, &need))?;
            let recorder = Recorder::new(config, card, folder, journal, training.steps());
            let (config, interrupt) = (config.clone(), Interrupt::default());
            let owed = Owed::Nothing;
            let run = Self { config, environments, device, training, recorder, saver, owed, interrupt, _lock: lock };
            let mut run = run.opened(&choice, Vec::new())?;
            // However soon it is killed, it can go on.
            run.checkpoint()?;
            run.complete_checkpoint()?;
            Ok(run)
        };
        begin(folder.clone()).inspect_err(|_: &RunError| folder.discard())
    }

    /// Goes on with a run, in the environments of [`Resumption::config`]. Its records will be those of a run that was never
    /// interrupted.
    ///
    /// # Errors
    /// As of [`Run::new`], and when the checkpoint is not that of such a run.
    pub fn resume(resumption: Resumption, environments: Environments) -> Result<Self, RunError> {
        let Resumption { folder, lock, config, checkpoints, checkpoint, state, notes } = resumption;
        let (choice, built, need) = Self::prepare(&config, &environments)?;
        let device = choice.device.open();
        let card = card(&config.environment().kind, built.spec());
        let saver = Saver::resumed(checkpoints, &state);
        let owed = state.recorder.journal().owed();
        let RunState { training, replay, recorder, .. } = state;
        let load = |like: &_| checkpoint::load_replay(replay, &checkpoint, like);
        let refused = |reason: &dyn std::fmt::Display| checkpoint::unusable(&checkpoint, reason);
        let training = Training::resume(&config, built, config.run().seed, &device, training, load, refused)?;

        let at = recorder::position(training.agent());
        let counts = |at: &Position| (at.agent_steps, at.frames, at.updates);
        if counts(&at) != counts(&checkpoint.entry.at) {
            return Err(refused(&format!("its agent is at {at:?}, and it says {:?}", checkpoint.entry.at)));
        }
        recorder.check(&config, training.environments(), &at).map_err(|reason| refused(&reason))?;

        // From here on the folder changes: whatever can be refused was refused before.
        let manifest = manifest(&config, &choice.device.name, &environments, card.actions.clone());
        folder.go_on(&manifest, &checkpoint.entry.at)?;
        let journal = Journal::resume(&folder, header(&config, manifest, &training, &need), recorder.journal())?;
        let recorder = Recorder::resumed(&config, card, folder, journal, recorder)?;
        let saver = config.training().checkpoints.then_some(saver);
        let interrupt = Interrupt::default();
        let run = Self { config, environments, device, training, recorder, saver, owed, interrupt, _lock: lock };
        run.opened(&choice, notes)
    }

    /// Says what there is to say before it begins, and writes its first weights.
    fn opened(mut self, choice: &DeviceChoice, notes: Vec<String>) -> Result<Self, RunError> {
        self.recorder.note(format!("device {choice}"))?;
        if choice.device.class != DeviceClass::Cpu {
            let made = if cfg!(feature = "autotune") { "compiled and tuned" } else { "compiled" };
            let kept = if cfg!(feature = "persistence") { "; the results are kept for later runs" } else { "" };
            let line = format!("the device's kernels are {made} at their first use, which can take minutes{kept}");
            self.recorder.note(line)?;
        }
        let of_config: Vec<String> = self.config.notes().iter().map(ToString::to_string).collect();
        for note in of_config.into_iter().chain(notes) {
            self.recorder.note(note)?;
        }
        // Whatever ends the run, there are weights.
        self.recorder.save(self.training.agent())?;
        Ok(self)
    }

    /// Refuses what [`Run::new`] would refuse of device, environments and memory, without beginning a run: for programs that
    /// make several. Returns the memory that the run will need.
    ///
    /// # Errors
    /// As of [`Run::new`].
    pub fn check(config: &Config, environments: &Environments) -> Result<MemoryNeed, RunError> {
        Self::prepare(config, environments).map(|(_, _, need)| need)
    }

    /// The device, the environments, and the memory that the run will need and that there is.
    fn prepare(
        config: &Config,
        environments: &Environments,
    ) -> Result<(DeviceChoice, VectorEnvironment, MemoryNeed), RunError> {
        let choice = device_of(config)?;
        let (environment, seed) = (config.environment(), config.run().seed);
        let built = environments.build(environment, environment.count, seed.derive("environment", 0))?;
        let need = config.memory(&built.spec().observation);
        let (available, bound) = memory::available();
        need.check(config, available).map_err(|source| RunError::Memory { source, bound })?;
        Ok((choice, built, need))
    }

    /// Ends the run in good order when this is requested.
    #[must_use]
    pub fn with_interrupt(self, interrupt: Interrupt) -> Self {
        Self { interrupt, ..self }
    }

    /// Adds something that is told what happens, such as a [`Screen`](crate::Screen): a run alone writes its folder and
    /// prints nothing.
    ///
    /// # Errors
    /// When it cannot take note of the beginning.
    pub fn with_sink(mut self, sink: Box<dyn Sink>) -> Result<Self, RunError> {
        self.recorder.add(sink)?;
        Ok(self)
    }

    /// The folder that the run writes.
    pub fn folder(&self) -> &RunFolder {
        self.recorder.folder()
    }

    /// Trains until the run is solved, has reached its limit or is interrupted. It does so on a thread of rayon's global
    /// pool, on which small operations begin at once; the calling thread waits, if it is not one of these itself.
    ///
    /// # Errors
    /// When an environment fails, learning blows up or a record cannot be written. The folder then holds the best weights,
    /// the last good ones and a summary that says why.
    pub fn go(mut self) -> Result<Summary, RunError> {
        let outcome = rayon::scope(|_| self.train());
        let Self { training, recorder, saver, .. } = self;
        // What is being written is completed first.
        drop(saver);
        match outcome {
            Ok(ending) => recorder.finish(ending, training.agent()),
            Err(error) => {
                recorder.give_up(&error, training.agent());
                Err(error)
            }
        }
    }

    fn train(&mut self) -> Result<Ending, RunError> {
        let begin = Instant::now();
        loop {
            if self.owed == Owed::Evaluation {
                self.evaluate()?;
            }
            if let Some(ending) = self.ending() {
                // Before the last updates are read, which a run that goes on does later.
                self.checkpoint()?;
                let Self { training, recorder, .. } = self;
                training.finish(&mut |agent, event| recorder.record(agent, event))?;
                self.complete_checkpoint()?;
                self.close_checkpoints(&ending, begin.elapsed())?;
                return Ok(ending);
            }
            let before = self.now();
            let Self { training, recorder, .. } = &mut *self;
            training.step(&mut |agent, event| recorder.record(agent, event))?;
            self.keep(before)?;
        }
    }

    fn now(&self) -> AgentSteps {
        self.training.agent().position().agent_steps
    }

    fn ending(&self) -> Option<Ending> {
        let training = self.config.training();
        if self.owed == Owed::Evaluation {
            // It was cut short: the run has not come to its end.
            return self.interrupt.ending();
        }
        if training.stop_score.is_some_and(|score| self.recorder.scores().solved(score)) {
            Some(Ending::Solved)
        } else if self.now() >= training.limit {
            Some(Ending::Limit)
        } else {
            self.interrupt.ending()
        }
    }

    /// What falls due after `before` beside learning: weights to save, evaluations, progress to show.
    fn keep(&mut self, before: AgentSteps) -> Result<(), RunError> {
        let now = self.now();
        if self.config.evaluation().period.is_some_and(|period| periods(before, now, period) > 0) {
            self.owed = Owed::Evaluation;
        }
        self.recorder.progress(self.training.agent())?;
        if periods(before, now, self.config.training().save_period) > 0 {
            self.recorder.save(self.training.agent())?;
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Begins to write a checkpoint of the run as it stands. That one cannot be written is no reason to stop: those before it
    /// stay.
    fn checkpoint(&mut self) -> Result<(), RunError> {
        let begin = Instant::now();
        let Self { config, training, recorder, owed, saver: Some(saver), .. } = self else { return Ok(()) };
        let state = match training.state() {
            Err(TrainingError::Environment(error)) if checkpoint::cannot_be_saved(&error) => {
                recorder.note(format!("no checkpoints, and no going on with this run once it has ended: {error}"))?;
                self.saver = None;
                return Ok(());
            }
            state => state?,
        };
        let at = recorder::position(training.agent());
        let outcome = saver.save(at, config.to_toml(), state, training.agent().replay(), recorder.state(*owed)?);
        saver.count(begin.elapsed());
        outcome.or_else(|error| recorder.note(not_written(error)))
    }

    /// Waits until the last checkpoint is written.
    fn complete_checkpoint(&mut self) -> Result<(), RunError> {
        let Self { recorder, saver: Some(saver), .. } = self else { return Ok(()) };
        saver.wait().or_else(|error| recorder.note(not_written(error)))
    }

    /// Says what checkpoints took of `time`, and how to go on from the last.
    fn close_checkpoints(&mut self, ending: &Ending, time: Duration) -> Result<(), RunError> {
        let Self { recorder, saver: Some(saver), .. } = self else { return Ok(()) };
        if let Some((waited, bytes)) = saver.cost() {
            let percent = 100.0 * waited.as_secs_f64() / time.as_secs_f64();
            let (seconds, bytes) = (waited.as_secs_f64(), HumanBytes(bytes));
            recorder
                .note(format!("training waited {seconds:.2} s for checkpoints ({percent:.2}%), which take {bytes}"))?;
        }
        if matches!(ending, Ending::Interrupted | Ending::Terminated) {
            let folder = recorder.folder().path().display().to_string();
            recorder.note(format!("`prism resume {folder}` goes on from here"))?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<(), RunError> {
        // Every evaluation of a run plays the same starts, so that only the weights differ.
        let mut evaluation = Evaluation::new(&self.config, &self.environments)?;
        let agent = self.training.agent();
        let policy = evaluation.policy(agent.network(), agent.network_config().clone(), &self.device);
        let games = evaluation.play(policy, &self.interrupt, &mut |_| {})?;
        if games.are_complete() {
            let record = EvaluationRecord {
                scores: games.scores(),
                epsilon: self.config.evaluation().epsilon,
                at: recorder::position(agent),
            };
            self.recorder.evaluation(record)?;
            self.owed = Owed::Nothing;
        }
        Ok(())
    }
}

fn not_written(error: CheckpointError) -> String {
    format!("{}; the checkpoint before stays, and the next is tried in its turn", RunError::from(error).reason())
}

fn header(config: &Config, manifest: Manifest, training: &Training, need: &MemoryNeed) -> RunHeader {
    RunHeader {
        manifest,
        limit: config.training().limit,
        score_window: config.training().score_window.get(),
        diagnostics: training.agent().diagnostics(),
        memory: Some(need.total()),
    }
}

/// What is run, on which device, by a program of this version.
fn manifest(config: &Config, device: &str, environments: &Environments, actions: Vec<String>) -> Manifest {
    let kind = &config.environment().kind;
    let identity = RunIdentity {
        name: config.name().to_owned(),
        environment: kind.name().to_owned(),
        protocol: kind.protocol().to_owned(),
        seed: config.run().seed,
        device: device.to_owned(),
        rom: environments.rom().map(|md5| format!("{md5:032x}")),
        actions,
        command: std::env::args_os().collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("PRISM_COMMIT").to_owned(),
    };
    Manifest::new(identity, config.to_toml()).expect("a configuration is written as TOML")
}

/// How many multiples of `period` lie after `before` and not after `now`.
fn periods(before: AgentSteps, now: AgentSteps, period: AgentSteps) -> u64 {
    now.0 / period.0 - before.0 / period.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_counted_in_agent_steps_however_many_are_taken_at_once() {
        let count = |before, now| periods(AgentSteps(before), AgentSteps(now), AgentSteps(10));
        assert_eq!(count(9, 10), 1);
        assert_eq!(count(10, 11), 0);
        assert_eq!(count(0, 64), 6);
        let in_eights: u64 = (0..100).map(|step| count(8 * step, 8 * step + 8)).sum();
        assert_eq!(in_eights, 80);
    }
}
