//! What is drawn, and how often, against probabilities worked out from the formulas.

use std::collections::VecDeque;

use prism_environment::{Generator, Seed, StepType};
use proptest::prelude::*;
use rand::RngExt;

use super::super::{PrioritySpread, Replay, ReplayConfig, Sampling};
use super::{FRAME_BYTES, config, contents, reloaded, time_step};
use crate::batch::Batch;
use crate::transition::TransitionId;

const PROPORTIONAL: Sampling = Sampling::Proportional { exponent: 0.6 };
const RANK_BASED: Sampling = Sampling::RankBased { exponent: 0.7 };

/// Updates some transitions, several of them perhaps twice, some of them gone, with priorities that are often equal.
pub(in super::super) fn update_some(replay: &mut Replay, generator: &mut Generator) {
    let newest = replay.living().end.0;
    if newest == 0 {
        return;
    }
    let count = generator.random_range(0..6);
    let ids: Vec<_> = (0..count).map(|_| TransitionId(generator.random_range(0..newest))).collect();
    let priorities: Vec<_> = (0..count).map(|_| f32::from(generator.random_range(0..40u8)) / 4.0).collect();
    replay.update_priorities(&ids, &priorities);
}

/// A replay through which `added` one-step transitions have gone, the i-th with reward i.
fn numbered(capacity: usize, sampling: Sampling, added: usize) -> Replay {
    let mut replay = Replay::new(ReplayConfig { sampling, ..config(capacity, 1, 1, 1) }).unwrap();
    replay.begin(0, &[0; FRAME_BYTES]);
    for i in 0..added {
        add(&mut replay, i as f32);
    }
    replay
}

fn add(replay: &mut Replay, reward: f32) {
    replay.add(0, 0, &time_step(StepType::Mid, reward, 1.0), &[7; FRAME_BYTES]).unwrap();
}

fn living(replay: &Replay) -> Vec<TransitionId> {
    (replay.living().start.0..replay.living().end.0).map(TransitionId).collect()
}

fn draw(replay: &Replay, size: usize, importance_exponent: f64, generator: &mut Generator) -> Batch {
    let mut batch = Batch::new(size, FRAME_BYTES);
    replay.sample_into(&mut batch, importance_exponent, generator);
    batch
}

/// Distance of the frequencies of ids, drawn in batches, from these probabilities of the living ones, oldest first.
fn chi_squared(replay: &Replay, probabilities: &[f64], batches: usize, size: usize) -> f64 {
    let mut counts = vec![0u32; probabilities.len()];
    let mut generator = Seed(11).generator();
    for _ in 0..batches {
        for id in draw(replay, size, 0.5, &mut generator).ids {
            counts[(id.0 - replay.living().start.0) as usize] += 1;
        }
    }
    let draws = (batches * size) as f64;
    let terms =
        counts.iter().zip(probabilities).map(|(&count, p)| (f64::from(count) - draws * p).powi(2) / (draws * p));
    terms.sum()
}

/// Checks 37 frequencies. Draws of one are independent, draws of a batch are spread more evenly than that.
fn assert_frequencies(replay: &Replay, probabilities: &[f64]) {
    // Quantiles 0.0005 and 0.9995 with 36 degrees of freedom (Wilson and Hilferty 1931).
    let independent = chi_squared(replay, probabilities, 40_000, 1);
    assert!((14.3..70.7).contains(&independent), "chi-squared of single draws is {independent}");
    let stratified = chi_squared(replay, probabilities, 1_250, 32);
    assert!(stratified < 70.7, "chi-squared of batches is {stratified}");
}

fn normalised(masses: Vec<f64>) -> Vec<f64> {
    let total: f64 = masses.iter().sum();
    masses.into_iter().map(|mass| mass / total).collect()
}

/// Priorities in no order, none of them twice.
fn scattered(count: usize) -> Vec<f32> {
    (0..count).map(|i| 0.1 + ((i * 17) % 37) as f32 / 4.0).collect()
}

/// 37 transitions, in a ring that has gone round, and the priorities they were given.
fn with_priorities(sampling: Sampling) -> (Replay, Vec<f32>) {
    let mut replay = numbered(37, sampling, 100);
    let priorities = scattered(37);
    replay.update_priorities(&living(&replay), &priorities);
    (replay, priorities)
}

fn proportions(priorities: &[f32], exponent: f64) -> Vec<f64> {
    normalised(priorities.iter().map(|&priority| f64::from(priority).powf(exponent)).collect())
}

fn rank_probabilities(priorities: &[f32], exponent: f64) -> Vec<f64> {
    let rank = |of: &f32| 1 + priorities.iter().filter(|&other| other > of).count();
    normalised(priorities.iter().map(|priority| (1.0 / rank(priority) as f64).powf(exponent)).collect())
}

#[test]
fn proportional_draws_follow_the_powers_of_priorities() {
    let (replay, priorities) = with_priorities(PROPORTIONAL);
    assert_frequencies(&replay, &proportions(&priorities, 0.6));
}

#[test]
fn rank_based_draws_follow_the_powers_of_ranks() {
    // As many changes as transitions: the ranks have just been sorted.
    let (replay, priorities) = with_priorities(RANK_BASED);
    assert_frequencies(&replay, &rank_probabilities(&priorities, 0.7));
}

#[test]
fn an_exponent_of_0_draws_uniformly() {
    for sampling in [Sampling::Proportional { exponent: 0.0 }, Sampling::RankBased { exponent: 0.0 }] {
        let (replay, _) = with_priorities(sampling);
        assert_frequencies(&replay, &[1.0 / 37.0; 37]);
    }
}

#[test]
fn a_batch_takes_one_from_each_part() {
    let replay = numbered(32, PROPORTIONAL, 50);
    let mut generator = Seed(3).generator();
    for _ in 0..100 {
        let mut ids = draw(&replay, 32, 0.4, &mut generator).ids;
        ids.sort_unstable();
        assert_eq!(ids, living(&replay));
    }
}

#[test]
fn importance_weights_are_those_of_the_formula() {
    for sampling in [PROPORTIONAL, RANK_BASED] {
        let (replay, priorities) = with_priorities(sampling);
        let probabilities = match sampling {
            Sampling::RankBased { exponent } => rank_probabilities(&priorities, exponent),
            _ => proportions(&priorities, 0.6),
        };
        for exponent in [0.0, 0.4, 1.0] {
            let batch = draw(&replay, 16, exponent, &mut Seed(7).generator());
            let probability = |id: &TransitionId| probabilities[(id.0 - replay.living().start.0) as usize];
            let weights: Vec<f64> = batch.ids.iter().map(|id| (37.0 * probability(id)).powf(-exponent)).collect();
            let largest = weights.iter().copied().fold(0.0, f64::max);
            for (actual, weight) in batch.importance_weights.iter().zip(weights) {
                assert!((f64::from(*actual) - weight / largest).abs() < 1e-6, "{actual} is not {weight} / {largest}");
            }
        }
    }
}

/// Adds up priorities, slot by slot, for every draw.
struct NaivePriorities {
    capacity: usize,
    largest: f64,
    /// Of the living, oldest first.
    priorities: VecDeque<f64>,
    first: u64,
}

impl NaivePriorities {
    fn add(&mut self) {
        if self.priorities.len() == self.capacity {
            self.priorities.pop_front();
            self.first += 1;
        }
        self.priorities.push_back(self.largest);
    }

    fn update(&mut self, id: TransitionId, priority: f32) {
        let index = id.0.checked_sub(self.first).map(|index| index as usize);
        if let Some(kept) = index.and_then(|index| self.priorities.get_mut(index)) {
            *kept = f64::from(priority);
            self.largest = self.largest.max(*kept);
        }
    }

    fn total(&self) -> f64 {
        self.priorities.iter().sum()
    }

    fn find(&self, target: f64) -> TransitionId {
        let mut ids: Vec<u64> = (self.first..).take(self.priorities.len()).collect();
        ids.sort_by_key(|id| id % self.capacity as u64);
        let mut sum = 0.0;
        let passed = ids.into_iter().find(|id| {
            sum += self.priorities[(id - self.first) as usize];
            sum > target
        });
        TransitionId(passed.unwrap())
    }
}

proptest! {
    // Whole priorities and an exponent of 1 add up without rounding, so both must draw the same.
    #[test]
    fn the_sum_tree_draws_what_adding_up_draws(
        seed: u64,
        capacity in 1..40usize,
        operations in prop::collection::vec((0..4usize, prop::collection::vec((any::<u32>(), 0..5u8), 0..12)), 1..100),
    ) {
        let sampling = Sampling::Proportional { exponent: 1.0 };
        let mut replay = numbered(capacity, sampling, 0);
        let mut naive = NaivePriorities { capacity, largest: 1.0, priorities: VecDeque::new(), first: 0 };
        let mut generators = [Seed(seed).generator(), Seed(seed).generator()];
        for (additions, updates) in operations {
            for _ in 0..additions {
                add(&mut replay, 0.0);
                naive.add();
            }
            prop_assert_eq!(replay.len(), naive.priorities.len());
            if replay.is_empty() {
                continue;
            }
            // Of all that ever were, the living more often than not.
            let newest = replay.living().end.0;
            let ids: Vec<_> =
                updates.iter().map(|&(back, _)| TransitionId(newest - 1 - u64::from(back) % newest.min(60))).collect();
            let priorities: Vec<_> = updates.iter().map(|&(_, priority)| f32::from(priority)).collect();
            replay.update_priorities(&ids, &priorities);
            ids.iter().zip(&priorities).for_each(|(&id, &priority)| naive.update(id, priority));
            prop_assert_eq!(replay.check_valid(), Ok(()));

            let total = naive.total();
            if total == 0.0 {
                continue;
            }
            let batch = draw(&replay, 8, 1.0, &mut generators[0]);
            let part = total / 8.0;
            let expected: Vec<_> =
                (0..8).map(|k| naive.find(part * (f64::from(k) + generators[1].random::<f64>()))).collect();
            prop_assert_eq!(batch.ids, expected);
        }
    }

    #[test]
    fn ranks_follow_any_operations(
        capacity in 1..40usize,
        seed: u64,
    ) {
        let mut replay = numbered(capacity, RANK_BASED, 0);
        let mut generator = Seed(seed).generator();
        for _ in 0..200 {
            add(&mut replay, 0.0);
            update_some(&mut replay, &mut generator);
            prop_assert_eq!(replay.check_valid(), Ok(()));
        }
    }
}

#[test]
fn a_new_transition_gets_the_largest_priority_ever_seen() {
    for sampling in [PROPORTIONAL, RANK_BASED] {
        let mut replay = numbered(4, sampling, 2);
        assert_eq!(replay.priority_spread(), Some(PrioritySpread { min: 1.0, mean: 1.0, max: 1.0, largest_seen: 1.0 }));
        replay.update_priorities(&[TransitionId(0), TransitionId(1)], &[8.0, 0.5]);
        replay.update_priorities(&[TransitionId(0)], &[2.0]);
        add(&mut replay, 0.0);
        assert_eq!(replay.priority_spread(), Some(PrioritySpread { min: 0.5, mean: 3.5, max: 8.0, largest_seen: 8.0 }));
    }
}

#[test]
fn the_last_of_several_priorities_counts_and_the_evicted_are_ignored() {
    for sampling in [PROPORTIONAL, RANK_BASED] {
        let mut replay = numbered(2, sampling, 4);
        let ids = [0, 2, 3, 2, 1].map(TransitionId);
        replay.update_priorities(&ids, &[90.0, 5.0, 2.0, 3.0, 80.0]);
        assert_eq!(replay.priority_spread(), Some(PrioritySpread { min: 2.0, mean: 2.5, max: 3.0, largest_seen: 5.0 }));
        assert_eq!(replay.check_valid(), Ok(()));
    }
}

#[test]
fn priorities_of_0_are_drawn_only_when_there_are_no_others() {
    let mut replay = numbered(20, PROPORTIONAL, 20);
    let ids = living(&replay);
    let mut priorities = [0.0; 20];
    priorities[13] = 1e-30;
    replay.update_priorities(&ids, &priorities);
    let batch = draw(&replay, 64, 1.0, &mut Seed(1).generator());
    assert_eq!(batch.ids, [TransitionId(13); 64]);

    replay.update_priorities(&[TransitionId(13)], &[-0.0]);
    let batch = draw(&replay, 640, 1.0, &mut Seed(1).generator());
    assert!(ids.iter().all(|id| batch.ids.contains(id)));
    assert_eq!(batch.importance_weights, [1.0; 640]);
}

#[test]
fn a_priority_of_minus_0_is_one_of_0() {
    for sampling in [PROPORTIONAL, RANK_BASED] {
        let mut replay = numbered(2, sampling, 2);
        replay.update_priorities(&living(&replay), &[-0.0, 1.0]);
        let batch = draw(&replay, 1_000, 0.0, &mut Seed(1).generator());
        let second = batch.ids.iter().filter(|&&id| id == TransitionId(1)).count();
        assert!(second > 500, "{sampling:?} draws {second} of 1000 from the one with priority 1");
        assert!(reloaded(&replay).is_ok());
    }
}

#[test]
fn uniform_sampling_has_no_priorities() {
    let mut replay = numbered(10, Sampling::Uniform, 10);
    let before = replay.memory_bytes();
    replay.update_priorities(&living(&replay), &[5.0; 10]);
    assert_eq!(replay.priority_spread(), None);
    assert_eq!(replay.memory_bytes(), before);
    assert!(numbered(10, PROPORTIONAL, 10).memory_bytes() > before);
}

#[test]
fn an_empty_replay_has_no_spread() {
    assert_eq!(numbered(10, PROPORTIONAL, 0).priority_spread(), None);
}

#[test]
fn a_huge_capacity_costs_nothing_until_it_fills() {
    let bytes = |sampling| numbered(1_000_000_000, sampling, 1_024).memory_bytes();
    let uniform = bytes(Sampling::Uniform);
    for sampling in [PROPORTIONAL, RANK_BASED] {
        let more = (bytes(sampling) - uniform) / 1_024;
        assert!((20..=40).contains(&more), "{sampling:?} takes {more} bytes a transition");
    }
}

#[test]
fn a_rewarded_transition_is_stored_several_times() {
    let mut replay = numbered(6, Sampling::CopyRewarded { copies: 2, above: 0.5 }, 0);
    for reward in [0.5, 1.0, -1.0] {
        add(&mut replay, reward);
    }
    let returns = |replay: &Replay| -> Vec<f32> { contents(replay).iter().map(|whole| whole.n_step_return).collect() };
    assert_eq!(returns(&replay), [0.5, 1.0, 1.0, 1.0, -1.0]);
    // Copies leave one by one.
    for reward in [0.0, 0.1, 0.2] {
        add(&mut replay, reward);
    }
    assert_eq!(returns(&replay), [1.0, 1.0, -1.0, 0.0, 0.1, 0.2]);
    assert_eq!(replay.living(), TransitionId(2)..TransitionId(8));
}

#[test]
#[should_panic(expected = "the importance exponent is 1.5")]
fn an_importance_exponent_above_1_is_refused() {
    draw(&numbered(10, Sampling::Uniform, 10), 1, 1.5, &mut Seed(0).generator());
}

#[test]
#[should_panic(expected = "the priority of transition 3 is NaN")]
fn a_priority_that_is_not_a_number_is_refused() {
    numbered(10, PROPORTIONAL, 10).update_priorities(&[TransitionId(2), TransitionId(3)], &[1.0, f32::NAN]);
}

#[test]
#[should_panic(expected = "the priority of transition 2 is -0.5")]
fn a_negative_priority_is_refused() {
    numbered(10, RANK_BASED, 10).update_priorities(&[TransitionId(2)], &[-0.5]);
}

#[test]
#[should_panic(expected = "transition 10 cannot have a priority: it was never added")]
fn a_priority_of_no_transition_is_refused() {
    numbered(10, PROPORTIONAL, 10).update_priorities(&[TransitionId(10)], &[1.0]);
}

#[test]
#[should_panic(expected = "ids and priorities differ in number")]
fn priorities_without_ids_are_refused() {
    numbered(10, PROPORTIONAL, 10).update_priorities(&[TransitionId(1)], &[1.0, 2.0]);
}
