//! Values that change with time, such as the exploration rate.

use prism_environment::AgentSteps;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A value that is `start` until the decay begins, moves linearly to `end` over `decay` agent steps and stays there.
///
/// A schedule has no state: its value depends on the agent step alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct LinearSchedule {
    start: f64,
    end: f64,
    decay: AgentSteps,
    /// The step at which the decay begins.
    beginning: AgentSteps,
}

/// Why a schedule cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// A bound is infinite or not a number.
    #[error("a schedule from {start} to {end} has a bound that is not finite: give two finite numbers")]
    NotFinite {
        /// Value at step 0.
        start: f64,
        /// Value after the decay.
        end: f64,
    },
    /// The decay takes no time.
    #[error(
        "a schedule cannot go from {start} to {end} in 0 agent steps: give at least 1 (for a constant value, make the \
         two bounds equal)"
    )]
    NoDecay {
        /// Value at step 0.
        start: f64,
        /// Value after the decay.
        end: f64,
    },
}

impl LinearSchedule {
    /// A schedule from `start` at step 0 to `end` at step `decay` and after.
    ///
    /// # Errors
    /// When a bound is not finite or `decay` is 0.
    pub fn new(start: f64, end: f64, decay: AgentSteps) -> Result<Self, ScheduleError> {
        if !start.is_finite() || !end.is_finite() {
            return Err(ScheduleError::NotFinite { start, end });
        }
        if decay == AgentSteps(0) {
            return Err(ScheduleError::NoDecay { start, end });
        }
        Ok(Self { start, end, decay, beginning: AgentSteps(0) })
    }

    /// The same, but at `start` until `beginning`, from where the decay is counted: Nature DQN's ε stays at 1 while the
    /// replay is filled.
    pub fn beginning_at(self, beginning: AgentSteps) -> Self {
        Self { beginning, ..self }
    }

    /// The first step at which the value is `end`.
    pub fn end_of_decay(&self) -> AgentSteps {
        AgentSteps(self.beginning.0.saturating_add(self.decay.0))
    }

    /// The value at `step`: `start + (end - start) * min((step - beginning) / decay, 1)`, and `start` before `beginning`.
    pub fn value(&self, step: AgentSteps) -> f64 {
        let step = step.0.saturating_sub(self.beginning.0);
        if step >= self.decay.0 {
            // Exact, where the formula would round.
            return self.end;
        }
        self.start + (self.end - self.start) * (step as f64 / self.decay.0 as f64)
    }
}

/// A [`LinearSchedule`] as it arrives from a file.
#[derive(Deserialize)]
struct Unchecked {
    start: f64,
    end: f64,
    decay: AgentSteps,
    #[serde(default)]
    beginning: AgentSteps,
}

impl TryFrom<Unchecked> for LinearSchedule {
    type Error = ScheduleError;

    fn try_from(unchecked: Unchecked) -> Result<Self, ScheduleError> {
        Ok(Self::new(unchecked.start, unchecked.end, unchecked.decay)?.beginning_at(unchecked.beginning))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_line_passes_through_its_ends_and_its_middle_then_stays() {
        let epsilon = LinearSchedule::new(1.0, 0.02, AgentSteps(100_000)).unwrap();
        assert_eq!(epsilon.value(AgentSteps(0)), 1.0);
        assert!((epsilon.value(AgentSteps(50_000)) - 0.51).abs() < 1e-12);
        assert_eq!(epsilon.value(AgentSteps(100_000)), 0.02);
        assert_eq!(epsilon.value(AgentSteps(u64::MAX)), 0.02);
    }

    #[test]
    fn a_decay_that_begins_later_is_the_same_line_moved() {
        let from_start = LinearSchedule::new(1.0, 0.1, AgentSteps(100)).unwrap();
        let later = from_start.beginning_at(AgentSteps(50));
        assert_eq!((later.value(AgentSteps(0)), later.value(AgentSteps(50))), (1.0, 1.0));
        for step in 0..200 {
            assert_eq!(later.value(AgentSteps(50 + step)), from_start.value(AgentSteps(step)));
        }
        assert_eq!(later.end_of_decay(), AgentSteps(150));
        assert!(later.value(AgentSteps(149)) > 0.1 && later.value(AgentSteps(150)) == 0.1);
    }

    #[test]
    fn impossible_schedules_are_refused() {
        assert_eq!(LinearSchedule::new(1.0, 0.1, AgentSteps(0)), Err(ScheduleError::NoDecay { start: 1.0, end: 0.1 }));
        assert!(matches!(
            LinearSchedule::new(f64::NAN, 0.1, AgentSteps(1)),
            Err(ScheduleError::NotFinite { end: 0.1, .. })
        ));
    }

    proptest! {
        #[test]
        fn values_stay_between_the_bounds_and_never_turn_back(
            start in -10.0..10.0f64,
            end in -10.0..10.0f64,
            decay in 1..1000u64,
            step in 0..2000u64,
        ) {
            let schedule = LinearSchedule::new(start, end, AgentSteps(decay)).unwrap();
            let (now, next) = (schedule.value(AgentSteps(step)), schedule.value(AgentSteps(step + 1)));
            prop_assert!((start.min(end)..=start.max(end)).contains(&now));
            prop_assert!((next - now) * (end - start) >= 0.0);
        }
    }
}
