//! Convolutions against their documented sums.

mod support;

use prism_kernels::gradients::{convolution_input_gradient, convolution_weight_gradient, gradient_sums, rectify};
use prism_kernels::{Arch, ConvolutionWork, FusedActivation, Geometry, convolution, padded};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::support::instruction_sets;

/// The gradient before the rectifier, with its rows padded, and its sums.
fn before_rectifier(arch: Arch, work: ConvolutionWork, output: &[f32], gradient: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let mut gradient = padded(gradient, work.geometry.out);
    let sums = match work.activation {
        FusedActivation::Relu => rectify(arch, work, output, &mut gradient),
        FusedActivation::Identity => gradient_sums(arch, work, &gradient),
    };
    (gradient, sums)
}

fn cases(rng: &mut Xoshiro256PlusPlus) -> Vec<ConvolutionWork> {
    let activations = [FusedActivation::Relu, FusedActivation::Identity];
    let of = |[batch, side, channels, size, stride, out, padding]: [usize; 7]| {
        let side = side + 2 * padding;
        let geometry = Geometry { height: side, width: side, channels, size, stride, out };
        ConvolutionWork { batch, padding, activation: activations[usize::from(padding > 0)], geometry }
    };
    if cfg!(miri) {
        // It takes ten thousand times as long.
        return [[1, 5, 2, 3, 1, 3, 1], [2, 6, 3, 3, 2, 5, 0], [1, 4, 1, 2, 1, 17, 0]].map(of).into();
    }
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
        cases.push(ConvolutionWork { batch, padding, activation, geometry });
    }
    cases
}

fn random(len: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<f32> {
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// Calls `visit(pixel of all images, value of the image, weight)` for each multiplication of the documented sum.
fn multiplications(work: ConvolutionWork, mut visit: impl FnMut(usize, usize, usize)) {
    let ConvolutionWork { batch, padding, geometry: g, .. } = work;
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
        let ConvolutionWork { batch, geometry: g, .. } = work;
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
            let forward = convolution(arch, work, &x, &weight, &bias);
            assert_close(&what("output"), &forward, &rectified, weights);
            let (gradient, bias_gradient) = before_rectifier(arch, work, &forward, &cotangent);
            let weight_gradient = convolution_weight_gradient(arch, work, &x, &gradient);
            let x_gradient = convolution_input_gradient(arch, work, &weight, &gradient);
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
        let ConvolutionWork { batch, geometry: g, .. } = work;
        let [x, weight, bias, cotangent] = [batch * work.image(), g.out * g.patch(), g.out, batch * g.pixels() * g.out]
            .map(|len| random(len, &mut rng));
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
            pool.install(|| {
                let arch = Arch::new();
                let forward = convolution(arch, work, &x, &weight, &bias);
                let (gradient, bias) = before_rectifier(arch, work, &forward, &cotangent);
                let weights = convolution_weight_gradient(arch, work, &x, &gradient);
                (weights, bias, convolution_input_gradient(arch, work, &weight, &gradient), forward)
            })
        };
        let one = run(1);
        assert!([2, 3, 8].into_iter().all(|threads| run(threads) == one), "{work:?}");
    }
}
