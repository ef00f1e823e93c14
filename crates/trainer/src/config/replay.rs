//! `[replay]`: what is remembered, and how it is drawn.

use prism_algorithms::{LinearSchedule, Prioritization, Priority, PriorityMeasure, ReplayPlan, Sampling};
use prism_environment::AgentSteps;

use super::choice::{Choice, choice};
use super::given::Given;
use super::key::{Bounds, Key, keys, name, number, whole};

keys! {
    pub(super) const CAPACITY: Key<usize> = whole("replay.capacity", 1..=1_000_000_000, "transitions", "How many transitions are kept; the oldest leave first.");
    pub(super) const WARM_UP: Key<AgentSteps> = whole("replay.warm_up", 0..=u64::MAX, "agent steps", "When learning begins.");
    const SAMPLING: Choice<(Sampling, Option<Prioritization>)> = choice("replay.sampling", "How transitions are kept and drawn.", &[
        ("uniform", "all alike", |_| (Sampling::Uniform, None)),
        ("proportional", "by their priorities", |given| (Sampling::Proportional { exponent: given.get(&PRIORITY_EXPONENT) }, Some(prioritization(given)))),
        ("rank-based", "by the ranks of their priorities", |given| (Sampling::RankBased { exponent: given.get(&PRIORITY_EXPONENT) }, Some(prioritization(given)))),
        ("copy-rewarded", "all alike, rewarded ones several times", |given| (Sampling::CopyRewarded { copies: given.get(&COPIES), above: given.get(&COPIES_ABOVE) }, None)),
    ]).before_2("\"uniform\"");
    const PRIORITY: Key<PriorityMeasure> = name("replay.priority", "What a priority is: the loss, or the size of the temporal-difference error.");
    const PRIORITY_OFFSET: Key<f32> = number("replay.priority_offset", "a number", Bounds::From(0.0), "What is added to every priority, so that no transition is forgotten.");
    const PRIORITY_EXPONENT: Key<f64> = number("replay.priority_exponent", "an exponent", Bounds::Within(0.0, 1.0), "How far priorities decide what is drawn: 0 not at all; 0.6 in the paper.");
    const IMPORTANCE_START: Key<f64> = number("replay.importance_start", "an exponent", Bounds::Within(0.0, 1.0), "Exponent of the importance weights at first; 0.4 in the paper.");
    const IMPORTANCE_END: Key<f64> = number("replay.importance_end", "an exponent", Bounds::Within(0.0, 1.0), "Exponent of the importance weights at last; 1 in the paper.");
    const IMPORTANCE_DECAY: Key<u64> = whole("replay.importance_decay", 1..=u64::MAX, "agent steps", "How long it takes from the first to the last, in a straight line.");
    const COPIES: Key<u16> = whole("replay.copies", 1..=1000, "extra copies", "Extra copies that are stored of each rewarded transition, fewer than replay.capacity.");
    const COPIES_ABOVE: Key<f32> = number("replay.copies_above", "a number", Bounds::Finite, "The n-step return above which a transition is rewarded.");
}

pub(super) fn read(given: &mut Given) -> ReplayPlan {
    let (capacity, warm_up) = (given.get(&CAPACITY), given.get(&WARM_UP));
    let (sampling, prioritization) = given.choose(&SAMPLING);
    if let Sampling::CopyRewarded { copies, .. } = sampling
        && usize::from(copies) >= capacity
    {
        given.refuse(COPIES.path(), &[CAPACITY.path()], "copies must be fewer than replay.capacity");
    }
    if warm_up.0 > capacity as u64 {
        let reason = format!("learning would begin after replay has begun to forget: set at most {capacity}");
        given.refuse(WARM_UP.path(), &[CAPACITY.path()], reason);
    }
    ReplayPlan { capacity, warm_up, sampling, prioritization }
}

fn prioritization(given: &mut Given) -> Prioritization {
    let priority = Priority { measure: given.get(&PRIORITY), offset: given.get(&PRIORITY_OFFSET) };
    let (start, end) = (given.get(&IMPORTANCE_START), given.get(&IMPORTANCE_END));
    let decay = AgentSteps(given.get(&IMPORTANCE_DECAY));
    let importance = LinearSchedule::new(start, end, decay).expect("exponents are finite and the decay is not 0");
    Prioritization { priority, importance }
}
