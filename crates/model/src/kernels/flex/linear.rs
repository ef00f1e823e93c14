//! [`LinearOps`] and [`NoisyLinearOps`] on Flex: the products of [`super::dense`], shared among threads.
//!
//! Every sum is made by one thread in one order, so that results do not depend on the number of threads.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use pulp::Arch;
use rayon::prelude::*;

use super::buffers::{SMALL, contiguous, share, tensor, values};
use super::dense::{Factors, LayerWeights, OutputPass, WeightNoise, padded};
use crate::kernels::linear::LinearOps;
use crate::kernels::noisy_linear::NoisyLinearOps;

/// Parts of the inputs; each has its own partial sums of the outputs, which one thread computes.
const PARTS: usize = 8;

/// Examples whose outputs or input gradients a thread assembles at a time.
pub(super) const EXAMPLES: usize = 8;

impl LinearOps for Flex {
    fn linear_product(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        let [batch, _] = x.layout().shape().dims::<2>();
        let [_, outputs] = weight.layout().shape().dims::<2>();
        let [x, weight, bias] = [x, weight, bias].map(contiguous);
        let weights = LayerWeights::new(values(&weight), outputs, None);
        tensor(output(Arch::new(), values(&x), weights, values(&bias)), [batch, outputs])
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
        let noise = WeightNoise { sigma: values(&sigma), factors };
        let weights = LayerWeights::new(values(&mu), outputs, Some(noise));
        tensor(output(Arch::new(), values(&x), weights, values(&bias)), [batch, outputs])
    }
}

/// Factors of the outputs, `[1, outputs]`, padded as [`Factors`] needs them.
pub(super) fn padded_factors(factors: FlexTensor) -> Vec<f32> {
    let [_, outputs] = factors.layout().shape().dims::<2>();
    padded(values(&contiguous(factors)), outputs)
}

/// The layer's output, `[batch, outputs]`.
pub(super) fn output(arch: Arch, x: &[f32], weights: LayerWeights, bias: &[f32]) -> Vec<f32> {
    let (inputs, outputs, width) = (weights.inputs(), bias.len(), weights.width());
    let batch = x.len() / inputs;
    let work = x.len() * outputs;
    // The number of parts, and so the order of sums, does not depend on the number of threads.
    let part = if work < SMALL { inputs } else { inputs.div_ceil(PARTS) };
    let bias = padded(bias, outputs);
    let mut sums: Vec<Vec<f32>> = Vec::new();
    sums.push(bias.repeat(batch));
    sums.resize_with(inputs.div_ceil(part), || vec![0.0; batch * width]);
    share(sums.par_iter_mut().enumerate(), work, |(index, sums)| {
        let start = index * part;
        arch.dispatch(OutputPass::new(x, weights, start..inputs.min(start + part), sums));
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
