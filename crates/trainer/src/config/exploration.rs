//! `[exploration]`: how often an action is random.

use prism_algorithms::LinearSchedule;
use prism_environment::AgentSteps;
use serde::Deserialize;

use super::given::Given;
use super::key::{Bounds, Key, keys, name, number, whole};

/// When ε begins to fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum DecayFrom {
    /// With the first step of the run.
    Start,
    /// Where the warm-up ends: until then it is what it starts with.
    WarmUp,
}

keys! {
    const EPSILON_START: Key<f64> = number("exploration.epsilon_start", "a probability", Bounds::Within(0.0, 1.0), "Probability of a random action at first.");
    const EPSILON_END: Key<f64> = number("exploration.epsilon_end", "a probability", Bounds::Within(0.0, 1.0), "Probability of a random action after the decay.");
    const EPSILON_DECAY: Key<u64> = whole("exploration.epsilon_decay", 1..=u64::MAX, "agent steps", "How long it takes from the first to the last, in a straight line.");
    const DECAY_FROM: Key<DecayFrom> = name("exploration.decay_from", "When the decay begins: with the run, or where the warm-up ends, as in Nature DQN.").otherwise("\"start\"");
}

/// ε by agent steps over all environments together; learning begins after `warm_up`.
pub(super) fn read(given: &mut Given, warm_up: AgentSteps) -> LinearSchedule {
    let (start, end) = (given.get(&EPSILON_START), given.get(&EPSILON_END));
    let decay = AgentSteps(given.get(&EPSILON_DECAY));
    let schedule = LinearSchedule::new(start, end, decay).expect("probabilities are finite and the decay is not 0");
    match given.get(&DECAY_FROM) {
        DecayFrom::Start => schedule,
        DecayFrom::WarmUp => schedule.beginning_at(warm_up),
    }
}
