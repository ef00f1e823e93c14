//! [`ConvolutionOps`] on Flex: the passes of [`super::direct`], shared among threads.
//!
//! Burn's Flex convolves through a generic three-dimensional im2col, and its backward pass is a transposed convolution
//! and a convolution with the gradient as kernel.
//!
//! Every sum is made by one thread in one order, so that results do not depend on the number of threads: threads share
//! images, or, for the weight gradient, which sums over images, values of the receptive field.

#![allow(unsafe_code, reason = "outputs are not zeroed before they are written")]

use std::cell::Cell;
use std::mem::MaybeUninit;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use pulp::Arch;
use rayon::prelude::*;

use super::convolution::ConvolutionOps;
use super::direct::{Geometry, InputGradient, Output, Rectify, WeightGradient};
use super::flex::{SMALL, contiguous, share, tensor, values, written};

/// Pieces that the weight gradient is cut into, at least: more than small machines have threads.
const PIECES: usize = 16;

fn geometry(x: &FlexTensor, weight: &FlexTensor, stride: usize) -> (usize, Geometry) {
    let [batch, height, width, channels] = x.layout().shape().dims::<4>();
    let [out, _, size, _] = weight.layout().shape().dims::<4>();
    (batch, Geometry { height, width, channels, size, stride, out })
}

fn output(arch: Arch, batch: usize, geometry: Geometry, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let packed = geometry.weight_by_patch(weight);
    let mut padded_bias = vec![0.0; geometry.padded_out()];
    padded_bias[..bias.len()].copy_from_slice(bias);
    let pixels = geometry.pixels();
    let work = batch * pixels * geometry.patch() * geometry.out;
    // A single image is cut, so that every thread has something to do.
    let parts = if work < SMALL { 1 } else { rayon::current_num_threads().div_ceil(batch) };
    let part = pixels.div_ceil(parts);
    let one = |image: &[f32], start: usize, output: &mut [MaybeUninit<f32>]| {
        let range = start..start + output.len() / geometry.out;
        arch.dispatch(Output::new(geometry, image, &packed, &padded_bias, range, output));
    };
    let images = x.par_chunks(geometry.image());
    // SAFETY: each pixel of each image is in one part, and all of a part's pixels are written.
    unsafe {
        written(batch * pixels * geometry.out, |outputs| {
            let outputs = outputs.par_chunks_mut(pixels * geometry.out);
            share(images.zip(outputs), work, |(image, output)| {
                if parts == 1 {
                    one(image, 0, output);
                } else {
                    let parts = output.par_chunks_mut(part * geometry.out).enumerate();
                    parts.for_each(|(index, output)| one(image, index * part, output));
                }
            });
        })
    }
}

thread_local! {
    /// Memory for [`rectified`], kept because it is large and needed again at once.
    static RECTIFIED: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Calls `then` with the gradient before the rectifier, `[batch, pixels, padded out]`, and its sums, `[out]`.
fn rectified<T>(
    arch: Arch,
    batch: usize,
    geometry: Geometry,
    output: &[f32],
    gradient: &[f32],
    then: impl FnOnce(&[f32], Vec<f32>) -> T,
) -> T {
    let (out, padded) = (geometry.pixels() * geometry.out, geometry.pixels() * geometry.padded_out());
    let mut rectified = RECTIFIED.take();
    if padded != out {
        // What fills the last vectors is read, and must be 0.
        rectified.clear();
    }
    rectified.resize(batch * padded, 0.0);
    let mut sums = vec![0.0f32; batch * geometry.out];
    let images = rectified
        .par_chunks_mut(padded)
        .zip(sums.par_chunks_mut(geometry.out))
        .zip(output.par_chunks(out))
        .zip(gradient.par_chunks(out));
    // A pass over memory: a value costs about as much as 32 multiplications in registers.
    share(images, 32 * batch * out, |(((rectified, sums), output), gradient)| {
        arch.dispatch(Rectify::new(geometry, output, gradient, rectified, sums));
    });
    let mut total = vec![0.0f32; geometry.out];
    for sums in sums.chunks_exact(geometry.out) {
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
    }
    let result = then(&rectified, total);
    RECTIFIED.set(rectified);
    result
}

/// `[out, channels, size, size]`, of a gradient that [`rectified`] made.
fn weight_gradient(arch: Arch, batch: usize, geometry: Geometry, x: &[f32], gradient: &[f32]) -> Vec<f32> {
    let (run, padded) = (geometry.run(), geometry.padded_out());
    let mut sums = vec![0.0f32; geometry.patch() * padded];
    // Whole vectors of values, so that pieces but the last of a run have no remainder of a tile.
    let piece = run.div_ceil(PIECES.div_ceil(geometry.size)).next_multiple_of(24).min(run);
    let pieces: Vec<_> = sums
        .chunks_exact_mut(run * padded)
        .enumerate()
        .flat_map(|(index, sums)| {
            let pieces = sums.chunks_mut(piece * padded).enumerate();
            pieces.map(move |(within, sums)| (index * run + within * piece, sums))
        })
        .collect();
    let work = batch * geometry.pixels() * geometry.patch() * geometry.out;
    share(pieces.into_par_iter(), work, |(start, sums)| {
        let gradients = gradient.chunks_exact(geometry.pixels() * padded);
        for (image, gradient) in x.chunks_exact(geometry.image()).zip(gradients) {
            let values = start..start + sums.len() / padded;
            arch.dispatch(WeightGradient::new(geometry, image, gradient, values, sums));
        }
    });
    debug_assert_eq!(x.len(), batch * geometry.image());
    geometry.weight_from_patches(&sums)
}

/// `[batch, height, width, channels]`, of a gradient that [`rectified`] made.
fn input_gradient(arch: Arch, batch: usize, geometry: Geometry, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
    let packed = geometry.weight_by_out(weight);
    let mut images = vec![0.0f32; batch * geometry.image()];
    let work = batch * geometry.pixels() * geometry.patch() * geometry.out;
    let gradients = gradient.par_chunks(geometry.pixels() * geometry.padded_out());
    share(images.par_chunks_mut(geometry.image()).zip(gradients), work, |(image, gradient)| {
        arch.dispatch(InputGradient::new(geometry, &packed, gradient, image));
    });
    images
}

impl ConvolutionOps for Flex {
    fn convolution_relu(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let (batch, geometry) = geometry(&x, &weight, stride);
        let [x, weight, bias] = [x, weight, bias].map(contiguous);
        let output = output(Arch::new(), batch, geometry, values(&x), values(&weight), values(&bias));
        tensor(output, [batch, geometry.rows(), geometry.columns(), geometry.out])
    }

    fn convolution_relu_weight_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        stride: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (batch, geometry) = geometry(&x, &weight, stride);
        let [x, output, output_gradient] = [x, output, output_gradient].map(contiguous);
        let arch = Arch::new();
        rectified(arch, batch, geometry, values(&output), values(&output_gradient), |gradient, sums| {
            let gradient = weight_gradient(arch, batch, geometry, values(&x), gradient);
            (tensor(gradient, weight.layout().shape().clone()), tensor(sums, [geometry.out]))
        })
    }

    fn convolution_relu_input_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let (batch, geometry) = geometry(&x, &weight, stride);
        let [weight, output, output_gradient] = [weight, output, output_gradient].map(contiguous);
        let arch = Arch::new();
        rectified(arch, batch, geometry, values(&output), values(&output_gradient), |gradient, _| {
            let gradient = input_gradient(arch, batch, geometry, values(&weight), gradient);
            tensor(gradient, x.layout().shape().clone())
        })
    }
}
