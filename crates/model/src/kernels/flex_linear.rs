//! [`LinearOps`] on Flex: the products of [`super::dense`], shared among threads.
//!
//! Every sum is made by one thread in one order, so that results do not depend on the number of threads.

#![allow(unsafe_code, reason = "outputs are not zeroed before they are written")]

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use pulp::Arch;
use rayon::prelude::*;

use super::dense::{InputGradient, Output, Panels, Rows, Tail, WeightGradient, padded};
use super::flex::{contiguous, share, tensor, values, written};
use super::linear::LinearOps;
use super::tile::ALIGNMENT;

/// Rows of the weight matrix that a thread takes at a time: whole tiles of every kind.
const PIECE: usize = 96;

/// Columns that a thread takes at least: four vectors of AVX-512.
const COLUMNS: usize = 64;

/// Examples whose input gradients are put together at a time.
const EXAMPLES: usize = 8;

impl LinearOps for Flex {
    fn linear_product(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        let [batch, inputs] = x.layout().shape().dims();
        let [_, outputs] = weight.layout().shape().dims();
        let [x, weight, bias] = [x, weight, bias].map(contiguous);
        let output = output(Arch::new(), batch, [inputs, outputs], values(&x), values(&weight), values(&bias));
        tensor(output, [batch, outputs])
    }

    fn linear_product_weight_backward(
        x: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [_, inputs] = x.layout().shape().dims();
        let [_, outputs] = output_gradient.layout().shape().dims();
        let [x, gradient] = [x, output_gradient].map(contiguous);
        let mut bias = vec![0.0f32; outputs];
        for gradient in values(&gradient).chunks_exact(outputs) {
            bias.iter_mut().zip(gradient).for_each(|(sum, gradient)| *sum += gradient);
        }
        let weight = weight_gradient(Arch::new(), [inputs, outputs], values(&x), values(&gradient));
        (tensor(weight, [inputs, outputs]), tensor(bias, [outputs]))
    }

    fn linear_product_input_backward(
        weight: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [inputs, outputs] = weight.layout().shape().dims();
        let [batch, _] = output_gradient.layout().shape().dims::<2>();
        let [weight, gradient] = [weight, output_gradient].map(contiguous);
        let gradient = input_gradient(Arch::new(), batch, [inputs, outputs], values(&weight), values(&gradient));
        tensor(gradient, [batch, inputs])
    }
}

fn output(
    arch: Arch,
    batch: usize,
    [inputs, outputs]: [usize; 2],
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
) -> Vec<f32> {
    let work = batch * inputs * outputs;
    let tail = Tail::new(weight, outputs);
    let weight = Rows::new(weight, outputs, &tail);
    let bias = padded(bias, outputs);
    // As many parts as threads can share evenly, each with its own block of columns.
    let parts = 2 * rayon::current_num_threads();
    let part = bias.len().div_ceil(parts).next_multiple_of(COLUMNS).min(bias.len());
    let mut sums: Vec<Vec<f32>> = bias.chunks(part).map(|bias| bias.repeat(batch)).collect();
    share(sums.par_iter_mut().enumerate(), work, |(index, sums)| {
        let start = index * part;
        let columns = start..start + sums.len() / batch;
        arch.dispatch(Output::new(x, weight, columns, sums));
    });
    if let [whole] = sums.as_mut_slice()
        && outputs.is_multiple_of(ALIGNMENT)
    {
        return std::mem::take(whole);
    }
    let mut output = Vec::with_capacity(batch * outputs);
    for example in 0..batch {
        for (index, sums) in sums.iter().enumerate() {
            let width = sums.len() / batch;
            let valid = width.min(outputs - index * part);
            output.extend_from_slice(&sums[example * width..][..valid]);
        }
    }
    output
}

fn weight_gradient(arch: Arch, [inputs, outputs]: [usize; 2], x: &[f32], gradient: &[f32]) -> Vec<f32> {
    let work = x.len() * outputs;
    let gradient = Panels::new(gradient, outputs);
    // SAFETY: each row of the weight matrix is in one piece, and all of a piece's rows are written.
    unsafe {
        written(inputs * outputs, |sums| {
            share(sums.par_chunks_mut(PIECE * outputs).enumerate(), work, |(index, sums)| {
                let start = index * PIECE;
                let rows = start..start + sums.len() / outputs;
                arch.dispatch(WeightGradient::new(x, inputs, &gradient, outputs, rows, sums));
            });
        })
    }
}

fn input_gradient(
    arch: Arch,
    batch: usize,
    [inputs, outputs]: [usize; 2],
    weight: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    let work = batch * inputs * outputs;
    let gradient = Panels::of_transpose(gradient, outputs);
    let width = batch.next_multiple_of(ALIGNMENT);
    // SAFETY: each row is in one piece, and all of a piece's rows are written.
    let sums = unsafe {
        written(inputs * width, |sums| {
            share(sums.par_chunks_mut(PIECE * width).enumerate(), work, |(index, sums)| {
                let start = index * PIECE;
                let rows = start..start + sums.len() / width;
                arch.dispatch(InputGradient::new(weight, &gradient, rows, sums));
            });
        })
    };
    // SAFETY: each example is in one piece, and its gradient of each input is written.
    unsafe {
        written(batch * inputs, |gradients| {
            share(gradients.par_chunks_mut(EXAMPLES * inputs).enumerate(), work, |(index, gradients)| {
                let first = index * EXAMPLES;
                let examples = gradients.len() / inputs;
                for (input, sums) in sums.chunks_exact(width).enumerate() {
                    let places = gradients[input..].iter_mut().step_by(inputs);
                    places.zip(&sums[first..first + examples]).for_each(|(gradient, &sum)| {
                        gradient.write(sum);
                    });
                }
            });
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::kernels::tile::instruction_sets;

    #[test]
    fn each_instruction_set_and_any_number_of_threads_computes_the_documented_sums() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut cases = vec![[32, 700, 512], [1, 300, 512], [20, 64, 306]];
        cases.extend((0..30).map(|_| [40, 70, 90].map(|end| rng.random_range(1..end))));
        for [batch, inputs, outputs] in cases {
            let [x, weight, bias, cotangent] = [batch * inputs, inputs * outputs, outputs, batch * outputs]
                .map(|len| (0..len).map(|_| rng.random_range(-1.0f32..1.0)).collect::<Vec<_>>());
            let mut expected = [batch * outputs, inputs * outputs, batch * inputs].map(|len| vec![0.0f64; len]);
            for example in 0..batch {
                for output in 0..outputs {
                    expected[0][example * outputs + output] += f64::from(bias[output]);
                    for input in 0..inputs {
                        let x = f64::from(x[example * inputs + input]);
                        let weight = f64::from(weight[input * outputs + output]);
                        let gradient = f64::from(cotangent[example * outputs + output]);
                        expected[0][example * outputs + output] += x * weight;
                        expected[1][input * outputs + output] += x * gradient;
                        expected[2][example * inputs + input] += weight * gradient;
                    }
                }
            }
            for arch in instruction_sets() {
                let run = |threads| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
                    pool.install(|| {
                        [
                            output(arch, batch, [inputs, outputs], &x, &weight, &bias),
                            weight_gradient(arch, [inputs, outputs], &x, &cotangent),
                            input_gradient(arch, batch, [inputs, outputs], &weight, &cotangent),
                        ]
                    })
                };
                let actual = run(1);
                assert!([2, 5].into_iter().all(|threads| run(threads) == actual), "{batch} x {inputs} x {outputs}");
                for ((actual, expected), terms) in actual.iter().zip(&expected).zip([inputs, batch, outputs]) {
                    let tolerance = 1e-5 * (terms as f64).sqrt();
                    for (actual, expected) in actual.iter().zip(expected) {
                        let close = (f64::from(*actual) - expected).abs() <= tolerance;
                        assert!(close, "{batch} x {inputs} x {outputs}, {arch:?}: {actual} is not {expected}");
                    }
                }
            }
        }
    }
}
