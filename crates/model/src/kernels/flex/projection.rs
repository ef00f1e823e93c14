//! [`ProjectionOps`] on Flex.

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;

use super::buffers::{contiguous, tensor, values};
use crate::kernels::projection::ProjectionOps;
use crate::support::Support;

impl ProjectionOps for Flex {
    fn project(
        returns: FloatTensor<Self>,
        discounts: FloatTensor<Self>,
        probabilities: FloatTensor<Self>,
        support: Support,
    ) -> FloatTensor<Self> {
        let shape = probabilities.layout().shape().dims::<2>();
        let [returns, discounts, probabilities] = [returns, discounts, probabilities].map(contiguous);
        let atoms = support.values();
        let mut projected = vec![0.0f32; shape[0] * shape[1]];
        let rows = projected.chunks_exact_mut(shape[1]).zip(values(&probabilities).chunks_exact(shape[1]));
        for ((row, probabilities), (&g, &d)) in rows.zip(values(&returns).iter().zip(values(&discounts))) {
            scatter(row, probabilities, &atoms, |z| (g + d * z - support.v_min()) / support.spacing());
        }
        tensor(projected, shape)
    }
}

/// Divides the probability of each atom between the two atoms next to its `position`, in units of the spacing.
///
/// One thread owns a whole row, so its sums need no atomic operations and each atom is read once.
fn scatter(row: &mut [f32], probabilities: &[f32], atoms: &[f32], position: impl Fn(f32) -> f32) {
    let last = row.len() - 1;
    for (&probability, &z) in probabilities.iter().zip(atoms) {
        let b = position(z).clamp(0.0, last as f32);
        // The last atom is the upper neighbour of the one before it, so that there always are two.
        let lower = (b as usize).min(last - 1);
        let upper_share = b - lower as f32;
        row[lower] += (1.0 - upper_share) * probability;
        row[lower + 1] += upper_share * probability;
    }
}
