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
    let mut pieces: Vec<_> = sums
        .chunks_exact_mut(run * padded)
        .enumerate()
        .flat_map(|(index, sums)| {
            let pieces = sums.chunks_mut(piece * padded).enumerate();
            pieces.map(move |(within, sums)| (index * run + within * piece, sums))
        })
        .collect();
    let work = batch * geometry.pixels() * geometry.patch() * geometry.out;
    // A thread goes through the images once for all its pieces, while an image and its gradient are in its cache. There are
    // more tasks than threads, for threads that are held up.
    let together = pieces.len().div_ceil(2 * rayon::current_num_threads());
    share(pieces.par_chunks_mut(together), work, |pieces| {
        let gradients = gradient.chunks_exact(geometry.pixels() * padded);
        for (image, gradient) in x.chunks_exact(geometry.image()).zip(gradients) {
            for (start, sums) in &mut *pieces {
                let values = *start..*start + sums.len() / padded;
                arch.dispatch(WeightGradient::new(geometry, image, gradient, values, sums));
            }
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

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::kernels::tile::instruction_sets;

    /// Images, geometry.
    fn cases(rng: &mut Xoshiro256PlusPlus) -> Vec<(usize, Geometry)> {
        let of = |[batch, side, channels, size, stride, out]: [usize; 6]| {
            (batch, Geometry { height: side, width: side, channels, size, stride, out })
        };
        // Nature's layers, IMPALA's, and an image large enough to be cut among threads.
        let mut cases: Vec<_> = [
            [2, 84, 4, 8, 4, 32],
            [3, 20, 32, 4, 2, 64],
            [3, 9, 64, 3, 1, 64],
            [2, 16, 4, 3, 1, 16],
            [2, 11, 16, 3, 1, 32],
            [1, 84, 4, 8, 4, 32],
        ]
        .map(of)
        .into();
        for _ in 0..40 {
            let size = rng.random_range(1..6);
            let [height, width] = [0, 1].map(|_| size + rng.random_range(0..9));
            let [batch, channels, stride, out] = [5, 20, 4, 50].map(|end| rng.random_range(1..end));
            cases.push((batch, Geometry { height, width, channels, size, stride, out }));
        }
        cases
    }

    fn random(len: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<f32> {
        (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    /// Calls `visit(pixel of all images, value of the image, weight)` for each multiplication of the documented sum.
    fn multiplications(batch: usize, g: Geometry, mut visit: impl FnMut(usize, usize, usize)) {
        for image in 0..batch {
            for pixel in 0..g.pixels() {
                let (row, column) = (pixel / g.columns() * g.stride, pixel % g.columns() * g.stride);
                for (y, x, channel) in (0..g.size)
                    .flat_map(|y| (0..g.size).map(move |x| (y, x)))
                    .flat_map(|(y, x)| (0..g.channels).map(move |channel| (y, x, channel)))
                {
                    let value = ((image * g.height + row + y) * g.width + column + x) * g.channels + channel;
                    visit(image * g.pixels() + pixel, value, (channel * g.size + y) * g.size + x);
                }
            }
        }
    }

    #[track_caller]
    fn assert_close(what: &str, actual: &[f32], expected: &[f64], terms: usize) {
        assert_eq!(actual.len(), expected.len());
        // Terms are below 1; their sum is of the size of the root of their number.
        let tolerance = 1e-5 * (terms as f64).sqrt();
        for (index, (&actual, expected)) in actual.iter().zip(expected).enumerate() {
            let error = (f64::from(actual) - expected).abs();
            assert!(error <= tolerance, "{what} {index}: {actual} is not {expected}");
        }
    }

    #[test]
    fn each_instruction_set_computes_the_documented_sums() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        for (batch, g) in cases(&mut rng) {
            let weights = g.patch();
            let [x, weight, bias] = [batch * g.image(), g.out * weights, g.out].map(|len| random(len, &mut rng));
            let pixels = batch * g.pixels();
            let mut sums: Vec<f64> = (0..pixels * g.out).map(|i| f64::from(bias[i % g.out])).collect();
            multiplications(batch, g, |pixel, value, weight_of| {
                for out in 0..g.out {
                    sums[pixel * g.out + out] += f64::from(x[value]) * f64::from(weight[out * weights + weight_of]);
                }
            });
            let rectified: Vec<f64> = sums.iter().map(|sum| sum.max(0.0)).collect();
            // Where rounding could decide on which side of the rectifier a sum is, nothing flows back.
            let cotangent: Vec<f32> =
                sums.iter().map(|sum| if sum.abs() < 1e-3 { 0.0 } else { rng.random_range(-1.0..1.0) }).collect();
            let mut weight_sums = vec![0.0f64; weight.len()];
            let mut bias_sums = vec![0.0f64; g.out];
            let mut x_sums = vec![0.0f64; x.len()];
            let flow = |index: usize| if sums[index] > 0.0 { f64::from(cotangent[index]) } else { 0.0 };
            (0..sums.len()).for_each(|index| bias_sums[index % g.out] += flow(index));
            multiplications(batch, g, |pixel, value, weight_of| {
                for out in 0..g.out {
                    let gradient = flow(pixel * g.out + out);
                    weight_sums[out * weights + weight_of] += gradient * f64::from(x[value]);
                    x_sums[value] += gradient * f64::from(weight[out * weights + weight_of]);
                }
            });
            for arch in instruction_sets() {
                let what = |pass: &str| format!("{pass} of {batch} images, {g:?}, {arch:?}, value");
                let forward = output(arch, batch, g, &x, &weight, &bias);
                assert_close(&what("output"), &forward, &rectified, weights);
                let (weight_gradient, bias_gradient, x_gradient) =
                    super::rectified(arch, batch, g, &forward, &cotangent, |gradient, bias| {
                        (
                            weight_gradient(arch, batch, g, &x, gradient),
                            bias,
                            input_gradient(arch, batch, g, &weight, gradient),
                        )
                    });
                assert_close(&what("weight gradient"), &weight_gradient, &weight_sums, pixels);
                assert_close(&what("bias gradient"), &bias_gradient, &bias_sums, pixels);
                assert_close(&what("input gradient"), &x_gradient, &x_sums, weights / g.channels * g.out);
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        for (batch, g) in cases(&mut rng) {
            let [x, weight, bias, cotangent] =
                [batch * g.image(), g.out * g.patch(), g.out, batch * g.pixels() * g.out]
                    .map(|len| random(len, &mut rng));
            let run = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
                pool.install(|| {
                    let arch = Arch::new();
                    let forward = output(arch, batch, g, &x, &weight, &bias);
                    super::rectified(arch, batch, g, &forward, &cotangent, |gradient, bias| {
                        let weights = weight_gradient(arch, batch, g, &x, gradient);
                        (weights, bias, input_gradient(arch, batch, g, &weight, gradient), forward.clone())
                    })
                })
            };
            let one = run(1);
            assert!([2, 3, 8].into_iter().all(|threads| run(threads) == one), "{batch} images, {g:?}");
        }
    }
}
