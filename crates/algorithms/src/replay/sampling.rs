//! How transitions are kept and drawn.

use serde::{Deserialize, Serialize};

use super::{ReplayConfig, ReplayError};

/// How a [`Replay`](crate::Replay) keeps and draws its transitions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Sampling {
    /// All transitions are equally likely, each draw independent of the others (Mnih et al. 2015, algorithm 1).
    Uniform,
    /// `P(i) = p_i^w / sum over k of p_k^w` (Schaul et al. 2016, section 3.3, proportional variant).
    Proportional {
        /// The priority exponent w, 0 (uniform) to 1.
        exponent: f64,
    },
    /// `P(i)` proportional to `(1 / rank(i))^w`, where rank 1 has the largest priority (Schaul et al. 2016, section 3.3,
    /// rank-based variant). As in the paper, ranks are places in a binary heap that is sorted periodically, so between
    /// sorts they are approximate.
    RankBased {
        /// The priority exponent w, 0 (uniform) to 1.
        exponent: f64,
    },
    /// Uniform, but a transition whose n-step return is above a bound is stored several times, each time under an id of
    /// its own (Zai and Brown 2020, "Deep Reinforcement Learning in Action", chapter 7). Copies share their frames.
    CopyRewarded {
        /// Number of additional copies, at least 1 and less than the capacity.
        copies: u16,
        /// The bound, in units of the rewards that the replay is given.
        above: f32,
    },
}

/// The raw priorities of the transitions in a replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrioritySpread {
    /// The smallest.
    pub min: f32,
    /// Their mean.
    pub mean: f64,
    /// The largest.
    pub max: f32,
    /// The largest that any transition ever had, evicted ones included: what a new transition gets. At least 1.
    pub largest_seen: f32,
}

impl Sampling {
    /// Number of additional copies of a transition with this return.
    pub(super) fn copies(&self, n_step_return: f32) -> u16 {
        match *self {
            Self::CopyRewarded { copies, above } if n_step_return > above => copies,
            _ => 0,
        }
    }
}

impl ReplayConfig {
    pub(super) fn check_sampling(&self) -> Result<(), ReplayError> {
        let bad = |name, value: &dyn ToString, expected| {
            Err(ReplayError::BadConfig { name, value: value.to_string(), expected })
        };
        match self.sampling {
            Sampling::Uniform => Ok(()),
            // Between 0 and 1 the power of an f32 can neither overflow nor vanish.
            Sampling::Proportional { exponent } | Sampling::RankBased { exponent }
                if !(0.0..=1.0).contains(&exponent) =>
            {
                bad("priority exponent", &exponent, "between 0 and 1")
            }
            Sampling::RankBased { .. } if u32::try_from(self.capacity).is_err() => {
                bad("capacity", &self.capacity, "a 32-bit number where ranks are kept")
            }
            Sampling::Proportional { .. } | Sampling::RankBased { .. } => Ok(()),
            Sampling::CopyRewarded { copies, .. } if !(1..self.capacity).contains(&usize::from(copies)) => {
                bad("copies of a rewarded transition", &copies, "at least 1 and less than the capacity")
            }
            Sampling::CopyRewarded { above, .. } if !above.is_finite() => {
                bad("bound of rewarded returns", &above, "a finite number")
            }
            Sampling::CopyRewarded { .. } => Ok(()),
        }
    }
}
