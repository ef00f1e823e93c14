//! What a run will need of the machine's memory.

use prism_algorithms::{Objective, Sampling};
use prism_environment::ObservationSpec;
use thiserror::Error;

use super::Config;

/// Bytes that a run will need, without those of its networks and of the program itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryNeed {
    /// Of a full replay.
    pub replay: u64,
    /// Of the batches that are drawn from it, on the host and on the device.
    pub batches: u64,
    /// Of one transition in the replay.
    per_transition: u64,
}

/// A run that needs more memory than there is.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "a run with replay.capacity = {capacity} needs {} of memory, {} of them for batches, and there are {}: {}",
    bytes(*.needed), bytes(*.batches), bytes(*.available), self.remedy()
)]
pub struct NotEnoughMemory {
    /// Bytes that the run needs.
    pub needed: u64,
    /// Bytes of these that batches need.
    pub batches: u64,
    /// Bytes that there are.
    pub available: u64,
    /// Transitions that the replay would hold.
    pub capacity: usize,
    /// Transitions for which there is memory.
    pub fits: u64,
}

impl NotEnoughMemory {
    fn remedy(&self) -> String {
        if self.batches < self.available {
            format!("replay.capacity = {} would fit", self.fits)
        } else {
            "lower learning.batch_size, or learning.quantiles where there are quantiles".to_owned()
        }
    }
}

/// Bytes of a transition beside its frame: what it stands on (32), and a share of a chunk that is not full.
const RECORD: u64 = 40;
/// Bytes of a pair of quantiles: the loss compares each of s with each of s', in a few numbers of four bytes with their
/// gradients.
const PAIR: u64 = 32;
/// Bytes that a priority takes at most.
const PRIORITY: u64 = 40;

impl Config {
    /// What a run of this configuration needs for observations of this kind. Every transition brings one frame, so that a
    /// replay of a million stacks of four grey images of 84x84 pixels takes 7.1 GB.
    pub fn memory(&self, observation: &ObservationSpec) -> MemoryNeed {
        let replay = &self.agent().replay;
        let prioritized = matches!(replay.sampling, Sampling::Proportional { .. } | Sampling::RankBased { .. });
        let priority = if prioritized { PRIORITY } else { 0 };
        let per_transition = observation.frame_bytes() as u64 + RECORD + priority;
        // Without copies, an agent never holds more than it has played.
        let held = match replay.sampling {
            Sampling::CopyRewarded { .. } => replay.capacity as u64,
            _ => (replay.capacity as u64).min(self.training().limit.0),
        };
        // s and s', as bytes on the host and on the device, where they become numbers of four bytes.
        let of_observations = observation.bytes() as u64 * 2 * (1 + 1 + 4);
        let of_quantiles = match self.agent().learning.objective {
            Objective::Quantile { quantiles, .. } => PAIR * (quantiles.get() as u64).pow(2),
            Objective::Td(_) | Objective::Categorical { .. } => 0,
        };
        let batches = self.agent().learning.batch_size as u64 * (of_observations + of_quantiles);
        MemoryNeed { replay: held.saturating_mul(per_transition), batches, per_transition }
    }
}

impl MemoryNeed {
    /// Bytes of all together.
    pub fn total(&self) -> u64 {
        self.replay.saturating_add(self.batches)
    }

    /// Whether `available` bytes are enough for the run of `config` that needs this.
    ///
    /// # Errors
    /// [`NotEnoughMemory`], with the capacity that would fit.
    pub fn check(&self, config: &Config, available: u64) -> Result<(), NotEnoughMemory> {
        if self.total() <= available {
            return Ok(());
        }
        Err(NotEnoughMemory {
            needed: self.total(),
            batches: self.batches,
            available,
            capacity: config.agent().replay.capacity,
            fits: available.saturating_sub(self.batches) / self.per_transition,
        })
    }
}

/// A number of bytes, as people say it.
fn bytes(bytes: u64) -> String {
    const GB: f64 = 1e9;
    if bytes as f64 >= GB { format!("{:.1} GB", bytes as f64 / GB) } else { format!("{:.0} MB", bytes as f64 / 1e6) }
}

#[cfg(test)]
mod tests {
    use prism_environment::Element;

    use super::*;

    fn screens() -> ObservationSpec {
        ObservationSpec { stack: 4, frame: vec![84, 84], element: Element::U8 }
    }

    #[test]
    fn the_replay_of_the_paper_takes_seven_gigabytes() {
        let need = Config::preset("dqn").unwrap().memory(&screens());
        assert_eq!(need.replay, 1_000_000 * (84 * 84 + RECORD));
        let prioritized = Config::preset("prioritized").unwrap().memory(&screens());
        assert_eq!(prioritized.replay - need.replay, 1_000_000 * PRIORITY);
        let short = Config::preset("dqn").unwrap().with("training.agent_steps", 100_000).unwrap();
        assert_eq!(short.memory(&screens()).replay, 100_000 * (84 * 84 + RECORD), "no more than is played");
    }

    #[test]
    fn pairs_of_quantiles_are_counted_and_no_capacity_is_blamed_for_them() {
        let config = Config::preset("qr-dqn").unwrap();
        let many = config.with_all([("learning.quantiles", 1000), ("learning.batch_size", 1024)]).unwrap();
        let (few, many_need) = (config.memory(&screens()), many.memory(&screens()));
        assert_eq!(few.batches, 32 * (12 * 4 * 84 * 84 + PAIR * 200 * 200));
        assert!(many_need.batches > 1024 * 1000 * 1000 * 32, "{}", many_need.batches);
        let message = many_need.check(&many, 4_000_000_000).unwrap_err().to_string();
        assert!(message.contains("for batches") && message.contains("lower learning.batch_size"), "{message}");
    }

    #[test]
    fn too_little_memory_is_said_with_the_capacity_that_would_fit() {
        let config = Config::preset("dqn").unwrap().with("replay.capacity", 1_000_000_000).unwrap();
        let need = config.memory(&screens());
        assert_eq!(need.check(&config, need.total()), Ok(()));
        let error = need.check(&config, 4_000_000_000).unwrap_err();
        let fits = config.with_all([("replay.capacity", error.fits as i64)]).unwrap();
        assert!(fits.memory(&screens()).check(&fits, 4_000_000_000).is_ok());
        let message = error.to_string();
        assert!(
            message.contains("4.0 GB") && message.contains(&format!("replay.capacity = {}", error.fits)),
            "{message}"
        );
    }
}
