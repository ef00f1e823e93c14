//! From a stream of time steps to n-step transitions.

use std::collections::VecDeque;

use prism_environment::{StepType, TimeStep};
use serde::{Deserialize, Serialize};

use crate::transition::Transition;

/// Turns the time steps of one environment into n-step transitions.
///
/// A transition that starts at step `t` and spans `m` steps has
///
/// ```text
/// return   = sum over k < m of (product over j < k of gamma * discount[t + j]) * reward[t + k]
/// discount = product over j < m of gamma * discount[t + j]
/// ```
///
/// (Sutton and Barto 2018, section 7.1; gamma to the n in the plain case.) `m` is n, or less when something ends before:
///
/// | time step | transitions that come out |
/// |---|---|
/// | Mid | the one that started n - 1 steps ago, once there is one |
/// | Mid with discount 0 | every open start: no later reward may count |
/// | Last with discount 0, a termination | every open start, with its shorter return and no bootstrap |
/// | Last with another discount, a truncation | every open start, bootstrapping from the last observation |
///
/// The `s'` of each is the observation that came with the time step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NStepAccumulator {
    n: u16,
    gamma: f64,
    open: VecDeque<OpenStart>,
}

/// A transition that still grows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct OpenStart {
    action: i32,
    /// In f64: rounded once, when the transition is complete, instead of at every step.
    n_step_return: f64,
    discount: f64,
    steps: u16,
}

impl NStepAccumulator {
    /// An accumulator of `n`-step transitions discounted by `gamma` per step.
    ///
    /// # Panics
    /// When `n` is 0 or `gamma` lies outside 0 to 1.
    pub fn new(n: u16, gamma: f64) -> Self {
        assert!(n > 0, "transitions of 0 steps do not exist: n must be at least 1");
        assert!((0.0..=1.0).contains(&gamma), "gamma is {gamma}: it must lie between 0 and 1");
        Self { n, gamma, open: VecDeque::with_capacity(usize::from(n)) }
    }

    /// Forgets the open starts, as when an episode is abandoned.
    pub fn clear(&mut self) {
        self.open.clear();
    }

    /// How many starts wait for more steps, fewer than n.
    pub fn open_starts(&self) -> usize {
        self.open.len()
    }

    /// Takes the action and the time step that followed it, and returns the transitions that this completes, oldest start
    /// first.
    ///
    /// # Panics
    /// When `step` is the first of an episode: it follows no action.
    pub fn add(&mut self, action: i32, step: &TimeStep) -> impl ExactSizeIterator<Item = Transition> + '_ {
        assert!(
            step.step_type != StepType::First,
            "the first time step of an episode follows no action: do not add it"
        );
        self.open.push_back(OpenStart { action, n_step_return: 0.0, discount: 1.0, steps: 0 });
        let reward = f64::from(step.reward);
        let discount = self.gamma * f64::from(step.discount);
        for start in &mut self.open {
            start.n_step_return += start.discount * reward;
            start.discount *= discount;
            start.steps += 1;
        }
        let complete = if step.step_type == StepType::Last || step.discount == 0.0 {
            self.open.len()
        } else {
            usize::from(self.open[0].steps == self.n)
        };
        self.open.drain(..complete).map(|start| Transition {
            action: start.action,
            n_step_return: start.n_step_return as f32,
            discount: start.discount as f32,
            steps: start.steps,
        })
    }

    /// Checks that an accumulator loaded from a file is consistent and has these parameters; the error says what is wrong.
    pub(crate) fn check_valid(&self, n: u16, gamma: f64) -> Result<(), String> {
        if self.n != n || self.gamma != gamma {
            return Err(format!("it sums {} steps with gamma {}, not {n} with {gamma}", self.n, self.gamma));
        }
        if self.open.len() >= usize::from(n) {
            return Err(format!("{} starts are open where {n} steps complete one", self.open.len()));
        }
        for (start, steps) in self.open.iter().rev().zip(1..) {
            if start.steps != steps {
                return Err(format!("an open start spans {} steps where it must span {steps}", start.steps));
            }
            if !start.n_step_return.is_finite() || !start.discount.is_finite() {
                let OpenStart { n_step_return, discount, .. } = start;
                return Err(format!("an open start has return {n_step_return} and discount {discount}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step(step_type: StepType, reward: f32, discount: f32) -> TimeStep {
        TimeStep { step_type, reward, discount, ..TimeStep::first(0) }
    }

    fn transition(action: i32, n_step_return: f32, discount: f32, steps: u16) -> Transition {
        Transition { action, n_step_return, discount, steps }
    }

    fn add(accumulator: &mut NStepAccumulator, action: i32, step: TimeStep) -> Vec<Transition> {
        accumulator.add(action, &step).collect()
    }

    #[test]
    fn in_the_plain_case_the_discount_is_gamma_to_the_n() {
        let mut three = NStepAccumulator::new(3, 0.5);
        assert_eq!(add(&mut three, 7, step(StepType::Mid, 1.0, 1.0)), []);
        assert_eq!(add(&mut three, 8, step(StepType::Mid, 10.0, 1.0)), []);
        assert_eq!(add(&mut three, 9, step(StepType::Mid, 100.0, 1.0)), [transition(7, 31.0, 0.125, 3)]);
        assert_eq!(add(&mut three, 6, step(StepType::Mid, 0.0, 1.0)), [transition(8, 60.0, 0.125, 3)]);
    }

    #[test]
    fn a_real_ending_flushes_every_start_without_a_bootstrap() {
        let mut three = NStepAccumulator::new(3, 0.5);
        add(&mut three, 7, step(StepType::Mid, 1.0, 1.0));
        assert_eq!(
            add(&mut three, 8, step(StepType::Last, 10.0, 0.0)),
            [transition(7, 6.0, 0.0, 2), transition(8, 10.0, 0.0, 1)]
        );
        assert_eq!(three.open_starts(), 0);
    }

    #[test]
    fn a_truncation_flushes_every_start_and_bootstraps_by_its_true_length() {
        let mut three = NStepAccumulator::new(3, 0.5);
        add(&mut three, 7, step(StepType::Mid, 1.0, 1.0));
        assert_eq!(
            add(&mut three, 8, step(StepType::Last, 10.0, 1.0)),
            [transition(7, 6.0, 0.25, 2), transition(8, 10.0, 0.5, 1)]
        );
    }

    #[test]
    fn no_reward_after_a_lost_life_counts_before_it() {
        let mut three = NStepAccumulator::new(3, 0.5);
        add(&mut three, 7, step(StepType::Mid, 1.0, 1.0));
        assert_eq!(
            add(&mut three, 8, step(StepType::Mid, 10.0, 0.0)),
            [transition(7, 6.0, 0.0, 2), transition(8, 10.0, 0.0, 1)]
        );
        assert_eq!(add(&mut three, 9, step(StepType::Last, 100.0, 1.0)), [transition(9, 100.0, 0.5, 1)]);
    }

    #[test]
    #[should_panic(expected = "follows no action")]
    fn the_first_time_step_is_refused() {
        add(&mut NStepAccumulator::new(1, 0.5), 0, TimeStep::first(0));
    }

    /// The definition, word for word: for each start of an episode, the sums over the steps that follow it.
    fn oracle(episode: &[TimeStep], n: usize, gamma: f64) -> Vec<Transition> {
        let weight = |steps: &[TimeStep]| steps.iter().map(|step| gamma * f64::from(step.discount)).product::<f64>();
        (0..episode.len())
            .map(|start| {
                let rest = &episode[start..episode.len().min(start + n)];
                let stop = rest.iter().position(|step| step.discount == 0.0).map_or(rest.len(), |stop| stop + 1);
                let steps = &rest[..stop];
                let n_step_return: f64 = (0..stop).map(|k| weight(&steps[..k]) * f64::from(steps[k].reward)).sum();
                transition(start as i32, n_step_return as f32, weight(steps) as f32, stop as u16)
            })
            .collect()
    }

    /// Episodes of random length; some steps lose a life (discount 0), some have a discount of their own; the last one
    /// is a termination or a truncation.
    fn episodes() -> impl Strategy<Value = Vec<Vec<TimeStep>>> {
        let discount = prop_oneof![8 => Just(1.0f32), 1 => Just(0.0f32), 1 => 0.1..1.0f32];
        let time_step = (-8..8i8, discount).prop_map(|(reward, discount)| step(StepType::Mid, reward.into(), discount));
        let episode = prop::collection::vec(time_step, 1..20).prop_map(|mut steps| {
            steps.last_mut().unwrap().step_type = StepType::Last;
            steps
        });
        prop::collection::vec(episode, 1..5)
    }

    proptest! {
        #[test]
        fn transitions_are_those_of_the_definition(episodes in episodes(), n in 1..7u16, gamma in 0.0..=1.0f64) {
            let mut accumulator = NStepAccumulator::new(n, gamma);
            for episode in episodes {
                let expected = oracle(&episode, n.into(), gamma);
                let mut actual = Vec::new();
                for (action, step) in episode.iter().enumerate() {
                    for transition in accumulator.add(action as i32, step) {
                        // It ends with the step just added.
                        prop_assert_eq!(transition.action as usize + usize::from(transition.steps), action + 1);
                        actual.push(transition);
                    }
                    prop_assert!(accumulator.open_starts() < n.into());
                    prop_assert_eq!(accumulator.check_valid(n, gamma), Ok(()));
                }
                prop_assert_eq!(accumulator.open_starts(), 0);
                prop_assert_eq!(actual.len(), expected.len());
                for (actual, expected) in actual.iter().zip(&expected) {
                    prop_assert_eq!((actual.action, actual.steps), (expected.action, expected.steps));
                    prop_assert!((actual.n_step_return - expected.n_step_return).abs() < 1e-4);
                    prop_assert!((actual.discount - expected.discount).abs() < 1e-6);
                }
            }
        }
    }
}
