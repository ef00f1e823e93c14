use std::collections::BTreeSet;
use std::panic;

use proptest::prelude::*;
use rand::RngExt;

use super::*;
use crate::environment::{Element, ObservationSpec};
use crate::seed::Generator;
use crate::small::catch::Catch;
use crate::time_step::{Game, StepType};

fn count(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

fn catches(environments: usize, threads: usize) -> VectorEnvironment {
    VectorEnvironment::from_seed(count(environments), count(threads), Seed(1), |seed| Ok(Box::new(Catch::new(seed))))
        .unwrap()
}

/// Counts its steps: the observation is episode and step number, the episode's length is drawn per episode.
/// Action 1 panics, action 2 fails, action 3 panics with something that panics when it is dropped.
struct Counter {
    spec: EnvironmentSpec,
    lengths: Generator,
    longest: u8,
    episode: u8,
    step: u8,
    length: u8,
}

struct PanicsAgain;

impl Drop for PanicsAgain {
    fn drop(&mut self) {
        panic!("and once more");
    }
}

impl Counter {
    fn boxed(longest: u8, seed: Seed) -> Box<dyn Environment> {
        let spec = EnvironmentSpec {
            name: "counter".into(),
            observation: ObservationSpec { stack: 1, frame: vec![2], element: Element::U8 },
            actions: ["count", "panic", "fail", "panic twice"].map(str::to_owned).to_vec(),
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
        match action {
            1 => panic!("told to panic at step {}", self.step),
            2 => return Err(EnvironmentError::own("told to fail")),
            3 => panic::panic_any(PanicsAgain),
            _ => {}
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
    VectorEnvironment::from_seed(count(environments), count(threads), Seed(9), |seed| Ok(Counter::boxed(longest, seed)))
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
fn a_panic_whose_payload_panics_as_well_ends_no_thread() {
    for threads in [1, 2, 3] {
        let mut vector = counters(6, threads, 100);
        vector.reset().unwrap();
        for _ in 0..3 {
            let error = vector.step(&[3; 6]).unwrap_err();
            assert_eq!(error.to_string(), "environment 0 panicked: a panic without a message");
            vector.reset().unwrap();
        }
        assert_eq!(vector.step(&[0; 6]).unwrap().len(), 6);
    }
}

#[test]
fn an_environment_that_cannot_be_made_says_why() {
    let made = VectorEnvironment::from_seed(count(3), count(2), Seed(1), |_| Err(EnvironmentError::own("no board")));
    assert_eq!(made.unwrap_err().to_string(), "no board");
}

#[test]
fn an_error_names_the_first_environment_that_failed() {
    for threads in [1, 2] {
        let mut vector = counters(4, threads, 100);
        vector.reset().unwrap();
        let error = vector.step(&[0, 2, 0, 2]).unwrap_err();
        assert_eq!(error.to_string(), "environment 1: told to fail");
        assert_eq!([0, 2].map(|index| vector.observation(index)[1]), [1; 2]);
        vector.step(&[0; 4]).unwrap();
    }
}

#[test]
fn an_unknown_action_is_refused_before_anything_moves() {
    let mut vector = counters(2, 2, 100);
    vector.reset().unwrap();
    let error = vector.step(&[0, 4]).unwrap_err();
    assert_eq!(error.to_string(), "environment 1: action 4 does not exist in counter: it has 4, counted from 0");
    assert_eq!(vector.observation(0), [1, 0]);
}

#[test]
fn impossible_vectors_are_refused() {
    assert!(matches!(VectorEnvironment::new(Vec::new(), count(1)), Err(VectorError::NoEnvironments)));
    let mixed: Vec<Box<dyn Environment>> = vec![Box::new(Catch::new(Seed(0))), Counter::boxed(1, Seed(0))];
    let error = VectorEnvironment::new(mixed, count(1)).unwrap_err().to_string();
    assert_eq!(
        error,
        "environment 1 (counter, observations 1x[2] U8, 4 actions) differs from environment 0 (catch, observations \
         1x[10, 5] U8, 3 actions) in its observations or actions"
    );
}

/// An environment that answers whatever it was told to.
struct Told {
    spec: EnvironmentSpec,
    reset: TimeStep,
    step: TimeStep,
}

impl Environment for Told {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, _observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        Ok(self.reset)
    }

    fn step(&mut self, _action: usize, _observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        Ok(self.step)
    }
}

#[test]
fn an_environment_that_breaks_its_contract_is_an_error_that_says_how() {
    let (first, mid) = (TimeStep::first(0), TimeStep::after_action(0.0, Game::Running));
    let told = |reset, step, actions: &[&str], size| {
        let spec = EnvironmentSpec::single_frame("told", vec![size], Element::U8, actions);
        VectorEnvironment::new(vec![Box::new(Told { spec, reset, step })], count(1))
    };
    let answer = |reset, step| -> Result<(), String> {
        let mut vector = told(reset, step, &["go"], 1).unwrap();
        vector.reset().map_err(|error| error.to_string())?;
        vector.step(&[0]).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(answer(first, mid), Ok(()));
    let starts = "environment 0: told does not do what an environment must: ";
    for (reset, step, ends) in [
        (mid, mid, "it answered a reset with a Mid time step, which must be First"),
        (first, first, "it answered an action with a First time step, which must be Mid or Last"),
        (first, TimeStep { reward: f32::NAN, ..mid }, "its reward is NaN, its raw reward 0: rewards must be finite"),
        (first, TimeStep { discount: 1.5, ..mid }, "its discount is 1.5, which must lie between 0 and 1"),
        (first, TimeStep { discount: f32::NAN, ..mid }, "its discount is NaN, which must lie between 0 and 1"),
        (first, TimeStep { game: Game::Over, ..mid }, "its game is Over in a Mid time step, which must then be Last"),
        // What follows the end of an episode is a reset.
        (
            TimeStep { reward: f32::INFINITY, ..first },
            mid,
            "its reward is inf, its raw reward 0: rewards must be finite",
        ),
    ] {
        assert_eq!(answer(reset, step), Err(format!("{starts}{ends}")));
    }
    for (actions, size, why) in [
        (&[][..], 1, "it has no actions, and needs at least one"),
        (&["go"], 0, "its observations (1x[0] U8) have no bytes"),
    ] {
        let error = told(first, mid, actions, size).unwrap_err().to_string();
        assert_eq!(error, format!("told does not do what an environment must: {why}"));
    }
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
fn an_environment_without_saving_says_so() {
    let spec = EnvironmentSpec::single_frame("told", vec![1], Element::U8, &["go"]);
    let (reset, step) = (TimeStep::first(0), TimeStep::after_action(0.0, Game::Running));
    let vector = VectorEnvironment::new(vec![Box::new(Told { spec, reset, step })], count(1)).unwrap();
    let error = vector.save_state().unwrap_err().to_string();
    assert_eq!(error, "environment 0: the state of told can neither be saved nor loaded");
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

    /// Against the same environments stepped by hand.
    #[test]
    fn stepping_together_equals_stepping_by_hand(
        environments in 1usize..9,
        threads in 1usize..5,
        longest in 1u8..6,
        steps in 1usize..30,
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
        for _ in 0..steps {
            let answers = vector.step(&vec![0; environments])?.to_vec();
            for (index, answer) in answers.into_iter().enumerate() {
                let time_step = naive[index].step(0, &mut observations[index])?;
                let mut restart = None;
                if time_step.step_type == StepType::Last {
                    last_observations[index] = observations[index];
                    restart = Some(naive[index].reset(&mut observations[index])?);
                }
                prop_assert_eq!(answer, VectorStep { time_step, restart });
                prop_assert_eq!(vector.observation(index), observations[index]);
                prop_assert_eq!(vector.last_observation(index), last_observations[index]);
            }
            prop_assert_eq!(vector.observations(), observations.concat());
        }
    }
}
