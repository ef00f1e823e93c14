//! Gradients of [`noisy_linear`](super::super::noisy_linear::noisy_linear).

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata, backend_extension};
use burn::tensor::Shape;

use crate::kernels::noisy_linear::NoisyLinearOps;

/// Backward pass of [`NoisyLinearOps`], which documents the shapes; a gradient has the shape of its variable.
///
/// The defaults are Burn's own matrix products, with the factors taken out as in the forward pass.
#[backend_extension(Flex: cfg(feature = "flex"), Cube: cfg(feature = "cubecl"), Fusion: cfg(feature = "cubecl"))]
pub(crate) trait NoisyLinearGradients: Backend {
    /// Gradients of μ, σ and the bias.
    #[fusion(default)]
    fn noisy_product_weight_backward(
        x: FloatTensor<Self>,
        input_factors: FloatTensor<Self>,
        output_factors: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let outputs = Shape::new([output_gradient.shape()[1]]);
        let bias = Self::float_reshape(Self::float_sum_dim(output_gradient.clone(), 0), outputs);
        let mu = Self::float_matmul(Self::float_transpose(x), output_gradient);
        let factors = Self::float_mul(Self::float_transpose(input_factors), output_factors);
        (mu.clone(), Self::float_mul(mu, factors), bias)
    }

    /// Gradient of x.
    #[fusion(default)]
    fn noisy_product_input_backward(
        mu: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
        input_factors: FloatTensor<Self>,
        output_factors: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let spread = Self::float_mul(output_gradient.clone(), output_factors);
        let spread = Self::float_mul(Self::float_matmul(spread, Self::float_transpose(sigma)), input_factors);
        Self::float_add(Self::float_matmul(output_gradient, Self::float_transpose(mu)), spread)
    }
}

#[derive(Debug)]
struct NoisyLinear;

#[derive(Clone, Debug)]
struct Saved<T> {
    x: T,
    mu: T,
    sigma: T,
    input_factors: T,
    output_factors: T,
}

impl<B: NoisyLinearGradients> Backward<B, 4> for NoisyLinear {
    type State = Saved<FloatTensor<B>>;

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [x_node, mu_node, sigma_node, bias_node] = ops.parents;
        let gradient = grads.consume::<B>(&ops.node);
        let Saved { x, mu, sigma, input_factors, output_factors } = ops.state;
        // μ, σ and bias are trained together, so either all need a gradient or none does.
        if mu_node.is_some() || sigma_node.is_some() || bias_node.is_some() {
            let (mu_gradient, sigma_gradient, bias_gradient) =
                B::noisy_product_weight_backward(x, input_factors.clone(), output_factors.clone(), gradient.clone());
            let nodes = [mu_node, sigma_node, bias_node];
            for (node, gradient) in nodes.into_iter().zip([mu_gradient, sigma_gradient, bias_gradient]) {
                if let Some(node) = node {
                    grads.register::<B>(node.id, gradient);
                }
            }
        }
        if let Some(node) = x_node {
            let gradient = B::noisy_product_input_backward(mu, sigma, input_factors, output_factors, gradient);
            grads.register::<B>(node.id, gradient);
        }
    }
}

impl<B: NoisyLinearOps + NoisyLinearGradients, C: CheckpointStrategy> NoisyLinearOps for Autodiff<B, C> {
    fn noisy_product(
        x: FloatTensor<Self>,
        mu: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
        input_factors: FloatTensor<Self>,
        output_factors: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), mu.node(), sigma.node(), bias.node()];
        let [x, mu, sigma, input_factors, output_factors, bias] =
            [x, mu, sigma, input_factors, output_factors, bias].map(|tensor| tensor.into_primitive());
        let output =
            B::noisy_product(x.clone(), mu.clone(), sigma.clone(), input_factors.clone(), output_factors.clone(), bias);
        match NoisyLinear.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(preparation) => {
                preparation.finish(Saved { x, mu, sigma, input_factors, output_factors }, output)
            }
            OpsKind::UnTracked(preparation) => preparation.finish(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Tensor, Tolerance};
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use crate::kernels::noisy_linear::{NoisyWeights, noisy_linear};
    use crate::kernels::random;

    #[test]
    fn output_and_gradients_are_those_of_the_written_weights() {
        let device = crate::device::open_device("flex").expect("tests are built with flex").autodiff();
        let plain = device.clone().without_autodiff();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        for [batch, inputs, outputs] in [[1, 1, 1], [3, 5, 4], [33, 130, 17], [32, 700, 96], [1, 2000, 64]] {
            let tracked = |shape, rng: &mut _| random::<2>(shape, rng, &device).require_grad();
            let x = tracked([batch, inputs], &mut rng);
            let [mu, sigma] = [(); 2].map(|()| tracked([inputs, outputs], &mut rng));
            let bias = random::<1>([outputs], &mut rng, &device).require_grad();
            let factors = [inputs, outputs].map(|count| random::<2>([1, count], &mut rng, &plain));
            let cotangent = random([batch, outputs], &mut rng, &plain);
            let run = |output: Tensor<2>| {
                let gradients = (output.clone() * cotangent.clone()).sum().backward();
                let of_matrices = [&x, &mu, &sigma].map(|matrix| matrix.grad(&gradients).expect("it is tracked"));
                let of_bias = bias.grad(&gradients).expect("bias is tracked").into_data();
                let [x, mu, sigma] = of_matrices.map(Tensor::into_data);
                [output.into_data(), x, mu, sigma, of_bias]
            };
            let [input_factors, output_factors] = factors.clone();
            let weights = NoisyWeights { mu: mu.clone(), sigma: sigma.clone(), input_factors, output_factors };
            let actual = run(noisy_linear(x.clone(), weights, bias.clone()));
            let [input_factors, output_factors] = factors;
            let weight = mu.clone() + sigma.clone() * input_factors.transpose().matmul(output_factors);
            let expected = run(x.clone().matmul(weight) + bias.clone().unsqueeze::<2>());
            for (actual, expected) in actual.iter().zip(&expected) {
                // Relative to the largest of a few thousand terms below 1 in another order.
                let tolerance = Tolerance::rel_abs(1e-5, 1e-5 * (inputs.max(batch) as f32).sqrt());
                actual.assert_approx_eq::<f32>(expected, tolerance);
            }
        }
    }
}
