//! Many environments stepped on several threads, their observations in one batch buffer.

pub mod step;
mod workers;

use std::fmt;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use self::step::{Batch, Condition, Slot, Task, VectorError, VectorStep};
use self::workers::Workers;
use crate::environment::{Environment, EnvironmentError, EnvironmentSpec};
use crate::seed::Seed;
use crate::state;
use crate::time_step::TimeStep;

/// `N` environments of one kind, stepped together on a fixed number of threads.
///
/// An environment whose episode ends is reset in the same call. What the environments answer does not depend on the
/// number of threads. An environment that panics, on whatever thread, is an error that names it.
///
/// The thread that calls is one of the threads: it steps environments while it waits, and with one thread there are no
/// others. Threads with nothing to do sleep.
pub struct VectorEnvironment {
    spec: EnvironmentSpec,
    /// In the order of their indices.
    slots: Vec<Slot>,
    batch: Batch,
    steps: Vec<VectorStep>,
    workers: Workers,
}

#[derive(Serialize, Deserialize)]
struct State {
    environments: Vec<Vec<u8>>,
    observations: Vec<u8>,
}

impl VectorEnvironment {
    /// Takes environments that agree in their observations and actions. There are never more threads than
    /// environments.
    ///
    /// # Errors
    /// Without environments, with environments of different kinds or such as [`EnvironmentSpec::check`] refuses, and when no
    /// thread can be started.
    pub fn new(environments: Vec<Box<dyn Environment>>, threads: NonZeroUsize) -> Result<Self, VectorError> {
        let spec = environments.first().ok_or(VectorError::NoEnvironments)?.spec().clone();
        let describe = |spec: &EnvironmentSpec| {
            format!("{}, observations {}, {} actions", spec.name, spec.observation, spec.actions.len())
        };
        for (index, environment) in environments.iter().enumerate() {
            let found = environment.spec();
            if found.observation != spec.observation || found.actions != spec.actions {
                return Err(VectorError::Mixed { index, expected: describe(&spec), found: describe(found) });
            }
            found.check().map_err(VectorError::NotMade)?;
        }
        let count = environments.len();
        Ok(Self {
            slots: environments.into_iter().enumerate().map(|(index, it)| Slot::new(index, it)).collect(),
            batch: Batch::new(count, spec.observation.bytes()),
            steps: vec![VectorStep { time_step: TimeStep::first(0), restart: None }; count],
            workers: Workers::new(threads.get().min(count), count).map_err(VectorError::Threads)?,
            spec,
        })
    }

    /// Makes `count` environments, each from its own seed derived from `seed` and its index:
    /// `|seed| Ok(Box::new(Catch::new(seed)))`.
    ///
    /// # Errors
    /// [`VectorError::NotMade`] with what `make` answers, and the errors of [`VectorEnvironment::new`].
    pub fn from_seed(
        count: NonZeroUsize,
        threads: NonZeroUsize,
        seed: Seed,
        mut make: impl FnMut(Seed) -> Result<Box<dyn Environment>, EnvironmentError>,
    ) -> Result<Self, VectorError> {
        let environments: Result<_, _> =
            (0..count.get()).map(|index| make(seed.derive("environment", index as u64))).collect();
        Self::new(environments.map_err(VectorError::NotMade)?, threads)
    }

    /// Observations and actions of every environment; the name is that of the first.
    pub fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    /// How many environments there are; never 0.
    #[expect(clippy::len_without_is_empty, reason = "a vector environment is never empty")]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Threads that step environments, the caller's included.
    pub fn threads(&self) -> usize {
        self.workers.threads()
    }

    /// Starts an episode in every environment and returns their First time steps.
    ///
    /// # Errors
    /// That of the first environment that cannot start; the others have started.
    pub fn reset(&mut self) -> Result<&[VectorStep], VectorError> {
        self.perform_all(|_| Task::Reset)
    }

    /// Takes one agent step in every environment and returns what they answered, in order.
    ///
    /// # Errors
    /// An action that does not exist is refused before any environment is stepped. Otherwise the error is that of the
    /// first environment that failed: the others have taken their step, which [`steps`](Self::steps) shows.
    ///
    /// # Panics
    /// When there is not one action per environment.
    pub fn step(&mut self, actions: &[usize]) -> Result<&[VectorStep], VectorError> {
        assert_eq!(actions.len(), self.len(), "step needs one action per environment");
        for (index, &action) in actions.iter().enumerate() {
            if action >= self.spec.actions.len() {
                return Err(VectorError::Environment { index, source: self.spec.unknown_action(action) });
            }
        }
        self.perform_all(|index| Task::Step(actions[index]))
    }

    /// What each environment answered last to [`step`](Self::step) or [`reset`](Self::reset).
    pub fn steps(&self) -> &[VectorStep] {
        &self.steps
    }

    /// The current observations of all environments, `[N, observation bytes]`.
    pub fn observations(&self) -> &[u8] {
        &self.batch.observations
    }

    /// The current observation of one environment; after an episode's end, the first of the next.
    ///
    /// # Panics
    /// When there is no such environment.
    pub fn observation(&self, index: usize) -> &[u8] {
        self.batch.observation(index)
    }

    /// The observation with which the environment's last episode ended, to be read after a step that was Last.
    ///
    /// # Panics
    /// When there is no such environment.
    pub fn last_observation(&self, index: usize) -> &[u8] {
        self.batch.last_observation(index)
    }

    /// States of all environments and their current observations. Not part of it: [`steps`](Self::steps) and
    /// [`last_observation`](Self::last_observation).
    ///
    /// # Errors
    /// When an environment cannot be saved, or panicked and was not reset since.
    pub fn save_state(&self) -> Result<Vec<u8>, VectorError> {
        let environments = self.slots.iter().map(|slot| match &slot.condition {
            Condition::Sound => save(slot),
            Condition::Panicked(message) => Err(VectorError::Panicked { index: slot.index, message: message.clone() }),
        });
        let state = State {
            environments: environments.collect::<Result<_, _>>()?,
            observations: self.batch.observations.clone(),
        };
        Ok(state::encode(&self.label(), &state))
    }

    /// Continues from a state of [`save_state`](Self::save_state) of as many environments with the same configuration;
    /// the number of threads may differ.
    ///
    /// # Errors
    /// When the bytes are not such a state; nothing has changed then.
    pub fn load_state(&mut self, bytes: &[u8]) -> Result<(), VectorError> {
        let (environments, length) = (self.len(), self.batch.observations.len());
        let state = state::decode(&self.label(), bytes, |state: &State| {
            if state.environments.len() != environments || state.observations.len() != length {
                let found = (state.environments.len(), state.observations.len());
                return Err(format!("it has {} environments and {} observation bytes", found.0, found.1));
            }
            Ok(())
        })
        .map_err(VectorError::BadState)?;
        let before = self.slots.iter().map(save).collect::<Result<Vec<_>, _>>()?;
        for index in 0..environments {
            if let Err(source) = self.slots[index].environment.load_state(&state.environments[index]) {
                for (slot, before) in self.slots.iter_mut().zip(&before[..index]) {
                    let restored = slot.environment.load_state(before);
                    restored.expect("an environment loads the state it has just saved");
                }
                return Err(VectorError::Environment { index, source });
            }
        }
        for slot in &mut self.slots {
            slot.condition = Condition::Sound;
        }
        self.batch.observations = state.observations;
        Ok(())
    }

    fn perform_all(&mut self, task: impl Fn(usize) -> Task) -> Result<&[VectorStep], VectorError> {
        for slot in &mut self.slots {
            slot.task = task(slot.index);
        }
        self.workers.run(&mut self.slots, &mut self.batch);
        let mut first_error = None;
        for (slot, step) in self.slots.iter_mut().zip(&mut self.steps) {
            match slot.outcome.take().expect("every environment has done its task") {
                Ok(answer) => *step = answer,
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(&self.steps), Err)
    }

    fn label(&self) -> String {
        format!("a vector of {} environments like {}", self.len(), self.spec.name)
    }
}

fn save(slot: &Slot) -> Result<Vec<u8>, VectorError> {
    slot.environment.save_state().map_err(|source| VectorError::Environment { index: slot.index, source })
}

impl fmt::Debug for VectorEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VectorEnvironment")
            .field("spec", &self.spec)
            .field("len", &self.len())
            .field("threads", &self.threads())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
