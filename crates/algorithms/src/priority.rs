//! From an update's errors to the priorities of its transitions.

use serde::{Deserialize, Serialize};

/// What a transition's priority is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriorityMeasure {
    /// The example's loss: Rainbow's choice with cross-entropy (Hessel et al. 2017, section "The integrated agent"), and
    /// that of Zai and Brown 2020 with squared errors.
    Loss,
    /// |δ|, the size of the temporal-difference error (Schaul et al. 2016, section 3.3). For distributions, δ is the mean of
    /// the target less the q-value.
    TdError,
}

/// A transition's priority: what is measured and an offset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Priority {
    /// What is measured.
    pub measure: PriorityMeasure,
    /// Added to the measure, so that every transition can be drawn again.
    pub offset: f32,
}

impl PriorityMeasure {
    /// Every measure, in the order in which they are listed.
    pub const ALL: [Self; 2] = [Self::Loss, Self::TdError];
}

impl Priority {
    /// Priorities of examples with these measures: `[batch]` to `[batch]`.
    pub fn of(&self, measured: &[f32]) -> Vec<f32> {
        measured.iter().map(|&value| value + self.offset).collect()
    }
}
