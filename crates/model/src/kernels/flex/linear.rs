//! [`LinearOps`] and [`NoisyLinearOps`] on Flex.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use prism_kernels::{Arch, Factors, LayerWeights, WeightNoise, linear, padded};

use super::buffers::{contiguous, tensor, values};
use crate::kernels::linear::LinearOps;
use crate::kernels::noisy_linear::NoisyLinearOps;

impl LinearOps for Flex {
    fn linear_product(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        let [batch, _] = x.layout().shape().dims::<2>();
        let [_, outputs] = weight.layout().shape().dims::<2>();
        let [x, weight, bias] = [x, weight, bias].map(contiguous);
        let weights = LayerWeights::new(values(&weight), outputs, None);
        tensor(linear(Arch::new(), values(&x), weights, values(&bias)), [batch, outputs])
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
        tensor(linear(Arch::new(), values(&x), weights, values(&bias)), [batch, outputs])
    }
}

/// Factors of the outputs, `[1, outputs]`, padded as [`Factors`] needs them.
pub(super) fn padded_factors(factors: FlexTensor) -> Vec<f32> {
    let [_, outputs] = factors.layout().shape().dims::<2>();
    padded(values(&contiguous(factors)), outputs)
}
