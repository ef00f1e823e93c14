//! From an update's losses to the priorities of its transitions.

use serde::{Deserialize, Serialize};

use crate::Loss;

/// What a transition's priority is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriorityMeasure {
    /// The example's loss: Rainbow's choice with cross-entropy (Hessel et al. 2017, section "The integrated agent"), and
    /// the book's with squared errors.
    Loss,
    /// |δ|, the size of the temporal-difference error (Schaul et al. 2015, section 3.3).
    TdError,
}

/// How losses become priorities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Priority {
    /// What is measured.
    pub measure: PriorityMeasure,
    /// Added to it, so that no transition is forgotten for good.
    pub offset: f32,
}

impl Priority {
    /// Priorities of the examples with these losses, `[batch]` each.
    ///
    /// # Panics
    /// When temporal-difference errors are wanted of a loss that has none.
    pub fn of(&self, loss: Loss, losses: &[f32]) -> Vec<f32> {
        let measure = |value: f32| match (self.measure, loss) {
            (PriorityMeasure::Loss, _) => value,
            (PriorityMeasure::TdError, Loss::Td(loss)) => loss.error_magnitude(value),
            (PriorityMeasure::TdError, Loss::CrossEntropy(_)) => {
                panic!("cross-entropy has no temporal-difference error")
            }
        };
        losses.iter().map(|&loss| measure(loss) + self.offset).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TdLoss;

    #[test]
    fn priorities_are_losses_or_errors_with_the_offset_added() {
        let losses = [0.0, 0.25, 4.0];
        let by_loss = Priority { measure: PriorityMeasure::Loss, offset: 0.5 };
        assert_eq!(by_loss.of(Loss::Td(TdLoss::Squared), &losses), [0.5, 0.75, 4.5]);
        let by_error = Priority { measure: PriorityMeasure::TdError, offset: 0.0 };
        assert_eq!(by_error.of(Loss::Td(TdLoss::Squared), &losses), [0.0, 0.5, 2.0]);
        assert_eq!(by_error.of(Loss::Td(TdLoss::Huber), &[0.5, 1.5]), [1.0, 2.0]);
    }
}
