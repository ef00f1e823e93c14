//! A run: an agent trained in the environments it is handed, and everything about it written down.

mod recorder;
pub(crate) mod training;

use std::path::PathBuf;

use prism_environment::{AgentSteps, VectorEnvironment};
use prism_model::{Device, DeviceChoice, DeviceClass};
use prism_runs::{
    Ending, EvaluationRecord, Journal, Manifest, RunFolder, RunFolderError, RunHeader, RunIdentity, Sink, Summary,
};

use self::recorder::Recorder;
use self::training::Training;
use crate::config::{Config, MemoryNeed};
use crate::device::device_of;
use crate::environments::Environments;
use crate::error::RunError;
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
    interrupt: Interrupt,
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
        let manifest = manifest(config, &choice.device.name, card.actions.clone());
        let folder = match &place {
            Place::At(path) => RunFolder::create(path, &manifest),
            Place::In(parent) => RunFolder::create_in(parent, &manifest),
        }?;
        let header = RunHeader {
            manifest,
            limit: config.training().limit,
            score_window: config.training().score_window.get(),
            diagnostics: training.agent().diagnostics(),
            memory: Some(need.total()),
        };
        let mut journal = Journal::create(&folder, header)?;
        journal.note(format!("device {choice}"))?;
        if choice.device.class != DeviceClass::Cpu {
            let made = if cfg!(feature = "autotune") { "compiled and tuned" } else { "compiled" };
            let kept = if cfg!(feature = "persistence") { "; the results are kept for later runs" } else { "" };
            journal
                .note(format!("the device's kernels are {made} at their first use, which can take minutes{kept}"))?;
        }
        for note in config.notes() {
            journal.note(note.to_string())?;
        }
        let mut recorder = Recorder::new(config, card, folder, journal, training.steps());
        // Whatever ends the run, there are weights.
        recorder.save(training.agent())?;
        let interrupt = Interrupt::default();
        Ok(Self { config: config.clone(), environments, device, training, recorder, interrupt })
    }

    /// Refuses what [`Run::new`] would refuse of device, environments and memory, without beginning a run: for programs that
    /// make several, one after the other.
    ///
    /// # Errors
    /// As of [`Run::new`].
    pub fn check(config: &Config, environments: &Environments) -> Result<(), RunError> {
        Self::prepare(config, environments).map(|_| ())
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
        let Self { training, recorder, .. } = self;
        match outcome {
            Ok(ending) => recorder.finish(ending, training.agent()),
            Err(error) => {
                recorder.give_up(&error, training.agent());
                Err(error)
            }
        }
    }

    fn train(&mut self) -> Result<Ending, RunError> {
        loop {
            if let Some(ending) = self.ending() {
                let Self { training, recorder, .. } = self;
                training.finish(&mut |agent, event| recorder.record(agent, event))?;
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
        if periods(before, now, self.config.training().save_period) > 0 {
            self.recorder.save(self.training.agent())?;
        }
        if let Some(period) = self.config.evaluation().period
            && periods(before, now, period) > 0
        {
            self.evaluate()?;
        }
        self.recorder.progress(self.training.agent())
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
        }
        Ok(())
    }
}

/// What is run, on which device, by a program of this version.
fn manifest(config: &Config, device: &str, actions: Vec<String>) -> Manifest {
    let kind = &config.environment().kind;
    let identity = RunIdentity {
        name: config.name().to_owned(),
        environment: kind.name().to_owned(),
        protocol: kind.protocol().to_owned(),
        seed: config.run().seed,
        device: device.to_owned(),
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
