//! The batch that learning has blown up on.

use super::Agent;
use crate::batch::Batch;
use crate::learner::UpdateResult;
use crate::transition::TransitionId;

/// The transitions of an update with a loss that is not finite, as far as the replay still has them. Importance weights are
/// not kept: all are 1 here.
#[derive(Clone, Debug, PartialEq)]
pub struct OffendingBatch {
    /// The update, from 1.
    pub update: u64,
    /// The transitions.
    pub batch: Batch,
    /// Loss of each, `[B]`.
    pub losses: Vec<f32>,
    /// Q-value of the chosen action of each before the update, `[B]`.
    pub q_values: Vec<f32>,
}

/// What an agent keeps of such an update.
#[derive(Clone, Debug)]
pub(super) struct Offence {
    pub(super) update: u64,
    pub(super) ids: Vec<TransitionId>,
    pub(super) result: UpdateResult,
}

impl Agent {
    /// The batch of the update that made [`learn`](Self::learn) fail, once it has.
    pub fn offending_batch(&self) -> Option<OffendingBatch> {
        let Offence { update, ids, result } = self.offence.as_ref()?;
        let living = self.replay.living();
        let kept: Vec<usize> = (0..ids.len()).filter(|&index| living.contains(&ids[index])).collect();
        let mut batch = Batch::new(kept.len(), self.network_config().input.bytes());
        batch.ids = kept.iter().map(|&index| ids[index]).collect();
        self.replay.gather(&mut batch);
        let of = |values: &[f32]| kept.iter().map(|&index| values[index]).collect();
        Some(OffendingBatch { update: *update, losses: of(&result.losses), q_values: of(&result.q_values), batch })
    }
}
