//! [`LinearOps`] and [`NoisyLinearOps`] on Flex: the products of [`super::dense`], shared among threads.
//!
//! Every sum is made by one thread in one order, so that results do not depend on the number of threads.

#![allow(unsafe_code, reason = "outputs are not zeroed before they are written")]

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use pulp::Arch;
use rayon::prelude::*;

use super::dense::{Factors, InputGradient, Noise, Output, Panels, WeightGradient, WeightSums, Weights, padded};
use super::flex::{SMALL, contiguous, share, tensor, values, written};
use super::linear::LinearOps;
use super::noisy_linear::NoisyLinearOps;
use super::tile::ALIGNMENT;

/// Rows of the weight matrix that a thread takes at a time: whole tiles of every kind.
const PIECE: usize = 96;

/// Parts of the inputs whose outputs threads make by themselves.
const PARTS: usize = 8;

/// Examples whose outputs or input gradients are put together at a time.
const EXAMPLES: usize = 8;

impl LinearOps for Flex {
    fn linear_product(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        let [batch, _] = x.layout().shape().dims::<2>();
        let [_, outputs] = weight.layout().shape().dims::<2>();
        let [x, weight, bias] = [x, weight, bias].map(contiguous);
        let weights = Weights::new(values(&weight), outputs, None);
        tensor(output(Arch::new(), values(&x), weights, values(&bias)), [batch, outputs])
    }

    fn linear_product_weight_backward(
        x: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [_, inputs] = x.layout().shape().dims();
        let [_, outputs] = output_gradient.layout().shape().dims();
        let [x, gradient] = [x, output_gradient].map(contiguous);
        let (weight, _) = weight_gradient(Arch::new(), [inputs, outputs], values(&x), values(&gradient), None);
        (tensor(weight, [inputs, outputs]), bias_gradient(&gradient))
    }

    fn linear_product_input_backward(
        weight: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [inputs, outputs] = weight.layout().shape().dims();
        let [batch, _] = output_gradient.layout().shape().dims::<2>();
        let [weight, gradient] = [weight, output_gradient].map(contiguous);
        let weights = Weights::new(values(&weight), outputs, None);
        let gradient = input_gradient(Arch::new(), batch, inputs, weights, values(&gradient));
        tensor(gradient, [batch, inputs])
    }
}

impl NoisyLinearOps for Flex {
    fn noisy_product(
        x: FloatTensor<Self>,
        mu: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
        input_factors: FloatTensor<Self>,
        output_factors: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [batch, _] = x.layout().shape().dims::<2>();
        let [_, outputs] = mu.layout().shape().dims::<2>();
        let [x, mu, sigma, inputs, bias] = [x, mu, sigma, input_factors, bias].map(contiguous);
        let factors = Factors { inputs: values(&inputs), outputs: &padded_factors(output_factors) };
        let noise = Noise { sigma: values(&sigma), factors };
        let weights = Weights::new(values(&mu), outputs, Some(noise));
        tensor(output(Arch::new(), values(&x), weights, values(&bias)), [batch, outputs])
    }

    fn noisy_product_weight_backward(
        x: FloatTensor<Self>,
        input_factors: FloatTensor<Self>,
        output_factors: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let [_, inputs] = x.layout().shape().dims();
        let [_, outputs] = output_gradient.layout().shape().dims();
        let [x, gradient, input_factors] = [x, output_gradient, input_factors].map(contiguous);
        let factors = Factors { inputs: values(&input_factors), outputs: &padded_factors(output_factors) };
        let (mu, sigma) = weight_gradient(Arch::new(), [inputs, outputs], values(&x), values(&gradient), Some(factors));
        (tensor(mu, [inputs, outputs]), tensor(sigma, [inputs, outputs]), bias_gradient(&gradient))
    }

    fn noisy_product_input_backward(
        mu: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
        input_factors: FloatTensor<Self>,
        output_factors: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [inputs, outputs] = mu.layout().shape().dims();
        let [batch, _] = output_gradient.layout().shape().dims::<2>();
        let [mu, sigma, gradient, input_factors] = [mu, sigma, output_gradient, input_factors].map(contiguous);
        let factors = Factors { inputs: values(&input_factors), outputs: &padded_factors(output_factors) };
        let noise = Noise { sigma: values(&sigma), factors };
        let weights = Weights::new(values(&mu), outputs, Some(noise));
        let gradient = input_gradient(Arch::new(), batch, inputs, weights, values(&gradient));
        tensor(gradient, [batch, inputs])
    }
}

/// Factors of the outputs, `[1, outputs]`, as [`Factors`] wants them.
fn padded_factors(factors: FlexTensor) -> Vec<f32> {
    let [_, outputs] = factors.layout().shape().dims::<2>();
    padded(values(&contiguous(factors)), outputs)
}

fn output(arch: Arch, x: &[f32], weights: Weights, bias: &[f32]) -> Vec<f32> {
    let (inputs, outputs, width) = (weights.inputs(), bias.len(), weights.width());
    let batch = x.len() / inputs;
    let work = x.len() * outputs;
    // Not as many as there are threads, so that the sums do not depend on that.
    let part = if work < SMALL { inputs } else { inputs.div_ceil(PARTS) };
    let bias = padded(bias, outputs);
    let mut sums: Vec<Vec<f32>> = Vec::new();
    sums.push(bias.repeat(batch));
    sums.resize_with(inputs.div_ceil(part), || vec![0.0; batch * width]);
    share(sums.par_iter_mut().enumerate(), work, |(index, sums)| {
        let start = index * part;
        arch.dispatch(Output::new(x, weights, start..inputs.min(start + part), sums));
    });
    let others = sums.split_off(1);
    let mut output = sums.pop().expect("there is a part");
    share(output.par_chunks_mut(width * EXAMPLES).enumerate(), work, |(index, sums)| {
        for other in &others {
            let other = &other[index * width * EXAMPLES..];
            sums.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
        }
    });
    if width > outputs {
        for example in 1..batch {
            output.copy_within(example * width..example * width + outputs, example * outputs);
        }
        output.truncate(batch * outputs);
    }
    output
}

/// Sums over the examples of an output gradient that is contiguous.
fn bias_gradient(gradient: &FlexTensor) -> FlexTensor {
    let [_, outputs] = gradient.layout().shape().dims();
    let mut bias = vec![0.0f32; outputs];
    for gradient in values(gradient).chunks_exact(outputs) {
        bias.iter_mut().zip(gradient).for_each(|(sum, gradient)| *sum += gradient);
    }
    tensor(bias, [outputs])
}

/// Gradient of the weights and, where there are factors, of the spreads that they are multiplied with; else nothing.
fn weight_gradient(
    arch: Arch,
    [inputs, outputs]: [usize; 2],
    x: &[f32],
    gradient: &[f32],
    factors: Option<Factors>,
) -> (Vec<f32>, Vec<f32>) {
    let work = x.len() * outputs;
    let gradient = Panels::new(gradient, outputs);
    let piece = |index: usize, sums: WeightSums| {
        let start = index * PIECE;
        let rows = start..start + sums.values.len() / outputs;
        arch.dispatch(WeightGradient::new(x, inputs, &gradient, outputs, rows, sums));
    };
    let mut spreads = Vec::new();
    // SAFETY: each row of the weight matrix is in one piece, and all of a piece's rows are written, in both matrices where
    // there are two.
    let weights = unsafe {
        written(inputs * outputs, |weights| {
            let weights = weights.par_chunks_mut(PIECE * outputs).enumerate();
            let Some(factors) = factors else {
                share(weights, work, |(index, values)| piece(index, WeightSums { values, spreads: None }));
                return;
            };
            spreads = written(inputs * outputs, |spreads| {
                share(weights.zip(spreads.par_chunks_mut(PIECE * outputs)), work, |((index, values), spreads)| {
                    piece(index, WeightSums { values, spreads: Some((factors, spreads)) });
                });
            });
        })
    };
    (weights, spreads)
}

fn input_gradient(arch: Arch, batch: usize, inputs: usize, weights: Weights, gradient: &[f32]) -> Vec<f32> {
    let work = inputs * gradient.len();
    let gradient = Panels::of_transpose(gradient, gradient.len() / batch);
    let width = batch.next_multiple_of(ALIGNMENT);
    // SAFETY: each row is in one piece, and all of a piece's rows are written.
    let sums = unsafe {
        written(inputs * width, |sums| {
            share(sums.par_chunks_mut(PIECE * width).enumerate(), work, |(index, sums)| {
                let start = index * PIECE;
                let rows = start..start + sums.len() / width;
                arch.dispatch(InputGradient::new(weights, &gradient, rows, sums));
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
            let sizes = [batch * inputs, inputs * outputs, inputs * outputs, outputs, batch * outputs, inputs, outputs];
            let [x, weight, sigma, bias, cotangent, of_inputs, of_outputs] =
                sizes.map(|len| (0..len).map(|_| rng.random_range(-1.0f32..1.0)).collect::<Vec<_>>());
            let padded_of_outputs = padded(&of_outputs, outputs);
            for noisy in [false, true] {
                let factors = noisy.then_some(Factors { inputs: &of_inputs, outputs: &padded_of_outputs });
                let noise = factors.map(|factors| Noise { sigma: &sigma, factors });
                let weights = Weights::new(&weight, outputs, noise);
                let lens =
                    [batch * outputs, inputs * outputs, if noisy { inputs * outputs } else { 0 }, batch * inputs];
                let mut expected = lens.map(|len| vec![0.0f64; len]);
                for example in 0..batch {
                    for output in 0..outputs {
                        expected[0][example * outputs + output] += f64::from(bias[output]);
                        for input in 0..inputs {
                            let at = input * outputs + output;
                            let x = f64::from(x[example * inputs + input]);
                            let gradient = f64::from(cotangent[example * outputs + output]);
                            let factor = f64::from(of_inputs[input]) * f64::from(of_outputs[output]);
                            let spread = if noisy { f64::from(sigma[at]) * factor } else { 0.0 };
                            let weight = f64::from(weight[at]) + spread;
                            expected[0][example * outputs + output] += x * weight;
                            expected[1][at] += x * gradient;
                            if noisy {
                                expected[2][at] += x * gradient * factor;
                            }
                            expected[3][example * inputs + input] += weight * gradient;
                        }
                    }
                }
                for arch in instruction_sets() {
                    let run = |threads| {
                        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
                        pool.install(|| {
                            let (weight, spread) = weight_gradient(arch, [inputs, outputs], &x, &cotangent, factors);
                            let input = input_gradient(arch, batch, inputs, weights, &cotangent);
                            [output(arch, &x, weights, &bias), weight, spread, input]
                        })
                    };
                    let actual = run(1);
                    let case = format!("{batch} x {inputs} x {outputs}, noisy: {noisy}, {arch:?}");
                    assert!([2, 5].into_iter().all(|threads| run(threads) == actual), "{case}");
                    for ((actual, expected), terms) in actual.iter().zip(&expected).zip([inputs, batch, batch, outputs])
                    {
                        assert_eq!(actual.len(), expected.len());
                        let tolerance = 1e-5 * (terms as f64).sqrt();
                        for (actual, expected) in actual.iter().zip(expected) {
                            let close = (f64::from(*actual) - expected).abs() <= tolerance;
                            assert!(close, "{case}: {actual} is not {expected}");
                        }
                    }
                }
            }
        }
    }
}
