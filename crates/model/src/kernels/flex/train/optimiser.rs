//! [`AdamOps`] and [`RmsPropOps`] on Flex: one parallel pass that reads and writes each element once.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use prism_kernels::share;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::whole;
use crate::kernels::flex::buffers::{contiguous, values};
use crate::kernels::train::adam::{AdamFactors, AdamOps};
use crate::kernels::train::rms_prop::{RmsPropFactors, RmsPropOps};

/// Elements a thread takes at a time: four such pieces fit a first-level cache's share of the second level.
const PIECE: usize = 16 * 1024;

/// An optimiser's step for one element of the parameter and both means.
trait Step: Copy + Sync + Send {
    fn step(self, element: [&mut f32; 3], gradient: f32);
}

impl Step for AdamFactors {
    #[inline(always)]
    fn step(self, [parameter, m, v]: [&mut f32; 3], g: f32) {
        *m = self.keep_1 * *m + (1.0 - self.keep_1) * g;
        *v = self.keep_2 * *v + (1.0 - self.keep_2) * (g * g);
        *parameter -= self.step * *m / (v.sqrt() * self.correction_2 + self.epsilon);
    }
}

impl Step for RmsPropFactors {
    #[inline(always)]
    fn step(self, [parameter, m, v]: [&mut f32; 3], g: f32) {
        *m = self.keep * *m + (1.0 - self.keep) * g;
        *v = self.keep * *v + (1.0 - self.keep) * (g * g);
        *parameter -= self.step * g / ((*v - *m * *m).max(0.0) + self.epsilon).sqrt();
    }
}

/// Some elements; the compiler vectorises their steps for the processor.
struct Piece<'a, F> {
    elements: [&'a mut [f32]; 3],
    gradient: &'a [f32],
    factors: F,
}

impl<F: Step> WithSimd for Piece<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let [parameter, mean, mean_square] = self.elements;
        for (((parameter, mean), mean_square), &gradient) in
            parameter.iter_mut().zip(mean).zip(mean_square).zip(self.gradient)
        {
            self.factors.step([parameter, mean, mean_square], gradient);
        }
    }
}

fn step(elements: [FlexTensor; 3], gradient: FlexTensor, factors: impl Step) -> (FlexTensor, FlexTensor, FlexTensor) {
    let arch = Arch::new();
    let gradient = contiguous(gradient);
    let [mut parameter, mut mean, mut mean_square] = elements.map(whole);
    let gradients = values(&gradient);
    let pieces = parameter
        .storage_mut::<f32>()
        .par_chunks_mut(PIECE)
        .zip(mean.storage_mut::<f32>().par_chunks_mut(PIECE))
        .zip(mean_square.storage_mut::<f32>().par_chunks_mut(PIECE))
        .zip(gradients.par_chunks(PIECE));
    // An element is read and written in four arrays, which costs about as much as 32 multiplications in registers.
    share(pieces, 32 * gradients.len(), |(((parameter, mean), mean_square), gradient)| {
        arch.dispatch(Piece { elements: [parameter, mean, mean_square], gradient, factors });
    });
    (parameter, mean, mean_square)
}

impl AdamOps for Flex {
    fn adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        factors: AdamFactors,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        step([parameter, moment_1, moment_2], gradient, factors)
    }
}

impl RmsPropOps for Flex {
    fn rms_prop_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        mean_square: FloatTensor<Self>,
        factors: RmsPropFactors,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        step([parameter, mean, mean_square], gradient, factors)
    }
}
