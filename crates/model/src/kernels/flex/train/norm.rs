//! [`NormOps`] on Flex, as parallel passes; scaling by 1 is skipped.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use prism_kernels::share;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::whole;
use crate::kernels::flex::buffers::{contiguous, tensor, values};
use crate::kernels::train::norm::NormOps;

/// Elements whose squares are summed in single precision; these sums are added in double precision.
const PIECE: usize = 16 * 1024;

/// Cost of an element that passes from memory through a register, in multiplications.
const COST: usize = 16;

/// Σ x² of a few elements, in as many sums as the longest vector has lanes.
struct Squares<'a>(&'a [f32]);

impl WithSimd for Squares<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f32 {
        let (groups, rest) = self.0.as_chunks::<64>();
        let mut sums = [0.0f32; 64];
        for group in groups {
            for (sum, x) in sums.iter_mut().zip(group) {
                *sum += x * x;
            }
        }
        sums.iter().sum::<f32>() + rest.iter().map(|x| x * x).sum::<f32>()
    }
}

impl NormOps for Flex {
    fn sum_of_squares(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let arch = Arch::new();
        let x = contiguous(x);
        let x = values(&x);
        let mut sums = vec![0.0f64; x.len().div_ceil(PIECE)];
        share(x.par_chunks(PIECE).zip(&mut sums), COST * x.len(), |(x, sum)| {
            *sum = f64::from(arch.dispatch(Squares(x)));
        });
        // In the order of the pieces, so that the sum does not depend on the number of threads.
        tensor(vec![sums.iter().sum::<f64>() as f32], [1])
    }

    fn scaled_by(x: FloatTensor<Self>, factor: FloatTensor<Self>) -> FlexTensor {
        let factor = values(&contiguous(factor))[0];
        if factor == 1.0 {
            return x;
        }
        let mut x = whole(x);
        let elements = x.storage_mut::<f32>();
        let work = COST * elements.len();
        share(elements.par_chunks_mut(PIECE), work, |piece| piece.iter_mut().for_each(|x| *x *= factor));
        x
    }
}
