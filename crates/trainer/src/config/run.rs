//! `[run]`: seed and device, in which runs of one configuration differ.

use prism_environment::Seed;

use super::given::Given;
use super::key::{Key, keys, text, whole};

/// Seed and device, in which runs of one configuration differ.
#[derive(Clone, Debug, PartialEq)]
pub struct RunConfig {
    /// Seed of every random choice.
    pub seed: Seed,
    /// Device of the networks, a name for [`prism_model::find_device`].
    pub device: String,
}

keys! {
    pub(super) const SEED: Key<u64> = whole("run.seed", 0..=u64::MAX, "", "Seed of every random choice.").otherwise("0");
    pub(super) const DEVICE: Key<String> = text("run.device", "the name of a device, or \"auto\"", "Device of the networks.").otherwise("\"auto\"");
}

pub(super) fn read(given: &mut Given) -> RunConfig {
    RunConfig { seed: Seed(given.get(&SEED)), device: given.get(&DEVICE) }
}
