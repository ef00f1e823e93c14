//! Chain: a corridor whose action values are known in closed form.

use std::num::{NonZeroU32, NonZeroUsize};

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::environment::{Element, Environment, EnvironmentError, EnvironmentSpec};
use crate::seed::Seed;
use crate::state::{self, State};
use crate::time_step::{Game, TimeStep};

const NAME: &str = "chain";
const ADVANCE: usize = 0;
const QUIT: usize = 1;

/// When a [`Chain`] cuts an episode short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeLimit {
    /// Never: episodes end by themselves.
    None,
    /// After this many agent steps, as a truncation: the step is Last and keeps discount 1.
    Steps(NonZeroU32),
}

/// States `0..N` in a row; an episode starts in any of them with equal probability.
///
/// Action 0, `advance`, goes from state `s` to `s + 1`; from the last state `N - 1` it ends the episode and gives the
/// only reward there is, 1. Action 1, `quit`, ends the episode. The observation is one frame of `N` numbers (`f32`): 1
/// at the current state, 0 elsewhere, and all zeros after the episode has ended by itself.
///
/// Action values, with `m = N - 1 - s` steps from `s` to the rewarding one:
///
/// * optimal, `Q(s, advance) = gamma^m` and `Q(s, quit) = 0`, with any [`TimeLimit`], because a truncation bootstraps;
/// * the fixed point of uncorrected n-step Q-learning when behaviour advances with probability `p` in every state and
///   there is no time limit, `Q(s, advance) = gamma^m * p^(m - floor(m / n))` and `Q(s, quit) = 0`
///   ([`Chain::advance_value`]). With `n = 1` or `p = 1` it is the optimal one.
#[derive(Debug)]
pub struct Chain {
    spec: EnvironmentSpec,
    states: usize,
    limit: TimeLimit,
    state: State<Episode>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Episode {
    position: usize,
    steps: u32,
}

impl Chain {
    /// A chain of `states` states whose starts are drawn from `seed`.
    pub fn new(states: NonZeroUsize, limit: TimeLimit, seed: Seed) -> Self {
        let states = states.get();
        Self {
            spec: EnvironmentSpec::single_frame(NAME, vec![states], Element::F32, &["advance", "quit"]),
            states,
            limit,
            state: State::new(seed),
        }
    }

    /// The value of `advance` in `state` that n-step Q-learning without time limit converges to; see [`Chain`].
    ///
    /// # Panics
    /// When `state` is not one of the chain's.
    pub fn advance_value(&self, state: usize, gamma: f64, n: NonZeroU32, advance_probability: f64) -> f64 {
        assert!(state < self.states, "state {state} does not exist: states are 0 to {}", self.states - 1);
        let remaining = (self.states - 1 - state) as f64;
        gamma.powf(remaining) * advance_probability.powf(remaining - (remaining / f64::from(n.get())).floor())
    }

    fn draw(&self, position: Option<usize>, observation: &mut [u8]) {
        observation.fill(0);
        if let Some(position) = position {
            observation[4 * position..4 * (position + 1)].copy_from_slice(&1.0f32.to_ne_bytes());
        }
    }
}

impl Environment for Chain {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        let position = self.state.generator.random_range(0..self.states);
        self.state.episode = Some(Episode { position, steps: 0 });
        self.draw(Some(position), observation);
        Ok(TimeStep::first(0))
    }

    fn step(&mut self, action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        let episode = self.state.running(&self.spec)?;
        let (position, reward) = match action {
            ADVANCE if episode.position + 1 == self.states => (None, 1.0),
            ADVANCE => (Some(episode.position + 1), 0.0),
            QUIT => (None, 0.0),
            _ => return Err(self.spec.unknown_action(action)),
        };
        let steps = episode.steps + 1;
        let game = match (position, self.limit) {
            (None, _) => Game::Over,
            (Some(_), TimeLimit::Steps(limit)) if steps >= limit.get() => Game::Truncated,
            (Some(_), _) => Game::Running,
        };
        self.draw(position, observation);
        self.state.episode = match (game, position) {
            (Game::Running, Some(position)) => Some(Episode { position, steps }),
            _ => None,
        };
        Ok(TimeStep::after_action(reward, game))
    }

    fn save_state(&self) -> Result<Vec<u8>, EnvironmentError> {
        Ok(state::encode(NAME, &self.state))
    }

    fn load_state(&mut self, bytes: &[u8]) -> Result<(), EnvironmentError> {
        let (states, limit) = (self.states, self.limit);
        self.state = state::decode(NAME, bytes, |state: &State<Episode>| match (state.episode, limit) {
            (Some(Episode { position, .. }), _) if position >= states => {
                Err(format!("position {position} lies outside its {states} states"))
            }
            (Some(Episode { steps, .. }), TimeLimit::Steps(limit)) if steps >= limit.get() => {
                Err(format!("{steps} steps exceed its time limit of {limit}"))
            }
            _ => Ok(()),
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time_step::StepType;

    const GAMMA: f64 = 0.9;

    fn chain(states: usize, limit: TimeLimit) -> Chain {
        Chain::new(NonZeroUsize::new(states).unwrap(), limit, Seed(4))
    }

    fn steps(limit: u32) -> TimeLimit {
        TimeLimit::Steps(NonZeroU32::new(limit).unwrap())
    }

    fn position(observation: &[u8]) -> Option<usize> {
        let values: Vec<f32> = observation.chunks_exact(4).map(|b| f32::from_ne_bytes(b.try_into().unwrap())).collect();
        assert!(values.iter().all(|value| [0.0, 1.0].contains(value)));
        assert!(values.iter().sum::<f32>() <= 1.0);
        values.iter().position(|&value| value == 1.0)
    }

    /// Tabular one-step Q-learning with learning rate 1 on transitions of the environment itself: exact after enough
    /// visits, because the chain is deterministic.
    fn learn(mut chain: Chain) -> Vec<[f64; 2]> {
        let mut values: Vec<[f64; 2]> = vec![[0.0; 2]; chain.states];
        let mut observation = vec![0; chain.spec.observation.bytes()];
        let mut actions = Seed(1).generator();
        for _ in 0..2000 {
            chain.reset(&mut observation).unwrap();
            loop {
                let from = position(&observation).unwrap();
                let action = actions.random_range(0..2);
                let time_step = chain.step(action, &mut observation).unwrap();
                let next = position(&observation).map_or(0.0, |next| f64::max(values[next][0], values[next][1]));
                values[from][action] = f64::from(time_step.reward) + GAMMA * f64::from(time_step.discount) * next;
                if time_step.step_type == StepType::Last {
                    break;
                }
            }
        }
        values
    }

    #[test]
    fn q_learning_finds_the_closed_form_with_and_without_time_limit() {
        for limit in [TimeLimit::None, steps(1), steps(3)] {
            let chain = chain(7, limit);
            let expected: Vec<f64> =
                (0..7).map(|state| chain.advance_value(state, GAMMA, NonZeroU32::MIN, 0.5)).collect();
            for (state, [advance, quit]) in learn(chain).into_iter().enumerate() {
                assert!((advance - expected[state]).abs() < 1e-12, "state {state}: {advance}, not {}", expected[state]);
                assert_eq!(quit, 0.0);
            }
        }
    }

    #[test]
    fn the_documented_value_is_the_fixed_point_of_n_step_targets() {
        let chain = chain(8, TimeLimit::None);
        for n in 1..=5u32 {
            for p in [0.3, 1.0] {
                // The n-step target of (s, advance), averaged over behaviour, walks until the reward, a quit or n steps.
                let mut values = [0.0; 8];
                for state in (0..8usize).rev() {
                    let remaining = 7 - state;
                    values[state] = if remaining < n as usize {
                        (p * GAMMA).powi(remaining as i32)
                    } else {
                        let bootstrap: f64 = values[state + n as usize];
                        p.powi(n as i32 - 1) * GAMMA.powi(n as i32) * bootstrap.max(0.0)
                    };
                    let documented = chain.advance_value(state, GAMMA, NonZeroU32::new(n).unwrap(), p);
                    assert!((documented - values[state]).abs() < 1e-12, "n {n}, p {p}, state {state}");
                }
            }
        }
    }

    #[test]
    fn a_time_limit_truncates_with_discount_one_and_shows_the_state_reached() {
        let mut chain = chain(50, steps(2));
        let mut observation = vec![0; 200];
        for _ in 0..20 {
            chain.reset(&mut observation).unwrap();
            let start = position(&observation).unwrap();
            if start >= 48 {
                continue;
            }
            assert_eq!(chain.step(ADVANCE, &mut observation).unwrap().step_type, StepType::Mid);
            let last = chain.step(ADVANCE, &mut observation).unwrap();
            assert_eq!((last.step_type, last.discount, last.game), (StepType::Last, 1.0, Game::Truncated));
            assert_eq!(position(&observation), Some(start + 2));
            assert!(matches!(chain.step(ADVANCE, &mut observation), Err(EnvironmentError::NeedsReset { .. })));
        }
    }

    #[test]
    fn a_real_ending_on_the_limit_is_no_truncation() {
        let mut chain = chain(1, steps(1));
        let mut observation = [0; 4];
        chain.reset(&mut observation).unwrap();
        let last = chain.step(ADVANCE, &mut observation).unwrap();
        assert_eq!((last.reward, last.discount, last.game), (1.0, 0.0, Game::Over));
    }

    #[test]
    fn a_loaded_state_continues_as_the_saved_environment_does() {
        let mut saved = chain(6, steps(4));
        let mut observation = [0; 24];
        saved.reset(&mut observation).unwrap();
        let mut loaded = Chain::new(NonZeroUsize::new(6).unwrap(), steps(4), Seed(99));
        loaded.load_state(&saved.save_state().unwrap()).unwrap();
        for _ in 0..100 {
            let (mut a, mut b) = ([0; 24], [1; 24]);
            let time_step = saved.step(ADVANCE, &mut a).unwrap();
            assert_eq!(time_step, loaded.step(ADVANCE, &mut b).unwrap());
            if time_step.step_type == StepType::Last {
                saved.reset(&mut a).unwrap();
                loaded.reset(&mut b).unwrap();
            }
            assert_eq!(a, b);
        }
        let mut short = chain(1, TimeLimit::None);
        saved.reset(&mut observation).unwrap();
        while position(&observation) == Some(0) {
            saved.reset(&mut observation).unwrap();
        }
        let error = short.load_state(&saved.save_state().unwrap()).unwrap_err().to_string();
        assert!(error.contains("outside its 1 states"), "{error}");
    }
}
