//! [`ConvolutionGradients`] on Flex: the gradients of [`super::direct`], shared among threads.

#![allow(unsafe_code, reason = "outputs are not zeroed before they are written")]

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use pulp::Arch;
use rayon::prelude::*;

use super::direct::{GradientSums, InputPass, Rectify, WeightPass};
use super::whole;
use crate::kernels::convolution::{ConvolutionForm, FusedActivation};
use crate::kernels::flex::buffers::{contiguous, share, tensor, values, written};
use crate::kernels::flex::convolution::{Work, surrounded};
use crate::kernels::flex::dense::padded;
use crate::kernels::flex::direct::{Fields, OutputPass};
use crate::kernels::train::ConvolutionGradients;

/// Pieces that the weight gradient is cut into, at least: more than small machines have threads.
const PIECES: usize = 16;

/// The gradient before the rectifier, `[batch, pixels, padded out]`, from the one after it, `[batch, pixels, out]`; and its
/// sums, `[out]`. Where `out` needs no padding, it is computed in place.
fn rectified(arch: Arch, work: Work, output: &[f32], mut gradient: FlexTensor) -> (FlexTensor, Vec<f32>) {
    let Work { batch, geometry, .. } = work;
    let (out, padded_out) = (geometry.out, geometry.padded_out());
    if padded_out == out {
        gradient = whole(gradient);
    } else {
        let gradients = padded(values(&contiguous(gradient)), out);
        gradient = tensor(gradients, [batch * geometry.pixels(), padded_out]);
    }
    let mut sums = vec![0.0f32; batch * out];
    let image = geometry.pixels() * padded_out;
    // A pass over memory: a value costs about as much as 32 multiplications in registers.
    let cost = 32 * output.len();
    if work.activation == FusedActivation::Relu {
        let images = gradient.storage_mut::<f32>().par_chunks_mut(image).zip(sums.par_chunks_mut(out));
        let outputs = output.par_chunks(geometry.pixels() * out);
        share(images.zip(outputs), cost, |((gradient, sums), output)| {
            arch.dispatch(Rectify { geometry, output, gradient, sums });
        });
    } else {
        // Only read: if something else shares the gradient, writing would copy it.
        let images = gradient.storage::<f32>().par_chunks(image).zip(sums.par_chunks_mut(out));
        share(images, cost, |(gradient, sums)| arch.dispatch(GradientSums { geometry, gradient, sums }));
    }
    let mut total = vec![0.0f32; out];
    for sums in sums.chunks_exact(out) {
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
    }
    (gradient, total)
}

/// Gradient of the weight, `[out, channels, size, size]`, from a gradient of [`rectified`].
fn weight_gradient(arch: Arch, work: Work, x: &[f32], gradient: &[f32]) -> Vec<f32> {
    let Work { padding, geometry, .. } = work;
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
    let together = pieces.len().div_ceil(2 * rayon::current_num_threads());
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

/// Gradient of the input, `[batch, height, width, channels]`, from a gradient of [`rectified`].
fn input_gradient(arch: Arch, work: Work, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
    let Work { padding, geometry, .. } = work;
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

/// [`input_gradient`] as a convolution of the gradient: sums are as long as those of the output, and none is written twice.
/// With zeros around the image it needs few more multiplications; without, it would need many.
fn reversed_input_gradient(arch: Arch, work: Work, weight: &[f32], gradients: rayon::slice::Chunks<f32>) -> Vec<f32> {
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

impl ConvolutionGradients for Flex {
    fn convolution_weight_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        form: ConvolutionForm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let work = Work::new(&x, &weight, form);
        let [x, output] = [x, output].map(contiguous);
        let arch = Arch::new();
        let (gradient, sums) = rectified(arch, work, values(&output), output_gradient);
        let of_weight = weight_gradient(arch, work, values(&x), gradient.storage());
        (tensor(of_weight, weight.layout().shape().clone()), tensor(sums, [work.geometry.out]))
    }

    fn convolution_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        form: ConvolutionForm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let work = Work::new(&x, &weight, form);
        let [x, weight, output] = [x, weight, output].map(contiguous);
        let arch = Arch::new();
        let (gradient, sums) = rectified(arch, work, values(&output), output_gradient);
        let of_x = input_gradient(arch, work, values(&weight), gradient.storage());
        let of_weight = weight_gradient(arch, work, values(&x), gradient.storage());
        let [x, weight] = [&x, &weight].map(|tensor| tensor.layout().shape().clone());
        (tensor(of_x, x), tensor(of_weight, weight), tensor(sums, [work.geometry.out]))
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::kernels::flex::convolution::output;
    use crate::kernels::flex::direct::Geometry;
    use crate::kernels::flex::tile::instruction_sets;

    fn cases(rng: &mut Xoshiro256PlusPlus) -> Vec<Work> {
        let activations = [FusedActivation::Relu, FusedActivation::Identity];
        let of = |[batch, side, channels, size, stride, out, padding]: [usize; 7]| {
            let side = side + 2 * padding;
            let geometry = Geometry { height: side, width: side, channels, size, stride, out };
            Work { batch, padding, activation: activations[usize::from(padding > 0)], geometry }
        };
        // Nature's layers, IMPALA's, an image large enough to be cut among threads, and small images, taken together.
        let mut cases: Vec<_> = [
            [2, 84, 4, 8, 4, 32, 0],
            [3, 20, 32, 4, 2, 64, 0],
            [3, 9, 64, 3, 1, 64, 0],
            [2, 16, 4, 3, 1, 16, 1],
            [2, 11, 16, 3, 1, 32, 1],
            [1, 84, 4, 8, 4, 32, 0],
            [40, 9, 8, 3, 1, 20, 0],
            [67, 6, 3, 3, 2, 17, 0],
        ]
        .map(of)
        .into();
        for _ in 0..40 {
            let size = rng.random_range(1..6);
            let padding = rng.random_range(0..size);
            // At least a pixel of image within the padding.
            let [height, width] = [(); 2].map(|()| size.max(2 * padding + 1) + rng.random_range(0..9));
            let [batch, channels, stride, out] = [5, 20, 4, 50].map(|end| rng.random_range(1..end));
            let geometry = Geometry { height, width, channels, size, stride, out };
            let activation = activations[rng.random_range(0..2)];
            cases.push(Work { batch, padding, activation, geometry });
        }
        cases
    }

    fn random(len: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<f32> {
        (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    /// Calls `visit(pixel of all images, value of the image, weight)` for each multiplication of the documented sum.
    fn multiplications(work: Work, mut visit: impl FnMut(usize, usize, usize)) {
        let Work { batch, padding, geometry: g, .. } = work;
        let [height, width] = [g.height, g.width].map(|side| side - 2 * padding);
        for image in 0..batch {
            for pixel in 0..g.pixels() {
                let (row, column) = (pixel / g.columns() * g.stride, pixel % g.columns() * g.stride);
                for (y, x, channel) in (0..g.size)
                    .flat_map(|y| (0..g.size).map(move |x| (y, x)))
                    .flat_map(|(y, x)| (0..g.channels).map(move |channel| (y, x, channel)))
                {
                    // Beyond the image there are zeros.
                    let places = [(row + y).checked_sub(padding), (column + x).checked_sub(padding)];
                    let [Some(row), Some(column)] = places else { continue };
                    if row < height && column < width {
                        let value = ((image * height + row) * width + column) * g.channels + channel;
                        visit(image * g.pixels() + pixel, value, (channel * g.size + y) * g.size + x);
                    }
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
        for work in cases(&mut rng) {
            let Work { batch, geometry: g, .. } = work;
            let weights = g.patch();
            let [x, weight, bias] = [batch * work.image(), g.out * weights, g.out].map(|len| random(len, &mut rng));
            let pixels = batch * g.pixels();
            let mut sums: Vec<f64> = (0..pixels * g.out).map(|i| f64::from(bias[i % g.out])).collect();
            multiplications(work, |pixel, value, weight_of| {
                for out in 0..g.out {
                    sums[pixel * g.out + out] += f64::from(x[value]) * f64::from(weight[out * weights + weight_of]);
                }
            });
            let lowest = if work.activation == FusedActivation::Relu { 0.0 } else { f64::NEG_INFINITY };
            let rectified: Vec<f64> = sums.iter().map(|sum| sum.max(lowest)).collect();
            // Where rounding could decide on which side of the rectifier a sum is, nothing flows back.
            let cotangent: Vec<f32> =
                sums.iter().map(|sum| if sum.abs() < 1e-3 { 0.0 } else { rng.random_range(-1.0..1.0) }).collect();
            let mut weight_sums = vec![0.0f64; weight.len()];
            let mut bias_sums = vec![0.0f64; g.out];
            let mut x_sums = vec![0.0f64; x.len()];
            let flow = |index: usize| if sums[index] > lowest { f64::from(cotangent[index]) } else { 0.0 };
            (0..sums.len()).for_each(|index| bias_sums[index % g.out] += flow(index));
            multiplications(work, |pixel, value, weight_of| {
                for out in 0..g.out {
                    let gradient = flow(pixel * g.out + out);
                    weight_sums[out * weights + weight_of] += gradient * f64::from(x[value]);
                    x_sums[value] += gradient * f64::from(weight[out * weights + weight_of]);
                }
            });
            for arch in instruction_sets() {
                let what = |pass: &str| format!("{pass}, {work:?}, {arch:?}, value");
                let forward = output(arch, work, &x, &weight, &bias);
                assert_close(&what("output"), &forward, &rectified, weights);
                let behind = tensor(cotangent.clone(), [pixels, g.out]);
                let (gradient, bias_gradient) = super::rectified(arch, work, &forward, behind);
                let weight_gradient = weight_gradient(arch, work, &x, gradient.storage());
                let x_gradient = input_gradient(arch, work, &weight, gradient.storage());
                assert_close(&what("weight gradient"), &weight_gradient, &weight_sums, pixels);
                assert_close(&what("bias gradient"), &bias_gradient, &bias_sums, pixels);
                assert_close(&what("input gradient"), &x_gradient, &x_sums, weights / g.channels * g.out);
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        for work in cases(&mut rng) {
            let Work { batch, geometry: g, .. } = work;
            let [x, weight, bias, cotangent] =
                [batch * work.image(), g.out * g.patch(), g.out, batch * g.pixels() * g.out]
                    .map(|len| random(len, &mut rng));
            let run = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
                pool.install(|| {
                    let arch = Arch::new();
                    let forward = output(arch, work, &x, &weight, &bias);
                    let behind = tensor(cotangent.clone(), [batch * g.pixels(), g.out]);
                    let (gradient, bias) = super::rectified(arch, work, &forward, behind);
                    let weights = weight_gradient(arch, work, &x, gradient.storage());
                    (weights, bias, input_gradient(arch, work, &weight, gradient.storage()), forward)
                })
            };
            let one = run(1);
            assert!([2, 3, 8].into_iter().all(|threads| run(threads) == one), "{work:?}");
        }
    }
}
