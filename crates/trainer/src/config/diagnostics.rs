//! `[diagnostics]`: what is measured beside learning.

use std::num::NonZeroUsize;

use prism_algorithms::{DiagnosticsPlan, DistributionRecords};

use super::given::Given;
use super::key::{Key, keys, whole};

keys! {
    const RECORD_PERIOD: Key<u64> = whole("diagnostics.record_period", 1..=u64::MAX, "updates", "Updates that one row of the training records sums up.").formerly("training.record_period");
    const HELD_OUT: Key<usize> = whole("diagnostics.held_out", 0..=100_000, "observations", "Observations held out at the end of the warm-up, over which q-values are averaged; 0 for none.").before_2("0");
    const DISTRIBUTIONS: Key<usize> = whole("diagnostics.distributions", 0..=1000, "observations", "Observations whose distributions of returns are written down; 0 for none.").otherwise("0");
    const DISTRIBUTION_PERIOD: Key<u64> = whole("diagnostics.distribution_period", 1..=u64::MAX, "updates", "How often distributions are written down.").otherwise("10000");
}

/// `distributions` are those that the objective has, see [`distributions`].
pub(super) fn read(given: &mut Given, distributions: Option<DistributionRecords>) -> DiagnosticsPlan {
    DiagnosticsPlan { record_period: given.get(&RECORD_PERIOD), held_out: given.get(&HELD_OUT), distributions }
}

/// Which distributions are recorded of an objective that has them.
pub(super) fn distributions(given: &mut Given) -> Option<DistributionRecords> {
    let (observations, period) = (given.get(&DISTRIBUTIONS), given.get(&DISTRIBUTION_PERIOD));
    NonZeroUsize::new(observations).map(|observations| DistributionRecords { observations, period })
}
