//! A batch: what a learner reads in one update.

use crate::transition::TransitionId;

/// `B` transitions as a structure of arrays. The buffers are made once and filled again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Bytes of `s`: `[B, stack, frame bytes]`, newest frame last.
    pub observations: Vec<u8>,
    /// Indices of the actions taken in `s`: `[B]`.
    pub actions: Vec<i32>,
    /// n-step returns: `[B]`.
    pub returns: Vec<f32>,
    /// Weights of the values of `s'`: `[B]`, 0 where there is no bootstrap.
    pub discounts: Vec<f32>,
    /// Bytes of `s'`: `[B, stack, frame bytes]`, newest frame last.
    pub next_observations: Vec<u8>,
    /// Which transitions these are: `[B]`.
    pub ids: Vec<TransitionId>,
    /// Factors of the per-example losses: `[B]`, the largest is 1; all are 1 when draws are uniform.
    pub importance_weights: Vec<f32>,
}

impl Batch {
    /// Buffers for `size` transitions whose observations have `observation_bytes` bytes each.
    pub fn new(size: usize, observation_bytes: usize) -> Self {
        Self {
            observations: vec![0; size * observation_bytes],
            actions: vec![0; size],
            returns: vec![0.0; size],
            discounts: vec![0.0; size],
            next_observations: vec![0; size * observation_bytes],
            ids: vec![TransitionId(0); size],
            importance_weights: vec![1.0; size],
        }
    }

    /// `B`, the number of transitions.
    pub fn size(&self) -> usize {
        self.ids.len()
    }
}
