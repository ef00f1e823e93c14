//! `[evaluation]`: how the agent is scored.

use std::num::NonZeroUsize;

use prism_algorithms::ActingNoise;
use prism_environment::AgentSteps;

use super::given::Given;
use super::key::{Bounds, Key, keys, name, number, whole};

/// How the agent is scored.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationConfig {
    /// Agent steps of training between evaluations; without one, training is not interrupted by any.
    pub period: Option<AgentSteps>,
    /// Whole games per evaluation.
    pub episodes: NonZeroUsize,
    /// Probability of a random action.
    pub epsilon: f64,
    /// What noisy layers do.
    pub noise: ActingNoise,
}

keys! {
    const PERIOD: Key<Option<AgentSteps>> = whole("evaluation.period", 1..=u64::MAX, "agent steps", "How often training is interrupted by an evaluation; \"none\" for never.").or("none");
    const EPISODES: Key<NonZeroUsize> = whole("evaluation.episodes", 1..=1_000_000, "episodes", "Whole games of an evaluation.");
    const EPSILON: Key<f64> = number("evaluation.epsilon", "a probability", Bounds::Within(0.0, 1.0), "Probability of a random action in an evaluation.");
    const NOISE: Key<ActingNoise> = name("evaluation.noise", "What noisy layers do in an evaluation: draw fresh noise, or use their mean weights.").before_2("\"off\"");
}

pub(super) fn read(given: &mut Given) -> EvaluationConfig {
    EvaluationConfig {
        period: given.get(&PERIOD),
        episodes: given.get(&EPISODES),
        epsilon: given.get(&EPSILON),
        noise: given.get(&NOISE),
    }
}
