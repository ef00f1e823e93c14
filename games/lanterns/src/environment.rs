//! The game as an environment to train an agent in: it steers the left boat, the baseline the right one.

use prism_environment::{Element, Environment, EnvironmentError, EnvironmentSpec, Game, Generator, Seed, TimeStep};
use rand::RngExt;

use crate::captain::Chaser;
use crate::observation::{DECISION_TICKS, OBSERVATION, observe};
use crate::rules::{LAKE, Lake, Steer};

/// A game for each episode. The opponent dreams now and then, in some games more than in others, so that the agent meets it
/// in many places. The score is the agent's lead at the end. To learn from, the opponent's light counts half, because the agent
/// has less to do with it, and coming nearer to a lantern counts a little, in the way that leaves the best play as it is
/// (Ng et al. 1999, "Policy invariance under reward transformations", theorem 1).
pub struct Lanterns {
    spec: EnvironmentSpec,
    generator: Generator,
    game: Option<Lake>,
    /// Probability that the opponent drifts through a decision.
    dreaming: f64,
}

impl Lanterns {
    /// Games that are drawn from a seed.
    pub fn new(seed: Seed) -> Self {
        let names = Steer::ALL.map(|steer| format!("{steer:?}").to_lowercase());
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Self {
            spec: EnvironmentSpec::single_frame("lanterns", vec![OBSERVATION], Element::F32, &names),
            generator: seed.generator(),
            game: None,
            dreaming: 0.0,
        }
    }
}

/// `learning.gamma` of lanterns.toml.
const GAMMA: f32 = 0.97;

/// How near the left boat is to the lantern next to it, 0 to 1.
fn nearness(lake: &Lake) -> f32 {
    let own = lake.boats()[0].at;
    let nearest = lake.lanterns().iter().map(|lantern| (lantern.at - own).length()).fold(f32::MAX, f32::min);
    1.0 - (nearest / LAKE.x).min(1.0)
}

/// Writes what the left captain sees.
fn show(lake: &Lake, observation: &mut [u8]) {
    let (bytes, _) = observation.as_chunks_mut();
    bytes.iter_mut().zip(observe(lake, 0)).for_each(|(bytes, value)| *bytes = value.to_ne_bytes());
}

impl Environment for Lanterns {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        let lake = Lake::new(self.generator.random());
        self.dreaming = self.generator.random_range(0.0..0.2);
        show(&lake, observation);
        self.game = Some(lake);
        Ok(TimeStep::first(0))
    }

    fn step(&mut self, action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        let steer = *Steer::ALL.get(action).ok_or_else(|| self.spec.unknown_action(action))?;
        let lake = self.game.as_mut().filter(|lake| !lake.is_over()).ok_or_else(|| self.spec.needs_reset())?;
        let (before, near_before) = (lake.boats().map(|boat| boat.light), nearness(lake));
        let dreams = self.generator.random_bool(self.dreaming);
        let opponent = if dreams { Steer::Drift } else { Chaser::default().steer(lake, 1) };
        for _ in 0..DECISION_TICKS {
            lake.tick([steer, opponent]);
        }
        show(lake, observation);
        let game = if lake.is_over() { Game::Over } else { Game::Running };
        let [own, other] = [0, 1].map(|boat| (lake.boats()[boat].light - before[boat]) as f32);
        let nearer = GAMMA * if lake.is_over() { 0.0 } else { nearness(lake) } - near_before;
        Ok(TimeStep { raw_reward: own - other, ..TimeStep::after_action(own - 0.5 * other + nearer, game) })
    }
}
