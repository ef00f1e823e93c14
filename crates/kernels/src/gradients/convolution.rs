//! The gradients of a convolution of a batch: the passes of [`super::direct`], shared among threads.

#![allow(unsafe_code, reason = "outputs are not zeroed before they are written")]

use pulp::Arch;

use super::direct::{GradientSums, InputPass, Rectify, WeightPass};
use crate::convolution::{ConvolutionWork, surrounded};
use crate::direct::{Fields, OutputPass};
use crate::threads::*;
#[cfg(feature = "threads")]
use rayon::slice::Chunks;
#[cfg(not(feature = "threads"))]
use std::slice::Chunks;

/// Pieces that the weight gradient is cut into, at least: more than small machines have threads.
const PIECES: usize = 16;

/// Cost of a value that passes from memory through a register, in multiplications.
const COST: usize = 32;

/// Turns the gradient after the rectifier into the one before it, in place, and returns its sums, `[out]`.
///
/// # Shapes
/// - `output`: `[batch, pixels, out]`
/// - `gradient`: `[batch, pixels, padded out]`
pub fn rectify(arch: Arch, work: ConvolutionWork, output: &[f32], gradient: &mut [f32]) -> Vec<f32> {
    let ConvolutionWork { batch, geometry, .. } = work;
    let (pixels, out) = (geometry.pixels(), geometry.out);
    let mut sums = vec![0.0f32; batch * out];
    let images = gradient.par_chunks_mut(pixels * geometry.padded_out()).zip(sums.par_chunks_mut(out));
    share(images.zip(output.par_chunks(pixels * out)), COST * output.len(), |((gradient, sums), output)| {
        arch.dispatch(Rectify { geometry, output, gradient, sums });
    });
    total(&sums, out)
}

/// The sums, `[out]`, of a gradient `[batch, pixels, padded out]`.
pub fn gradient_sums(arch: Arch, work: ConvolutionWork, gradient: &[f32]) -> Vec<f32> {
    let ConvolutionWork { batch, geometry, .. } = work;
    let out = geometry.out;
    let mut sums = vec![0.0f32; batch * out];
    let images = gradient.par_chunks(geometry.pixels() * geometry.padded_out()).zip(sums.par_chunks_mut(out));
    share(images, COST * batch * geometry.pixels() * out, |(gradient, sums)| {
        arch.dispatch(GradientSums { geometry, gradient, sums });
    });
    total(&sums, out)
}

fn total(sums: &[f32], out: usize) -> Vec<f32> {
    let mut total = vec![0.0f32; out];
    for sums in sums.chunks_exact(out) {
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
    }
    total
}

/// Gradient of the weight, `[out, channels, size, size]`, from a gradient before the rectifier.
pub fn convolution_weight_gradient(arch: Arch, work: ConvolutionWork, x: &[f32], gradient: &[f32]) -> Vec<f32> {
    let ConvolutionWork { padding, geometry, .. } = work;
    let (run, padded_out) = (geometry.run(), geometry.padded_out());
    let mut sums = vec![0.0f32; geometry.patch() * padded_out];
    // Whole vectors of values, so that pieces but the last of a run have no remainder of a tile.
    let piece = run.div_ceil(PIECES.div_ceil(geometry.size)).next_multiple_of(24).min(run);
    let mut pieces: Vec<_> = sums
        .chunks_exact_mut(run * padded_out)
        .enumerate()
        .flat_map(|(index, sums)| {
            let pieces = sums.chunks_mut(piece * padded_out).enumerate();
            pieces.map(move |(within, sums)| (index * run + within * piece, sums))
        })
        .collect();
    // A thread goes through the images once for all its pieces, while an image and its gradient are in its cache. More
    // tasks than threads balance the load when a thread is delayed.
    let together = pieces.len().div_ceil(2 * threads());
    share(pieces.par_chunks_mut(together), work.multiplications(), |pieces| {
        let mut padded = Vec::new();
        let gradients = gradient.chunks_exact(geometry.pixels() * padded_out);
        for (image, gradient) in x.chunks_exact(work.image()).zip(gradients) {
            let image = surrounded(image, work.line(), geometry.channels, padding, &mut padded);
            for (start, sums) in &mut *pieces {
                let values = *start..*start + sums.len() / padded_out;
                arch.dispatch(WeightPass::new(geometry, image, gradient, values, sums));
            }
        }
    });
    debug_assert_eq!(x.len(), work.batch * work.image());
    geometry.weight_from_patches(&sums)
}

/// Gradient of the input, `[batch, height, width, channels]`, from a gradient before the rectifier.
pub fn convolution_input_gradient(arch: Arch, work: ConvolutionWork, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
    let ConvolutionWork { padding, geometry, .. } = work;
    let together = work.together();
    let gradients = gradient.par_chunks(together * geometry.pixels() * geometry.padded_out());
    if padding > 0 && geometry.stride == 1 {
        return reversed_input_gradient(arch, work, weight, gradients);
    }
    let packed = geometry.weight_by_out(weight);
    let fields = Fields::new(geometry, together);
    let mut images = vec![0.0f32; work.batch * work.image()];
    let pairs = images.par_chunks_mut(together * work.image()).zip(gradients);
    share(pairs, work.multiplications(), |(image, gradient)| {
        if padding == 0 {
            arch.dispatch(InputPass::new(&fields, &packed, gradient, image));
            return;
        }
        let mut padded = vec![0.0; geometry.image()];
        arch.dispatch(InputPass::new(&fields, &packed, gradient, &mut padded));
        let rows = padded.chunks_exact(geometry.width * geometry.channels).skip(padding);
        for (row, padded) in image.chunks_exact_mut(work.line()).zip(rows) {
            row.copy_from_slice(&padded[padding * geometry.channels..][..row.len()]);
        }
    });
    images
}

/// [`convolution_input_gradient`] as a convolution of the gradient: sums are as long as those of the output, and none is written twice.
/// With zeros around the image it needs few more multiplications; without, it would need many.
fn reversed_input_gradient(arch: Arch, work: ConvolutionWork, weight: &[f32], gradients: Chunks<f32>) -> Vec<f32> {
    let (reversed, border) = work.geometry.reversed(work.padding);
    let packed = reversed.weight_by_patch(&work.geometry.reversed_weight(weight));
    let no_bias = vec![0.0; reversed.padded_out()];
    let fields = Fields::new(reversed, 1);
    let line = work.geometry.columns() * reversed.channels;
    // SAFETY: each image is written whole.
    unsafe {
        written(work.batch * work.image(), |images| {
            let pairs = images.par_chunks_mut(work.image()).zip(gradients);
            share(pairs, work.multiplications(), |(image, gradient)| {
                let mut padded = Vec::new();
                let gradient = surrounded(gradient, line, reversed.channels, border, &mut padded);
                let pixels = 0..reversed.pixels();
                arch.dispatch(OutputPass::new(&fields, gradient, &packed, &no_bias, f32::NEG_INFINITY, pixels, image));
            });
        })
    }
}
