//! [`LinearGradients`] and [`NoisyLinearGradients`] on Flex: the gradients of [`super::dense`], shared among threads.

#![allow(unsafe_code, reason = "outputs are not zeroed before they are written")]

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use pulp::Arch;
use rayon::prelude::*;

use super::dense::{InputPass, Panels, WeightPass, WeightSums};
use crate::kernels::flex::buffers::{contiguous, share, tensor, values, written};
use crate::kernels::flex::dense::{Factors, LayerWeights, WeightNoise};
use crate::kernels::flex::linear::{EXAMPLES, padded_factors};
use crate::kernels::flex::tile::ALIGNMENT;
use crate::kernels::train::{LinearGradients, NoisyLinearGradients};

/// Rows of the weight matrix that a thread takes at a time: whole tiles of every kind.
const PIECE: usize = 96;

impl LinearGradients for Flex {
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
        let weights = LayerWeights::new(values(&weight), outputs, None);
        let gradient = input_gradient(Arch::new(), batch, inputs, weights, values(&gradient));
        tensor(gradient, [batch, inputs])
    }
}

impl NoisyLinearGradients for Flex {
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
        let noise = WeightNoise { sigma: values(&sigma), factors };
        let weights = LayerWeights::new(values(&mu), outputs, Some(noise));
        let gradient = input_gradient(Arch::new(), batch, inputs, weights, values(&gradient));
        tensor(gradient, [batch, inputs])
    }
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
        arch.dispatch(WeightPass::new(x, inputs, &gradient, outputs, rows, sums));
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

fn input_gradient(arch: Arch, batch: usize, inputs: usize, weights: LayerWeights, gradient: &[f32]) -> Vec<f32> {
    let work = inputs * gradient.len();
    let gradient = Panels::of_transpose(gradient, gradient.len() / batch);
    let width = batch.next_multiple_of(ALIGNMENT);
    // SAFETY: each row is in one piece, and all of a piece's rows are written.
    let sums = unsafe {
        written(inputs * width, |sums| {
            share(sums.par_chunks_mut(PIECE * width).enumerate(), work, |(index, sums)| {
                let start = index * PIECE;
                let rows = start..start + sums.len() / width;
                arch.dispatch(InputPass::new(weights, &gradient, rows, sums));
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
    use crate::kernels::flex::dense::padded;
    use crate::kernels::flex::linear::output;
    use crate::kernels::flex::tile::instruction_sets;

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
                let noise = factors.map(|factors| WeightNoise { sigma: &sigma, factors });
                let weights = LayerWeights::new(&weight, outputs, noise);
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
