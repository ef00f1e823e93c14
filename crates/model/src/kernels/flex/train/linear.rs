//! [`LinearGradients`] and [`NoisyLinearGradients`] on Flex.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use prism_kernels::gradients::{linear_input_gradient, linear_weight_gradient};
use prism_kernels::{Arch, Factors, LayerWeights, WeightNoise};

use crate::kernels::flex::buffers::{contiguous, tensor, values};
use crate::kernels::flex::linear::padded_factors;
use crate::kernels::train::{LinearGradients, NoisyLinearGradients};

impl LinearGradients for Flex {
    fn linear_product_weight_backward(
        x: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [_, inputs] = x.layout().shape().dims();
        let [_, outputs] = output_gradient.layout().shape().dims();
        let [x, gradient] = [x, output_gradient].map(contiguous);
        let (weight, _) = linear_weight_gradient(Arch::new(), [inputs, outputs], values(&x), values(&gradient), None);
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
        let gradient = linear_input_gradient(Arch::new(), batch, inputs, weights, values(&gradient));
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
        let (mu, sigma) =
            linear_weight_gradient(Arch::new(), [inputs, outputs], values(&x), values(&gradient), Some(factors));
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
        let gradient = linear_input_gradient(Arch::new(), batch, inputs, weights, values(&gradient));
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
