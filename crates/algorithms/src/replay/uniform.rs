//! The uniform sampler.

use std::ops::Range;

use prism_environment::Generator;
use rand::RngExt;

use crate::transition::TransitionId;

/// Draws ids uniformly, each draw independent of the others, so that one id can come several times.
pub(super) fn sample(living: Range<TransitionId>, generator: &mut Generator, ids: &mut [TransitionId]) {
    for id in ids {
        *id = TransitionId(generator.random_range(living.start.0..living.end.0));
    }
}
