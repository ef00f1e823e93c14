//! One environment of a vector: what it is asked, what it answers, and what becomes of a failure.

use std::any::Any;
use std::io;
use std::mem;
use std::panic::{self, AssertUnwindSafe};

use thiserror::Error;

use crate::environment::{Environment, EnvironmentError};
use crate::time_step::{StepType, TimeStep};

/// What one environment of a [`VectorEnvironment`](crate::VectorEnvironment) answered to an action or a reset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VectorStep {
    /// The environment's own answer.
    pub time_step: TimeStep,
    /// After a Last time step the environment was reset in the same call, and this is the First time step of the new
    /// episode: [`observation`](crate::VectorEnvironment::observation) is the new episode's,
    /// [`last_observation`](crate::VectorEnvironment::last_observation) the ended one's.
    pub restart: Option<TimeStep>,
}

/// Why a vector environment could not be built, or which of its environments failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VectorError {
    /// There is nothing to step.
    #[error("a vector environment needs at least one environment, not 0")]
    NoEnvironments,
    /// An environment could not be made.
    #[error(transparent)]
    NotMade(EnvironmentError),
    /// Environments of different kinds do not fit one batch.
    #[error("environment {index} ({found}) differs from environment 0 ({expected}) in its observations or actions")]
    Mixed {
        /// The first that differs.
        index: usize,
        /// Name and observation of environment 0.
        expected: String,
        /// Name and observation of the one that differs.
        found: String,
    },
    /// The system refused a worker thread.
    #[error("cannot start environment threads; try fewer")]
    Threads(#[source] io::Error),
    /// One environment failed; the others did what they were asked.
    #[error("environment {index}: {source}")]
    Environment {
        /// Which one.
        index: usize,
        /// What it said.
        source: EnvironmentError,
    },
    /// One environment panicked, now or at an earlier step; the others did what they were asked. A reset may repair it.
    #[error("environment {index} panicked: {message}")]
    Panicked {
        /// Which one.
        index: usize,
        /// The panic's message.
        message: String,
    },
    /// The bytes are not the state of such a vector environment.
    #[error(transparent)]
    BadState(EnvironmentError),
}

/// What an environment is to do next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Task {
    Reset,
    Step(usize),
}

/// Whether an environment can be trusted with another step.
#[derive(Debug)]
pub(super) enum Condition {
    Sound,
    /// It panicked with this message; only a reset is worth trying.
    Panicked(String),
}

/// The observations of all environments, `[N, observation bytes]`, and those that their last episodes ended with.
pub(super) struct Batch {
    pub observations: Vec<u8>,
    pub last_observations: Vec<u8>,
    /// Bytes of one observation.
    bytes: usize,
}

impl Batch {
    pub fn new(environments: usize, bytes: usize) -> Self {
        let zeros = vec![0; environments * bytes];
        Self { observations: zeros.clone(), last_observations: zeros, bytes }
    }

    pub fn observation(&self, index: usize) -> &[u8] {
        &self.observations[index * self.bytes..][..self.bytes]
    }

    pub fn last_observation(&self, index: usize) -> &[u8] {
        &self.last_observations[index * self.bytes..][..self.bytes]
    }

    fn parts(&mut self, index: usize) -> (&mut [u8], &mut [u8]) {
        let part = index * self.bytes..(index + 1) * self.bytes;
        (&mut self.observations[part.clone()], &mut self.last_observations[part])
    }
}

/// One environment with what it needs to work on any thread.
pub(super) struct Slot {
    pub index: usize,
    pub environment: Box<dyn Environment>,
    pub condition: Condition,
    pub task: Task,
    pub outcome: Option<Result<VectorStep, VectorError>>,
    /// Where a worker has the environment write its observations; empty where the caller steps it.
    observation: Vec<u8>,
    last_observation: Vec<u8>,
}

impl Slot {
    pub fn new(index: usize, environment: Box<dyn Environment>) -> Self {
        Self {
            index,
            environment,
            condition: Condition::Sound,
            task: Task::Reset,
            outcome: None,
            observation: Vec::new(),
            last_observation: Vec::new(),
        }
    }

    /// Does the task and writes the observations into the batch.
    pub fn work_in(&mut self, batch: &mut Batch) {
        let (observation, last_observation) = batch.parts(self.index);
        self.outcome = Some(self.perform(observation, last_observation));
    }

    /// Does the task far from the batch; [`Slot::deliver`] has what it showed.
    pub fn work_apart(&mut self) {
        let bytes = self.environment.spec().observation.bytes();
        let mut observation = mem::take(&mut self.observation);
        let mut last_observation = mem::take(&mut self.last_observation);
        observation.resize(bytes, 0);
        last_observation.resize(bytes, 0);
        self.outcome = Some(self.perform(&mut observation, &mut last_observation));
        self.observation = observation;
        self.last_observation = last_observation;
    }

    /// Copies into the batch what [`Slot::work_apart`] had the environment write.
    pub fn deliver(&self, batch: &mut Batch) {
        let (observation, last_observation) = batch.parts(self.index);
        observation.copy_from_slice(&self.observation);
        if let Some(Ok(VectorStep { restart: Some(_), .. })) = &self.outcome {
            last_observation.copy_from_slice(&self.last_observation);
        }
    }

    /// Does the task; an episode that ends is followed by a reset, and its last observation is kept. Never unwinds.
    fn perform(&mut self, observation: &mut [u8], last_observation: &mut [u8]) -> Result<VectorStep, VectorError> {
        let index = self.index;
        if let (Task::Step(_), Condition::Panicked(message)) = (self.task, &self.condition) {
            return Err(VectorError::Panicked { index, message: message.clone() });
        }
        let (environment, task) = (&mut self.environment, self.task);
        // An environment that unwinds is not used again before a reset, so no broken invariant is seen.
        let result = panic::catch_unwind(AssertUnwindSafe(|| match task {
            Task::Reset => Ok(VectorStep { time_step: reset(environment.as_mut(), observation)?, restart: None }),
            Task::Step(action) => {
                let time_step = environment.step(action, observation)?;
                check(environment.as_ref(), &time_step, false)?;
                let restart = if time_step.step_type == StepType::Last {
                    last_observation.copy_from_slice(observation);
                    Some(reset(environment.as_mut(), observation)?)
                } else {
                    None
                };
                Ok(VectorStep { time_step, restart })
            }
        }));
        match result {
            Ok(answer) => {
                self.condition = Condition::Sound;
                answer.map_err(|source| VectorError::Environment { index, source })
            }
            Err(payload) => {
                let message = panic_message(payload);
                self.condition = Condition::Panicked(message.clone());
                Err(VectorError::Panicked { index, message })
            }
        }
    }
}

fn reset(environment: &mut dyn Environment, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
    let first = environment.reset(observation)?;
    check(environment, &first, true)?;
    Ok(first)
}

/// Refuses a time step that no agent could learn from: environments of other programs come here as well.
fn check(environment: &dyn Environment, step: &TimeStep, to_reset: bool) -> Result<(), EnvironmentError> {
    step.fault(to_reset).map_or(Ok(()), |fault| Err(environment.spec().contract(fault)))
}

fn panic_message(payload: Box<dyn Any + Send>) -> String {
    let message = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(message), _) => (*message).to_owned(),
        (_, Some(message)) => message.clone(),
        _ => "a panic without a message".to_owned(),
    };
    // What was thrown may itself panic when it is dropped, which must not end the thread that holds other environments.
    if let Err(another) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(another);
    }
    message
}
