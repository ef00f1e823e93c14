//! Many environments stepped on several threads, their observations in one batch buffer.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;

use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::crew::{Condition, Crew, Slot, Task};
use crate::state;
use crate::{Environment, EnvironmentError, EnvironmentSpec, Seed, TimeStep};

/// What one environment of a [`VectorEnvironment`] answered to an action or a reset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VectorStep {
    /// The environment's own answer.
    pub time_step: TimeStep,
    /// After a Last time step the environment was reset in the same call, and this is the First time step of the new
    /// episode: [`VectorEnvironment::observation`] is the new episode's,
    /// [`VectorEnvironment::last_observation`] the ended one's.
    pub restart: Option<TimeStep>,
}

/// A step that [`VectorEnvironment::recv`] found finished.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReadyStep {
    /// Which environment took it.
    pub index: usize,
    /// What it answered.
    pub step: VectorStep,
}

/// Why a vector environment could not be built, or which of its environments failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VectorError {
    /// There is nothing to step.
    #[error("a vector environment needs at least one environment, not 0")]
    NoEnvironments,
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

/// `N` environments of one kind, stepped together or first-ready, on a fixed number of threads.
///
/// Step them all with [`step`](Self::step), or one by one with [`send`](Self::send) and [`recv`](Self::recv). Either
/// way an environment whose episode ends is reset in the same call. What the environments answer does not depend on the
/// number of threads; only the order of `recv` does.
///
/// The thread that calls is one of the threads: it steps environments while it waits, and with one thread there are no
/// others. Threads with nothing to do sleep.
pub struct VectorEnvironment {
    spec: EnvironmentSpec,
    /// `None` while an environment is in flight.
    slots: Vec<Option<Slot>>,
    /// The buffers `[N, observation bytes]`. While anything is in flight they are split among the slots, without
    /// copying, and are empty here.
    observations: BytesMut,
    last_observations: BytesMut,
    steps: Vec<VectorStep>,
    in_flight: usize,
    crew: Crew,
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
    /// Without environments, with environments of different kinds, and when no thread can be started.
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
        }
        let count = environments.len();
        let bytes = count * spec.observation.bytes();
        Ok(Self {
            slots: environments.into_iter().enumerate().map(|(i, e)| Some(Slot::new(i, e))).collect(),
            observations: BytesMut::zeroed(bytes),
            last_observations: BytesMut::zeroed(bytes),
            steps: vec![VectorStep { time_step: TimeStep::first(0), restart: None }; count],
            in_flight: 0,
            crew: Crew::new(threads.get().min(count), count).map_err(VectorError::Threads)?,
            spec,
        })
    }

    /// Makes `count` environments, each from its own seed derived from `seed` and its index.
    ///
    /// # Errors
    /// What `make` answers, and the errors of [`VectorEnvironment::new`].
    pub fn from_seed<E: From<VectorError>>(
        count: NonZeroUsize,
        threads: NonZeroUsize,
        seed: Seed,
        mut make: impl FnMut(Seed) -> Result<Box<dyn Environment>, E>,
    ) -> Result<Self, E> {
        let environments: Result<_, E> =
            (0..count.get()).map(|index| make(seed.derive("environment", index as u64))).collect();
        Ok(Self::new(environments?, threads)?)
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
        self.crew.threads()
    }

    /// How many environments have been sent an action and not been received since.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Starts an episode in every environment and returns their First time steps.
    ///
    /// # Errors
    /// That of the first environment that cannot start; the others have started.
    ///
    /// # Panics
    /// While environments are in flight.
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
    /// When there is not one action per environment, and while environments are in flight.
    pub fn step(&mut self, actions: &[usize]) -> Result<&[VectorStep], VectorError> {
        assert_eq!(actions.len(), self.len(), "step needs one action per environment");
        for (index, &action) in actions.iter().enumerate() {
            self.check_action(index, action)?;
        }
        self.perform_all(|index| Task::Step(actions[index]))
    }

    /// What each environment answered last to [`step`](Self::step) or [`reset`](Self::reset).
    pub fn steps(&self) -> &[VectorStep] {
        &self.steps
    }

    /// The current observations of all environments, `[N, observation bytes]`.
    ///
    /// # Panics
    /// While environments are in flight.
    pub fn observations(&self) -> &[u8] {
        self.assert_at_rest("the batch of observations");
        &self.observations
    }

    /// The current observation of one environment; after an episode's end, the first of the next.
    ///
    /// # Panics
    /// When there is no such environment or it is in flight.
    pub fn observation(&self, index: usize) -> &[u8] {
        self.part(index, &self.observations, |slot| &slot.observation)
    }

    /// The observation with which the environment's last episode ended, to be read after a step that was Last.
    ///
    /// # Panics
    /// When there is no such environment or it is in flight.
    pub fn last_observation(&self, index: usize) -> &[u8] {
        self.part(index, &self.last_observations, |slot| &slot.last_observation)
    }

    /// Has one environment take a step while the caller goes on. With one thread it is taken by
    /// [`recv`](Self::recv).
    ///
    /// # Errors
    /// An action that does not exist.
    ///
    /// # Panics
    /// When there is no such environment or it is in flight.
    pub fn send(&mut self, index: usize, action: usize) -> Result<(), VectorError> {
        self.check_action(index, action)?;
        assert!(self.slots[index].is_some(), "environment {index} is in flight: receive it before sending to it again");
        if self.in_flight == 0 {
            self.split_buffers();
        }
        let mut slot = self.slots[index].take().expect("checked above");
        slot.task = Task::Step(action);
        self.in_flight += 1;
        self.crew.send(slot);
        Ok(())
    }

    /// Waits for any of the environments in flight and returns its step.
    ///
    /// # Errors
    /// That of the environment received, which is at rest afterwards; the others go on.
    ///
    /// # Panics
    /// When nothing is in flight.
    pub fn recv(&mut self) -> Result<ReadyStep, VectorError> {
        assert!(self.in_flight > 0, "nothing is in flight: send an action before receiving");
        let mut slot = self.crew.receive();
        let index = slot.index;
        let outcome = slot.outcome.take().expect("a received slot has done its task");
        self.slots[index] = Some(slot);
        self.in_flight -= 1;
        if self.in_flight == 0 {
            self.join_buffers();
        }
        let step = outcome?;
        self.steps[index] = step;
        Ok(ReadyStep { index, step })
    }

    /// States of all environments and their current observations. Not part of it: [`steps`](Self::steps) and
    /// [`last_observation`](Self::last_observation).
    ///
    /// # Errors
    /// When an environment cannot be saved, or panicked and was not reset since.
    ///
    /// # Panics
    /// While environments are in flight.
    pub fn save_state(&self) -> Result<Vec<u8>, VectorError> {
        self.assert_at_rest("the state");
        let environments = self.slots().map(|slot| match &slot.condition {
            Condition::Sound => save(slot),
            Condition::Panicked(message) => Err(VectorError::Panicked { index: slot.index, message: message.clone() }),
        });
        let state =
            State { environments: environments.collect::<Result<_, _>>()?, observations: self.observations.to_vec() };
        Ok(state::encode(&self.label(), &state))
    }

    /// Continues from a state of [`save_state`](Self::save_state) of as many environments with the same configuration;
    /// the number of threads may differ.
    ///
    /// # Errors
    /// When the bytes are not such a state; nothing has changed then.
    ///
    /// # Panics
    /// While environments are in flight.
    pub fn load_state(&mut self, bytes: &[u8]) -> Result<(), VectorError> {
        self.assert_at_rest("the state");
        let (environments, length) = (self.len(), self.observations.len());
        let state = state::decode(&self.label(), bytes, |state: &State| {
            if state.environments.len() != environments || state.observations.len() != length {
                let found = (state.environments.len(), state.observations.len());
                return Err(format!("it has {} environments and {} observation bytes", found.0, found.1));
            }
            Ok(())
        })
        .map_err(VectorError::BadState)?;
        let before = self.slots().map(save).collect::<Result<Vec<_>, _>>()?;
        for index in 0..environments {
            let slot = self.slots[index].as_mut().expect("at rest");
            if let Err(source) = slot.environment.load_state(&state.environments[index]) {
                for (slot, before) in self.slots.iter_mut().flatten().zip(&before[..index]) {
                    let restored = slot.environment.load_state(before);
                    restored.expect("an environment loads the state it has just saved");
                }
                return Err(VectorError::Environment { index, source });
            }
        }
        for slot in self.slots.iter_mut().flatten() {
            slot.condition = Condition::Sound;
        }
        self.observations.copy_from_slice(&state.observations);
        Ok(())
    }

    fn perform_all(&mut self, task: impl Fn(usize) -> Task) -> Result<&[VectorStep], VectorError> {
        assert_eq!(self.in_flight, 0, "some environments are in flight: receive them before stepping all");
        for (index, slot) in self.slots.iter_mut().flatten().enumerate() {
            slot.task = task(index);
        }
        if self.crew.threads() == 1 {
            let bytes = self.spec.observation.bytes();
            for slot in self.slots.iter_mut().flatten() {
                let part = slot.index * bytes..(slot.index + 1) * bytes;
                let outcome = slot.perform(&mut self.observations[part.clone()], &mut self.last_observations[part]);
                slot.outcome = Some(outcome);
            }
        } else {
            self.split_buffers();
            self.crew.work_together(&mut self.slots);
            self.join_buffers();
        }
        let mut first_error = None;
        for (slot, step) in self.slots.iter_mut().flatten().zip(&mut self.steps) {
            match slot.outcome.take().expect("every slot has done its task") {
                Ok(answer) => *step = answer,
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(&self.steps), Err)
    }

    fn check_action(&self, index: usize, action: usize) -> Result<(), VectorError> {
        if action < self.spec.actions.len() {
            return Ok(());
        }
        Err(VectorError::Environment { index, source: self.spec.unknown_action(action) })
    }

    fn assert_at_rest(&self, what: &str) {
        assert_eq!(self.in_flight, 0, "{what} is only whole when nothing is in flight: receive first");
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().flatten()
    }

    fn part<'a>(&'a self, index: usize, whole: &'a BytesMut, held: impl Fn(&'a Slot) -> &'a BytesMut) -> &'a [u8] {
        let Some(slot) = &self.slots[index] else {
            panic!("environment {index} is in flight: receive it before reading its observation");
        };
        if self.in_flight > 0 {
            return held(slot);
        }
        let bytes = self.spec.observation.bytes();
        &whole[index * bytes..(index + 1) * bytes]
    }

    /// Gives each slot its parts of the batch buffers.
    fn split_buffers(&mut self) {
        let bytes = self.spec.observation.bytes();
        for slot in self.slots.iter_mut().flatten() {
            slot.observation = self.observations.split_to(bytes);
            slot.last_observation = self.last_observations.split_to(bytes);
        }
    }

    /// Puts the batch buffers together again: adjacent parts of one allocation join without copying.
    fn join_buffers(&mut self) {
        for slot in self.slots.iter_mut().flatten() {
            self.observations.unsplit(std::mem::take(&mut slot.observation));
            self.last_observations.unsplit(std::mem::take(&mut slot.last_observation));
        }
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
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use rand::RngExt;

    use super::*;
    use crate::{Catch, Element, Generator, ObservationSpec, StepType};

    fn count(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    fn catches(environments: usize, threads: usize) -> VectorEnvironment {
        VectorEnvironment::from_seed::<VectorError>(count(environments), count(threads), Seed(1), |seed| {
            Ok(Box::new(Catch::new(seed)))
        })
        .unwrap()
    }

    /// Counts its steps: the observation is episode and step number, the episode's length is drawn per episode.
    /// Action 1 panics, action 2 fails.
    struct Counter {
        spec: EnvironmentSpec,
        lengths: Generator,
        longest: u8,
        episode: u8,
        step: u8,
        length: u8,
    }

    impl Counter {
        fn boxed(longest: u8, seed: Seed) -> Box<dyn Environment> {
            let spec = EnvironmentSpec {
                name: "counter".into(),
                observation: ObservationSpec { stack: 1, frame: vec![2], element: Element::U8 },
                actions: ["count", "panic", "fail"].map(str::to_owned).to_vec(),
                frame_skip: 1,
            };
            Box::new(Self { spec, lengths: seed.generator(), longest, episode: 0, step: 0, length: 0 })
        }
    }

    impl Environment for Counter {
        fn spec(&self) -> &EnvironmentSpec {
            &self.spec
        }

        fn reset(&mut self, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
            self.length = self.lengths.random_range(1..=self.longest);
            self.episode = self.episode.wrapping_add(1);
            self.step = 0;
            observation.copy_from_slice(&[self.episode, 0]);
            Ok(TimeStep::first(u32::from(self.length)))
        }

        fn step(&mut self, action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
            assert!(action != 1, "told to panic at step {}", self.step);
            if action == 2 {
                return Err(EnvironmentError::NeedsReset { environment: "counter".into() });
            }
            self.step += 1;
            observation.copy_from_slice(&[self.episode, self.step]);
            let step_type = if self.step == self.length { StepType::Last } else { StepType::Mid };
            Ok(TimeStep { step_type, frames: 1, ..TimeStep::first(u32::from(self.length)) })
        }

        fn save_state(&self) -> Result<Vec<u8>, EnvironmentError> {
            Ok(vec![self.episode, self.step, self.length])
        }

        fn load_state(&mut self, bytes: &[u8]) -> Result<(), EnvironmentError> {
            match *bytes {
                [episode, step, length] if step < length => {
                    (self.episode, self.step, self.length) = (episode, step, length);
                    Ok(())
                }
                _ => Err(EnvironmentError::BadState { environment: "counter".into(), reason: format!("{bytes:?}") }),
            }
        }
    }

    fn counters(environments: usize, threads: usize, longest: u8) -> VectorEnvironment {
        VectorEnvironment::from_seed::<VectorError>(count(environments), count(threads), Seed(9), |seed| {
            Ok(Counter::boxed(longest, seed))
        })
        .unwrap()
    }

    fn play(vector: &mut VectorEnvironment, steps: usize) -> Vec<(Vec<VectorStep>, Vec<u8>)> {
        let mut actions = Seed(2).generator();
        (0..steps)
            .map(|_| {
                let chosen: Vec<usize> = (0..vector.len()).map(|_| actions.random_range(0..3)).collect();
                let answers = vector.step(&chosen).unwrap().to_vec();
                (answers, vector.observations().to_vec())
            })
            .collect()
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let mut single = catches(7, 1);
        single.reset().unwrap();
        let expected = play(&mut single, 50);
        assert!(expected.iter().flat_map(|(answers, _)| answers).any(|answer| answer.restart.is_some()));
        for threads in [2, 3, 20] {
            let mut vector = catches(7, threads);
            assert_eq!(vector.threads(), threads.min(7));
            vector.reset().unwrap();
            assert_eq!(play(&mut vector, 50), expected, "{threads} threads");
        }
    }

    #[test]
    fn environments_of_one_seed_differ_from_each_other() {
        let mut vector = catches(20, 1);
        vector.reset().unwrap();
        let firsts: BTreeSet<&[u8]> = vector.observations().chunks(50).collect();
        assert!(firsts.len() > 2, "all balls start in the same column");
    }

    #[test]
    fn the_batch_buffer_stays_where_it_is() {
        let mut vector = counters(6, 3, 4);
        vector.reset().unwrap();
        let place = vector.observations().as_ptr();
        for _ in 0..20 {
            vector.step(&[0; 6]).unwrap();
            assert_eq!(vector.observations().as_ptr(), place);
            for index in 0..6 {
                vector.send(index, 0).unwrap();
            }
            for _ in 0..6 {
                vector.recv().unwrap();
            }
            assert_eq!(vector.observations().as_ptr(), place);
        }
    }

    #[test]
    fn an_episode_that_ends_keeps_its_last_observation_and_starts_anew() {
        for threads in [1, 2] {
            let mut vector = counters(3, threads, 1);
            assert!(vector.reset().unwrap().iter().all(|step| step.time_step.step_type == StepType::First));
            let answers = vector.step(&[0; 3]).unwrap();
            for answer in answers {
                assert_eq!(answer.time_step.step_type, StepType::Last);
                assert_eq!(answer.restart, Some(TimeStep::first(1)));
            }
            for index in 0..3 {
                assert_eq!(vector.last_observation(index), [1, 1]);
                assert_eq!(vector.observation(index), [2, 0]);
            }
        }
    }

    #[test]
    fn a_panic_names_its_environment_and_leaves_the_others_alone() {
        for threads in [1, 2, 3] {
            let mut vector = counters(4, threads, 100);
            vector.reset().unwrap();
            vector.step(&[0; 4]).unwrap();
            let error = vector.step(&[0, 0, 1, 0]).unwrap_err();
            assert!(error.to_string().starts_with("environment 2 panicked: "), "{error}");
            assert!(error.to_string().ends_with("told to panic at step 1"), "{error}");
            assert_eq!([0, 1, 3].map(|index| vector.observation(index)[1]), [2; 3]);
            let again = vector.step(&[0; 4]).unwrap_err();
            assert!(matches!(again, VectorError::Panicked { index: 2, .. }));
            assert!(matches!(vector.save_state(), Err(VectorError::Panicked { index: 2, .. })));
            vector.reset().unwrap();
            vector.step(&[0; 4]).unwrap();
        }
    }

    #[test]
    fn an_error_names_the_first_environment_that_failed() {
        for threads in [1, 2] {
            let mut vector = counters(4, threads, 100);
            vector.reset().unwrap();
            let error = vector.step(&[0, 2, 0, 2]).unwrap_err();
            assert_eq!(error.to_string(), "environment 1: counter has no running episode: call reset first");
            assert_eq!([0, 2].map(|index| vector.observation(index)[1]), [1; 2]);
            vector.step(&[0; 4]).unwrap();
        }
    }

    #[test]
    fn an_unknown_action_is_refused_before_anything_moves() {
        let mut vector = counters(2, 2, 100);
        vector.reset().unwrap();
        let error = vector.step(&[0, 3]).unwrap_err();
        assert_eq!(error.to_string(), "environment 1: action 3 does not exist in counter: actions are 0 to 2");
        assert_eq!(vector.observation(0), [1, 0]);
        assert!(vector.send(0, 3).is_err());
        assert_eq!(vector.in_flight(), 0);
    }

    #[test]
    fn first_ready_stepping_returns_every_environment_and_its_failures() {
        for threads in [1, 2, 3] {
            let mut vector = counters(5, threads, 100);
            vector.reset().unwrap();
            for index in 0..5 {
                vector.send(index, usize::from(index == 3)).unwrap();
            }
            let mut seen = BTreeSet::new();
            for _ in 0..5 {
                seen.insert(match vector.recv() {
                    Ok(ready) => {
                        assert_eq!(vector.observation(ready.index), [1, 1]);
                        ready.index
                    }
                    Err(VectorError::Panicked { index: 3, .. }) => 3,
                    Err(error) => panic!("{error}"),
                });
            }
            assert_eq!(seen, BTreeSet::from([0, 1, 2, 3, 4]));
            assert_eq!(vector.in_flight(), 0);
        }
    }

    #[test]
    fn a_fast_environment_does_not_wait_for_a_slow_one() {
        struct Slow(Box<dyn Environment>, std::sync::mpsc::Receiver<()>);
        impl Environment for Slow {
            fn spec(&self) -> &EnvironmentSpec {
                self.0.spec()
            }
            fn reset(&mut self, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
                self.0.reset(observation)
            }
            fn step(&mut self, action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
                self.1.recv().unwrap();
                self.0.step(action, observation)
            }
            fn save_state(&self) -> Result<Vec<u8>, EnvironmentError> {
                self.0.save_state()
            }
            fn load_state(&mut self, bytes: &[u8]) -> Result<(), EnvironmentError> {
                self.0.load_state(bytes)
            }
        }
        let (release, wait) = std::sync::mpsc::channel();
        let slow = Box::new(Slow(Counter::boxed(100, Seed(0)), wait));
        let mut vector = VectorEnvironment::new(vec![slow, Counter::boxed(100, Seed(1))], count(2)).unwrap();
        vector.reset().unwrap();
        vector.send(0, 0).unwrap();
        // Only once the worker holds the slow environment is the caller sure to get the fast one.
        while vector.crew.waiting() > 0 {
            std::thread::yield_now();
        }
        for step in 1..50 {
            vector.send(1, 0).unwrap();
            assert_eq!(vector.recv().unwrap().index, 1);
            assert_eq!(vector.observation(1), [1, step]);
        }
        release.send(()).unwrap();
        assert_eq!(vector.recv().unwrap().index, 0);
    }

    #[test]
    fn impossible_vectors_are_refused() {
        assert!(matches!(VectorEnvironment::new(Vec::new(), count(1)), Err(VectorError::NoEnvironments)));
        let mixed: Vec<Box<dyn Environment>> = vec![Box::new(Catch::new(Seed(0))), Counter::boxed(1, Seed(0))];
        let error = VectorEnvironment::new(mixed, count(1)).unwrap_err().to_string();
        assert_eq!(
            error,
            "environment 1 (counter, observations 1x[2] U8, 3 actions) differs from environment 0 (catch, observations \
             1x[10, 5] U8, 3 actions) in its observations or actions"
        );
    }

    #[test]
    #[should_panic(expected = "environment 0 is in flight")]
    fn sending_twice_is_a_mistake() {
        let mut vector = counters(2, 1, 9);
        vector.reset().unwrap();
        vector.send(0, 0).unwrap();
        let _ = vector.send(0, 0);
    }

    #[test]
    #[should_panic(expected = "nothing is in flight")]
    fn receiving_what_was_not_sent_is_a_mistake() {
        let _ = counters(2, 2, 9).recv();
    }

    #[test]
    fn dropping_a_vector_in_flight_ends_its_threads() {
        let mut vector = counters(8, 3, 9);
        vector.reset().unwrap();
        for index in 0..8 {
            vector.send(index, 0).unwrap();
        }
        drop(vector);
    }

    #[test]
    fn a_loaded_state_continues_as_the_saved_vector_does() {
        let mut saved = catches(5, 2);
        saved.reset().unwrap();
        play(&mut saved, 13);
        let bytes = saved.save_state().unwrap();
        let mut loaded = catches(5, 1);
        loaded.load_state(&bytes).unwrap();
        assert_eq!(loaded.observations(), saved.observations());
        assert_eq!(play(&mut loaded, 40), play(&mut saved, 40));
        assert!(catches(4, 1).load_state(&bytes).unwrap_err().to_string().contains("a vector of 5 environments"));
        assert!(loaded.load_state(&bytes[..100]).is_err());
    }

    #[test]
    fn a_bad_state_of_one_environment_changes_none() {
        let mut vector = counters(3, 2, 9);
        vector.reset().unwrap();
        let before = vector.save_state().unwrap();
        let mut state: State = state::decode(&vector.label(), &before, |_| Ok(())).unwrap();
        state.environments[0] = vec![7, 1, 2];
        state.environments[2] = vec![1, 2];
        let error = vector.load_state(&state::encode(&vector.label(), &state)).unwrap_err();
        assert!(error.to_string().starts_with("environment 2: this saved state does not fit counter"), "{error}");
        assert_eq!(vector.save_state().unwrap(), before);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Against the same environments stepped by hand, with synchronous and first-ready phases in turn.
        #[test]
        fn any_mixture_of_stepping_equals_stepping_by_hand(
            environments in 1usize..9,
            threads in 1usize..5,
            longest in 1u8..6,
            phases in prop::collection::vec((prop::bool::ANY, 0u64..1000), 1..30),
        ) {
            let mut vector = counters(environments, threads, longest);
            let mut naive: Vec<_> = (0..environments as u64)
                .map(|index| Counter::boxed(longest, Seed(9).derive("environment", index)))
                .collect();
            let mut observations = vec![[0u8; 2]; environments];
            let mut last_observations = vec![[0u8; 2]; environments];
            vector.reset()?;
            for (environment, observation) in naive.iter_mut().zip(&mut observations) {
                environment.reset(observation)?;
            }
            for (all, choice) in phases {
                let chosen: Vec<usize> = (0..environments).filter(|i| all || (choice >> i) & 1 == 1).collect();
                let mut answers = Vec::new();
                if all {
                    answers.extend(vector.step(&vec![0; environments])?.iter().copied().enumerate());
                } else {
                    for &index in &chosen {
                        vector.send(index, 0)?;
                    }
                    for _ in &chosen {
                        let ready = vector.recv()?;
                        answers.push((ready.index, ready.step));
                    }
                    answers.sort_by_key(|(index, _)| *index);
                }
                prop_assert_eq!(answers.len(), chosen.len());
                for (&index, (answered, answer)) in chosen.iter().zip(answers) {
                    prop_assert_eq!(index, answered);
                    let time_step = naive[index].step(0, &mut observations[index])?;
                    let mut restart = None;
                    if time_step.step_type == StepType::Last {
                        last_observations[index] = observations[index];
                        restart = Some(naive[index].reset(&mut observations[index])?);
                    }
                    prop_assert_eq!(answer, VectorStep { time_step, restart });
                    prop_assert_eq!(vector.last_observation(index), last_observations[index]);
                }
                prop_assert_eq!(vector.observations(), observations.concat());
            }
        }
    }
}
