//! Transitions: what a learner learns from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of a transition: it grows by one with every transition ever added to a replay, over all streams, and is
/// never used again, so that a new priority for an evicted transition cannot reach the one that took its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransitionId(pub u64);

impl fmt::Display for TransitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "transition {}", self.0)
    }
}

/// An n-step transition without its two observations: `s` lies `steps` agent steps before `s'`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// Action taken in `s`.
    pub action: i32,
    /// Discounted sum of the rewards between `s` and `s'`.
    pub n_step_return: f32,
    /// Weight of the value of `s'`: the product of gamma and the discounts of the steps between, 0 when one of them
    /// forbids bootstrapping.
    pub discount: f32,
    /// Agent steps from `s` to `s'`, at least 1; fewer than n at an episode's end.
    pub steps: u16,
}
