//! [`ConvolutionOps`] on Flex: the passes of [`super::direct`], shared among threads.
//!
//! Burn's Flex convolves through a generic three-dimensional im2col, and its backward pass is a transposed convolution
//! and a convolution with the gradient as kernel.
//!
//! Every sum is made by one thread in one order, so that results do not depend on the number of threads: threads share
//! images, or, for the weight gradient, which sums over images, values of the receptive field.

#![allow(unsafe_code, reason = "outputs are not zeroed before they are written")]

use std::mem::MaybeUninit;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use pulp::Arch;
use rayon::prelude::*;

use super::buffers::{SMALL, contiguous, share, tensor, values, written};
use super::dense::padded;
use super::direct::{Fields, Geometry, OutputPass};
use crate::kernels::convolution::{ConvolutionForm, ConvolutionOps, FusedActivation};

/// Output pixels that a thread takes at a time, if there are enough.
const TOGETHER: usize = 192;

/// A convolution of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub(super) batch: usize,
    /// Zeros around an image, which `geometry` counts in.
    pub(super) padding: usize,
    pub(super) activation: FusedActivation,
    pub(super) geometry: Geometry,
}

impl Work {
    pub(super) fn new(x: &FlexTensor, weight: &FlexTensor, form: ConvolutionForm) -> Self {
        let [batch, height, width, channels] = x.layout().shape().dims::<4>();
        let [out, _, size, _] = weight.layout().shape().dims::<4>();
        let ConvolutionForm { stride, padding, activation } = form;
        let [height, width] = [height, width].map(|side| side + 2 * padding);
        Self { batch, padding, activation, geometry: Geometry { height, width, channels, size, stride, out } }
    }

    /// Values of a row of an image, without zeros around it.
    pub(super) fn line(&self) -> usize {
        (self.geometry.width - 2 * self.padding) * self.geometry.channels
    }

    /// Values of an image, without zeros around it.
    pub(super) fn image(&self) -> usize {
        (self.geometry.height - 2 * self.padding) * self.line()
    }

    /// How many images a thread takes at a time: taking several small ones without padding leaves fewer partly filled
    /// tiles.
    pub(super) fn together(&self) -> usize {
        if self.padding > 0 {
            return 1;
        }
        let tasks = 4 * rayon::current_num_threads();
        TOGETHER.div_ceil(self.geometry.pixels()).min(self.batch / tasks).max(1)
    }

    pub(super) fn multiplications(&self) -> usize {
        self.batch * self.geometry.pixels() * self.geometry.patch() * self.geometry.out
    }
}

/// `image`, whose rows have `line` values, with `border` zero pixels of `channels` values on each side. It is written into
/// `padded`, unless `border` is 0.
pub(super) fn surrounded<'a>(
    image: &'a [f32],
    line: usize,
    channels: usize,
    border: usize,
    padded: &'a mut Vec<f32>,
) -> &'a [f32] {
    if border == 0 {
        return image;
    }
    let margin = border * channels;
    let above = border * (line + 2 * margin);
    padded.clear();
    padded.resize(above, 0.0);
    for row in image.chunks_exact(line) {
        padded.resize(padded.len() + margin, 0.0);
        padded.extend_from_slice(row);
        padded.resize(padded.len() + margin, 0.0);
    }
    padded.resize(padded.len() + above, 0.0);
    padded
}

/// The convolution's output, `[batch, rows, columns, out]`.
pub(super) fn output(arch: Arch, work: Work, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let Work { batch, padding, activation, geometry } = work;
    let packed = geometry.weight_by_patch(weight);
    let bias = padded(bias, bias.len());
    let lowest = match activation {
        FusedActivation::Relu => 0.0,
        FusedActivation::Identity => f32::NEG_INFINITY,
    };
    let pixels = geometry.pixels();
    // Where there are fewer images than threads, an image is divided among threads.
    let parts = if work.multiplications() < SMALL { 1 } else { rayon::current_num_threads().div_ceil(batch) };
    let part = pixels.div_ceil(parts);
    let together = work.together();
    let fields = Fields::new(geometry, together);
    let one = |images: &[f32], start: usize, output: &mut [MaybeUninit<f32>]| {
        let range = start..start + output.len() / geometry.out;
        arch.dispatch(OutputPass::new(&fields, images, &packed, &bias, lowest, range, output));
    };
    let images = x.par_chunks(together * work.image());
    // SAFETY: each pixel of each image is in one part, and all of a part's pixels are written.
    unsafe {
        written(batch * pixels * geometry.out, |outputs| {
            let outputs = outputs.par_chunks_mut(together * pixels * geometry.out);
            share(images.zip(outputs), work.multiplications(), |(images, output)| {
                let mut padded = Vec::new();
                let images = surrounded(images, work.line(), geometry.channels, padding, &mut padded);
                if parts == 1 {
                    one(images, 0, output);
                } else {
                    let parts = output.par_chunks_mut(part * geometry.out).enumerate();
                    parts.for_each(|(index, output)| one(images, index * part, output));
                }
            });
        })
    }
}

impl ConvolutionOps for Flex {
    fn convolution(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: ConvolutionForm,
    ) -> FloatTensor<Self> {
        let work = Work::new(&x, &weight, form);
        let [x, weight, bias] = [x, weight, bias].map(contiguous);
        let output = output(Arch::new(), work, values(&x), values(&weight), values(&bias));
        let Geometry { out, .. } = work.geometry;
        tensor(output, [work.batch, work.geometry.rows(), work.geometry.columns(), out])
    }
}
