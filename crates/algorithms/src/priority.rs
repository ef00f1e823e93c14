//! From an update's errors to the priorities of its transitions.

use serde::{Deserialize, Serialize};

/// What a transition's priority is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriorityMeasure {
    /// The example's loss: Rainbow's choice with cross-entropy (Hessel et al. 2017, section "The integrated agent"), and
    /// the book's with squared errors.
    Loss,
    /// |δ|, the size of the temporal-difference error (Schaul et al. 2015, section 3.3). Of distributions it is how far the
    /// target's mean is from the q-value.
    TdError,
}

/// A transition's priority: what is measured and an offset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Priority {
    /// What is measured.
    pub measure: PriorityMeasure,
    /// Added to it, so that no transition is forgotten for good.
    pub offset: f32,
}

impl PriorityMeasure {
    /// Every measure, in the order in which they are listed.
    pub const ALL: [Self; 2] = [Self::Loss, Self::TdError];
}

impl Priority {
    /// Priorities of examples in which this was measured, `[batch]` each.
    pub fn of(&self, measured: &[f32]) -> Vec<f32> {
        measured.iter().map(|&value| value + self.offset).collect()
    }
}
