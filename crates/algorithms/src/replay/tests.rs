//! The replay against one that stores whole observations.

pub(super) mod sampling;

use std::collections::VecDeque;

use prism_environment::{Element, Generator, ObservationSpec, Seed, StepType, TimeStep};
use proptest::prelude::*;
use rand::RngExt;

use super::saved::tests::reloaded;
use super::{Replay, ReplayConfig, ReplayError, Sampling};
use crate::batch::Batch;
use crate::transition::TransitionId;

const FRAME_BYTES: usize = 3;

pub(super) fn config(capacity: usize, streams: usize, stack: usize, n: u16) -> ReplayConfig {
    let observation = ObservationSpec { stack, frame: vec![1, FRAME_BYTES], element: Element::U8 };
    ReplayConfig { capacity, streams, observation, n, gamma: 0.5, sampling: Sampling::Uniform }
}

fn time_step(step_type: StepType, reward: f32, discount: f32) -> TimeStep {
    TimeStep { step_type, reward, discount, ..TimeStep::first(0) }
}

/// A transition with everything in it, as the naive replay keeps it and as a batch shows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Whole {
    id: TransitionId,
    observation: Vec<u8>,
    action: i32,
    n_step_return: f32,
    discount: f32,
    next_observation: Vec<u8>,
}

/// Stores every observation of a transition whole, and works out returns when an episode's steps are there to be summed.
/// Slow, large and obvious.
struct NaiveReplay {
    config: ReplayConfig,
    episodes: Vec<NaiveEpisode>,
    living: VecDeque<Whole>,
    next_id: u64,
}

/// The running episode of a stream.
#[derive(Clone, Default)]
struct NaiveEpisode {
    observations: Vec<Vec<u8>>,
    /// What followed each observation but the last.
    steps: Vec<(i32, TimeStep)>,
    /// How many of its starts have become transitions.
    taken: usize,
}

impl NaiveReplay {
    fn new(config: ReplayConfig) -> Self {
        Self { episodes: vec![NaiveEpisode::default(); config.streams], config, living: VecDeque::new(), next_id: 0 }
    }

    fn begin(&mut self, stream: usize, observation: &[u8]) {
        self.episodes[stream] = NaiveEpisode { observations: vec![observation.to_vec()], ..Default::default() };
    }

    fn add(&mut self, stream: usize, action: i32, step: &TimeStep, next_observation: &[u8]) {
        let NaiveEpisode { observations, steps, taken } = &mut self.episodes[stream];
        observations.push(next_observation.to_vec());
        steps.push((action, *step));
        let end = steps.len();
        let ends = step.step_type == StepType::Last || step.discount == 0.0;
        while *taken < end && (ends || end - *taken == usize::from(self.config.n)) {
            let (mut n_step_return, mut discount) = (0.0, 1.0);
            for (_, step) in &steps[*taken..] {
                n_step_return += discount * f64::from(step.reward);
                discount *= self.config.gamma * f64::from(step.discount);
            }
            let times = match self.config.sampling {
                Sampling::CopyRewarded { copies, above } if n_step_return > f64::from(above) => 1 + copies,
                _ => 1,
            };
            for _ in 0..times {
                self.living.push_back(Whole {
                    id: TransitionId(self.next_id),
                    observation: observations[*taken].clone(),
                    action: steps[*taken].0,
                    n_step_return: n_step_return as f32,
                    discount: discount as f32,
                    next_observation: observations[end].clone(),
                });
                self.next_id += 1;
            }
            *taken += 1;
        }
        while self.living.len() > self.config.capacity {
            self.living.pop_front();
        }
    }
}

/// Everything in the replay, oldest first.
pub(super) fn contents(replay: &Replay) -> Vec<Whole> {
    let bytes = replay.config.observation.bytes();
    let mut batch = Batch::new(replay.len(), bytes);
    let living = replay.living();
    for (id, number) in batch.ids.iter_mut().zip(living.start.0..living.end.0) {
        *id = TransitionId(number);
    }
    // A byte that `gather` left unwritten would differ from the naive replay's.
    batch.observations.fill(0xee);
    batch.next_observations.fill(0xee);
    replay.gather(&mut batch);
    wholes(&batch, bytes)
}

fn wholes(batch: &Batch, bytes: usize) -> Vec<Whole> {
    let whole = |i: usize| Whole {
        id: batch.ids[i],
        observation: batch.observations[i * bytes..(i + 1) * bytes].to_vec(),
        action: batch.actions[i],
        n_step_return: batch.returns[i],
        discount: batch.discounts[i],
        next_observation: batch.next_observations[i * bytes..(i + 1) * bytes].to_vec(),
    };
    (0..batch.size()).map(whole).collect()
}

/// Feeds replays with random episodes: each stream is a stack of random frames that moves on, episodes end by
/// termination or truncation, lives are lost, some resets begin with a full or partly full stack, some episodes are
/// abandoned.
#[derive(Clone)]
pub(super) struct Feed {
    config: ReplayConfig,
    generator: Generator,
    /// Per stream, the current observation of a running episode.
    running: Vec<Option<Vec<u8>>>,
}

impl Feed {
    pub(super) fn new(config: ReplayConfig, seed: u64) -> Self {
        let running = vec![None; config.streams];
        Self { config, generator: Seed(seed).generator(), running }
    }

    /// A frame, sometimes of zeros like a missing one.
    fn frame(&mut self) -> [u8; FRAME_BYTES] {
        if self.generator.random_bool(0.1) { [0; FRAME_BYTES] } else { self.generator.random() }
    }

    /// The next event: the stream, the action and its time step (none at a reset), and the observation.
    fn next(&mut self) -> (usize, Option<(i32, TimeStep)>, Vec<u8>) {
        let stream = self.generator.random_range(0..self.config.streams);
        let stack = self.config.observation.stack;
        let abandoned = self.generator.random_bool(0.02);
        let Some(mut observation) = self.running[stream].take().filter(|_| !abandoned) else {
            let real_frames = if self.generator.random_bool(0.7) { 1 } else { self.generator.random_range(1..=stack) };
            let mut observation = vec![0; (stack - real_frames) * FRAME_BYTES];
            for _ in 0..real_frames {
                observation.extend(self.frame());
            }
            self.running[stream] = Some(observation.clone());
            return (stream, None, observation);
        };
        observation.drain(..FRAME_BYTES);
        observation.extend(self.frame());
        let step_type = if self.generator.random_bool(0.15) { StepType::Last } else { StepType::Mid };
        let discount = [0.0, 0.5, 1.0, 1.0, 1.0, 1.0][self.generator.random_range(0..6)];
        let step = time_step(step_type, self.generator.random_range(-4..=4) as f32, discount);
        if step_type == StepType::Mid {
            self.running[stream] = Some(observation.clone());
        }
        (stream, Some((self.generator.random_range(0..18), step)), observation)
    }

    pub(super) fn feed(&mut self, replay: &mut Replay) {
        let (stream, step, observation) = self.next();
        match step {
            None => replay.begin(stream, &observation),
            Some((action, step)) => replay.add(stream, action as usize, &step, &observation).unwrap(),
        }
    }
}

/// A replay after `events` random events.
pub(super) fn filled(config: ReplayConfig, events: usize) -> Replay {
    let mut replay = Replay::new(config.clone()).unwrap();
    let mut feed = Feed::new(config, 5);
    for _ in 0..events {
        feed.feed(&mut replay);
    }
    replay
}

pub(super) fn any_sampling() -> impl Strategy<Value = Sampling> {
    prop_oneof![
        Just(Sampling::Uniform),
        (0.0..=1.0).prop_map(|exponent| Sampling::Proportional { exponent }),
        (0.0..=1.0).prop_map(|exponent| Sampling::RankBased { exponent }),
        (1..4u16, -1..3i8).prop_map(|(copies, above)| Sampling::CopyRewarded { copies, above: f32::from(above) }),
    ]
}

proptest! {
    #[test]
    fn it_holds_what_a_replay_of_whole_observations_holds(
        seed: u64,
        sampling in any_sampling(),
        capacity in 4..60usize,
        streams in 1..4usize,
        stack in 1..5usize,
        n in 1..5u16,
    ) {
        let config = ReplayConfig { sampling, ..config(capacity, streams, stack, n) };
        let mut replay = Replay::new(config.clone()).unwrap();
        let mut naive = NaiveReplay::new(config.clone());
        let mut feed = Feed::new(config.clone(), seed);
        for _ in 0..300 {
            let (stream, step, observation) = feed.next();
            match step {
                None => {
                    replay.begin(stream, &observation);
                    naive.begin(stream, &observation);
                }
                Some((action, step)) => {
                    replay.add(stream, action as usize, &step, &observation).unwrap();
                    naive.add(stream, action, &step, &observation);
                }
            }
            prop_assert_eq!(replay.check_valid(), Ok(()));
            prop_assert_eq!(contents(&replay), Vec::from(naive.living.clone()));
        }
    }
}

#[test]
fn a_sample_shows_what_the_replay_holds() {
    let replay = filled(config(50, 2, 4, 3), 500);
    let bytes = replay.config.observation.bytes();
    let mut batch = Batch::new(200, bytes);
    batch.importance_weights.fill(0.5);
    replay.sample_into(&mut batch, 0.5, &mut Seed(1).generator());
    let held = contents(&replay);
    for whole in wholes(&batch, bytes) {
        assert!(held.contains(&whole));
    }
    assert_eq!(batch.importance_weights, [1.0; 200]);
}

#[test]
fn every_living_transition_is_equally_likely() {
    // Odd numbers, and a ring that has gone round: the oldest is not the first ever.
    let replay = filled(config(37, 3, 2, 1), 400);
    assert_eq!(replay.len(), 37);
    let living = replay.living();
    assert!(living.start.0 > 37);
    let mut counts = [0u32; 37];
    let mut batch = Batch::new(37, replay.config.observation.bytes());
    let mut generator = Seed(11).generator();
    for _ in 0..1000 {
        replay.sample_into(&mut batch, 0.5, &mut generator);
        for id in &batch.ids {
            counts[(id.0 - living.start.0) as usize] += 1;
        }
    }
    let expected = 1000.0;
    let chi_squared: f64 = counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
    // Quantiles 0.0005 and 0.9995 with 36 degrees of freedom (Wilson and Hilferty 1931): uniform, and not too evenly so.
    assert!((14.3..70.7).contains(&chi_squared), "chi-squared is {chi_squared}");
}

#[test]
fn memory_follows_what_lives_not_what_has_passed() {
    let config = config(100, 3, 4, 3);
    let mut replay = Replay::new(config.clone()).unwrap();
    assert_eq!(replay.memory_bytes(), 0);
    let mut feed = Feed::new(config, 5);
    for _ in 0..2_000 {
        feed.feed(&mut replay);
    }
    let full = replay.memory_bytes();
    for _ in 0..20_000 {
        feed.feed(&mut replay);
    }
    assert!(replay.memory_bytes() <= full * 5 / 4, "{full} bytes have become {}", replay.memory_bytes());
}

#[test]
fn a_frame_of_a_transition_is_stored_once() {
    // 84x84x4 as one long episode: the promise is 7.3 kB per transition.
    let observation = ObservationSpec { stack: 4, frame: vec![84, 84], element: Element::U8 };
    let mut stacked = vec![0; observation.bytes()];
    let mut replay = Replay::new(ReplayConfig { observation, ..config(2_000, 1, 4, 1) }).unwrap();
    replay.begin(0, &stacked);
    for i in 0..5_000u32 {
        stacked.drain(..84 * 84);
        stacked.extend(std::iter::repeat_n(i as u8, 84 * 84));
        replay.add(0, 0, &time_step(StepType::Mid, 0.0, 1.0), &stacked).unwrap();
    }
    assert_eq!(replay.len(), 2_000);
    assert!(replay.memory_bytes() <= 2_000 * 7_300, "{} bytes", replay.memory_bytes());
}

#[test]
fn an_abandoned_episode_leaves_its_complete_transitions_only() {
    let mut replay = Replay::new(config(10, 1, 1, 2)).unwrap();
    replay.begin(0, &[1; 3]);
    for i in 2..=4 {
        replay.add(0, 0, &time_step(StepType::Mid, 1.0, 1.0), &[i; 3]).unwrap();
    }
    assert_eq!(replay.len(), 2);
    replay.begin(0, &[9; 3]);
    replay.add(0, 0, &time_step(StepType::Last, 1.0, 0.0), &[10; 3]).unwrap();
    assert_eq!(replay.len(), 3);
    assert_eq!(contents(&replay)[2].observation, [9; 3]);
}

#[test]
#[should_panic(expected = "an empty replay cannot be sampled")]
fn an_empty_replay_is_not_sampled() {
    let replay = Replay::new(config(10, 1, 1, 1)).unwrap();
    replay.sample_into(&mut Batch::new(1, FRAME_BYTES), 0.5, &mut Seed(0).generator());
}

#[test]
fn a_stack_that_is_not_shifted_is_refused_and_changes_nothing() {
    let mut replay = Replay::new(config(10, 2, 3, 1)).unwrap();
    replay.begin(1, &[0, 0, 0, 0, 0, 0, 1, 1, 1]);
    let error = replay.add(1, 0, &time_step(StepType::Mid, 0.0, 1.0), &[5, 5, 5, 1, 1, 1, 2, 2, 2]).unwrap_err();
    let expected = "environment 1: an observation of 3 frames is not the previous one shifted by one frame (frame 0, counted from 0)";
    assert_eq!(error.to_string(), expected);
    assert!(replay.is_empty());
    replay.add(1, 0, &time_step(StepType::Mid, 0.0, 1.0), &[0, 0, 0, 1, 1, 1, 2, 2, 2]).unwrap();
    assert_eq!(replay.len(), 1);
}

#[test]
#[should_panic(expected = "stream 0 has no running episode")]
fn a_step_after_the_last_is_refused() {
    let mut replay = Replay::new(config(10, 1, 1, 1)).unwrap();
    replay.begin(0, &[1; 3]);
    replay.add(0, 0, &time_step(StepType::Last, 0.0, 1.0), &[2; 3]).unwrap();
    replay.add(0, 0, &time_step(StepType::Mid, 0.0, 1.0), &[3; 3]).unwrap();
}

#[test]
#[should_panic(expected = "reward NaN and discount 1 must be finite")]
fn a_reward_that_is_not_a_number_is_refused() {
    let mut replay = Replay::new(config(10, 1, 1, 1)).unwrap();
    replay.begin(0, &[1; 3]);
    replay.add(0, 0, &time_step(StepType::Mid, f32::NAN, 1.0), &[2; 3]).unwrap();
}

#[test]
fn values_out_of_range_are_refused_by_name() {
    let good = config(10, 1, 4, 1);
    let with = |sampling| ReplayConfig { sampling, ..good.clone() };
    let proportional = |exponent| with(Sampling::Proportional { exponent });
    let bad = [
        (ReplayConfig { capacity: 0, ..good.clone() }, "capacity is 0"),
        (ReplayConfig { streams: 0, ..good.clone() }, "streams is 0"),
        (ReplayConfig { n: 0, ..good.clone() }, "n is 0"),
        (ReplayConfig { gamma: 1.5, ..good.clone() }, "gamma is 1.5"),
        (ReplayConfig { gamma: f64::NAN, ..good.clone() }, "gamma is NaN"),
        (config(10, 1, 256, 1), "observation stack is 256"),
        (config(10, 1, 0, 1), "observation stack is 0"),
        (proportional(-0.1), "priority exponent is -0.1"),
        (proportional(f64::NAN), "priority exponent is NaN"),
        (with(Sampling::RankBased { exponent: 1.5 }), "priority exponent is 1.5"),
        (
            ReplayConfig { capacity: 1 << 32, ..with(Sampling::RankBased { exponent: 0.5 }) },
            "capacity is 4294967296, it must be a 32-bit number where ranks are kept",
        ),
        (with(Sampling::CopyRewarded { copies: 0, above: 0.0 }), "copies of a rewarded transition is 0"),
        (with(Sampling::CopyRewarded { copies: 10, above: 0.0 }), "copies of a rewarded transition is 10"),
        (with(Sampling::CopyRewarded { copies: 5, above: f32::NAN }), "bound of rewarded returns is NaN"),
    ];
    for (config, message) in bad {
        let error = Replay::new(config).unwrap_err().to_string();
        assert!(error.contains(message), "{error:?} does not say {message:?}");
    }
}

#[test]
fn damage_is_found_and_named() {
    type Damage = fn(&mut Replay);
    let damages: [(Damage, &str); 7] = [
        (|replay| replay.transitions.record_mut(3).stream = 2, ": stream 2 does not exist"),
        (|replay| replay.transitions.record_mut(3).stored_frames = 0, "0 stored frames in a stack of 4"),
        (|replay| replay.transitions.record_mut(3).transition.steps = 4, "it spans 4 steps, n is 3"),
        (|replay| replay.transitions.record_mut(3).frame = u64::MAX, "is not among the stored"),
        (|replay| replay.transitions.record_mut(3).transition.discount = f32::NAN, "discount NaN"),
        (|replay| replay.streams[1].episode_start = Some(1_000_000), "stream 1: "),
        (|replay| replay.streams.truncate(1), "1 stream states"),
    ];
    for (damage, message) in damages {
        let mut replay = filled(config(40, 2, 4, 3), 500);
        damage(&mut replay);
        let Err(ReplayError::BadState { reason }) = replay.check_valid() else { panic!("{message:?} was not found") };
        assert!(reason.contains(message), "{reason:?} does not say {message:?}");
        assert!(reloaded(&replay).is_err(), "{message:?} was loaded");
    }
}
