//! Gradients of [`linear`](super::super::linear::linear).

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata, backend_extension};
use burn::tensor::Shape;

use crate::kernels::linear::LinearOps;

/// Backward pass of [`LinearOps`], which documents the shapes; a gradient has the shape of its variable.
///
/// The defaults are Burn's own matrix products.
#[backend_extension(Flex: cfg(feature = "flex"), Cube: cfg(feature = "cubecl"), Fusion: cfg(feature = "cubecl"))]
pub(crate) trait LinearGradients: Backend {
    /// Gradients of weight and bias.
    #[fusion(default)]
    fn linear_product_weight_backward(
        x: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let outputs = Shape::new([output_gradient.shape()[1]]);
        let bias = Self::float_reshape(Self::float_sum_dim(output_gradient.clone(), 0), outputs);
        (Self::float_matmul(Self::float_transpose(x), output_gradient), bias)
    }

    /// Gradient of x.
    #[fusion(default)]
    fn linear_product_input_backward(
        weight: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Self::float_matmul(output_gradient, Self::float_transpose(weight))
    }
}

#[derive(Debug)]
struct Linear;

#[derive(Clone, Debug)]
struct Saved<T> {
    x: T,
    weight: T,
}

impl<B: LinearGradients> Backward<B, 3> for Linear {
    type State = Saved<FloatTensor<B>>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [x_node, weight_node, bias_node] = ops.parents;
        let gradient = grads.consume::<B>(&ops.node);
        let Saved { x, weight } = ops.state;
        // Weight and bias are trained together, so either both want a gradient or neither does.
        if weight_node.is_some() || bias_node.is_some() {
            let (weight_gradient, bias_gradient) = B::linear_product_weight_backward(x, gradient.clone());
            if let Some(node) = weight_node {
                grads.register::<B>(node.id, weight_gradient);
            }
            if let Some(node) = bias_node {
                grads.register::<B>(node.id, bias_gradient);
            }
        }
        if let Some(node) = x_node {
            grads.register::<B>(node.id, B::linear_product_input_backward(weight, gradient));
        }
    }
}

impl<B: LinearOps + LinearGradients, C: CheckpointStrategy> LinearOps for Autodiff<B, C> {
    fn linear_product(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let [x, weight, bias] = [x, weight, bias].map(|tensor| tensor.into_primitive());
        let output = B::linear_product(x.clone(), weight.clone(), bias);
        match Linear.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(preparation) => preparation.finish(Saved { x, weight }, output),
            OpsKind::UnTracked(preparation) => preparation.finish(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Tensor, Tolerance};
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use crate::kernels::linear::linear;
    use crate::kernels::random;

    #[test]
    fn output_and_gradients_equal_burns_own_products() {
        let device = crate::device::open_device("flex").expect("tests are built with flex").autodiff();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        let mut shapes = vec![[32, 3136, 512], [1, 512, 6], [1, 1, 1], [7, 3, 1], [33, 130, 17], [256, 64, 306]];
        shapes.extend((0..20).map(|_| [1, 2, 3].map(|_| rng.random_range(1..90))));
        for [batch, inputs, outputs] in shapes {
            let x = random([batch, inputs], &mut rng, &device).require_grad();
            let weight = random([inputs, outputs], &mut rng, &device).require_grad();
            let bias = random([outputs], &mut rng, &device).require_grad();
            let cotangent = random([batch, outputs], &mut rng, &device);
            let run = |product: fn(Tensor<2>, Tensor<2>, Tensor<1>) -> Tensor<2>| {
                let output = product(x.clone(), weight.clone(), bias.clone());
                let gradients = (output.clone() * cotangent.clone()).sum().backward();
                [
                    output.into_data(),
                    x.grad(&gradients).expect("x is tracked").into_data(),
                    weight.grad(&gradients).expect("weight is tracked").into_data(),
                    bias.grad(&gradients).expect("bias is tracked").into_data(),
                ]
            };
            let reference = |x: Tensor<2>, weight, bias: Tensor<1>| x.matmul(weight) + bias.unsqueeze::<2>();
            for (actual, expected) in run(linear).iter().zip(run(reference)) {
                // Relative to the largest of a few thousand terms below 1 in another order.
                actual.assert_approx_eq::<f32>(&expected, Tolerance::rel_abs(1e-5, 1e-5 * (inputs as f32).sqrt()));
            }
        }
    }
}
