//! Who steers a boat.

use prism_agent::{Policy, PolicyError};

use crate::observation::{DECISION_TICKS, OBSERVATION, as_seen, observe};
use crate::rules::{Lake, Steer};

/// The policy file of the agent that the game ships.
pub const SHIPPED: &[u8] = include_bytes!("../lanterns.safetensors");

/// How well an agent sails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// It dreams in half of its decisions.
    Deckhand,
    /// It dreams in a fifth of them.
    Mate,
    /// It does what it thinks best.
    Captain,
}

/// The baseline: steers straight for the nearest lantern. It decides as often as an agent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chaser {
    /// What it steers until its next decision.
    steer: Steer,
}

/// A trained agent at the helm.
#[derive(Clone, Debug)]
pub struct AgentCaptain {
    policy: Policy,
    epsilon: f64,
    /// What it steers until its next decision.
    steer: Steer,
    /// What it saw at its last decision.
    seen: [f32; OBSERVATION],
    /// Number of its last decision in [`Steer::ALL`], as it sees the lake.
    action: usize,
}

impl Strength {
    /// From the weakest to the strongest.
    pub const ALL: [Self; 3] = [Self::Deckhand, Self::Mate, Self::Captain];

    /// Probability that a decision is a random one.
    pub fn epsilon(self) -> f64 {
        match self {
            Self::Deckhand => 0.5,
            Self::Mate => 0.2,
            Self::Captain => 0.0,
        }
    }
}

impl Chaser {
    /// How it steers boat 0 or 1 in this tick; it decides anew every [`DECISION_TICKS`].
    pub fn steer(&mut self, lake: &Lake, boat: usize) -> Steer {
        if lake.ticks_left().is_multiple_of(DECISION_TICKS) {
            let own = lake.boats()[boat].at;
            let ways = lake.lanterns().iter().map(|lantern| lantern.at - own);
            let nearest = ways.min_by(|one, other| one.length().total_cmp(&other.length()));
            self.steer = Steer::towards(nearest.expect("there are lanterns"));
        }
        self.steer
    }
}

impl AgentCaptain {
    /// The agent that the game ships, whose random decisions are drawn from `seed`.
    pub fn shipped(strength: Strength, seed: u64) -> Self {
        Self::new(SHIPPED, strength, seed).expect("the shipped agent fits the game")
    }

    /// The agent in a policy file of this game.
    ///
    /// # Errors
    /// [`PolicyError`], also for policies of other games.
    pub fn new(file: &[u8], strength: Strength, seed: u64) -> Result<Self, PolicyError> {
        let policy = Policy::from_bytes(file)?.with_seed(seed);
        let (values, bytes, actions) = (policy.observation_len(), policy.observation_bytes(), policy.actions());
        if (values, bytes, actions) != (OBSERVATION, size_of::<[f32; OBSERVATION]>(), Steer::ALL.len()) {
            let has = format!("{values} values in {bytes} bytes and {actions} actions");
            let needed = format!("{OBSERVATION} in four bytes each and {}", Steer::ALL.len());
            return Err(PolicyError::Impossible { reason: format!("it has {has}; Lanterns has {needed}") });
        }
        let seen = [0.0; OBSERVATION];
        Ok(Self { policy, epsilon: strength.epsilon(), steer: Steer::Drift, seen, action: 0 })
    }

    /// How it steers boat 0 or 1 in this tick; it decides anew every [`DECISION_TICKS`].
    pub fn steer(&mut self, lake: &Lake, boat: usize) -> Steer {
        if lake.ticks_left().is_multiple_of(DECISION_TICKS) {
            self.seen = observe(lake, boat);
            self.action = self.policy.act(&self.seen, self.epsilon)[0];
            self.steer = as_seen(Steer::ALL[self.action], boat);
        }
        self.steer
    }

    /// Its last decision as it sees the lake: a number of [`Steer::ALL`].
    pub fn action(&self) -> usize {
        self.action
    }

    /// What it expects of each action of its last decision: the probabilities of returns, `[actions][atoms]`, and the returns,
    /// `[atoms]`. `None` for agents without distributions.
    pub fn expectations(&mut self) -> Option<(&[f32], Vec<f32>)> {
        let returns = self.policy.support()?.to_vec();
        Some((self.policy.distributions(&self.seen)?, returns))
    }
}
