//! Gradients of [`convolution`](super::super::convolution::convolution).

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata, backend_extension};
use burn::tensor::Shape;

use crate::kernels::convolution::{
    ConvolutionForm, ConvolutionOps, FusedActivation, channels_first, channels_last, options,
};

/// Backward pass of [`ConvolutionOps`], which documents the shapes; a gradient has the shape of its variable.
///
/// The defaults are the gradients of Burn's own convolution.
#[backend_extension(Flex: cfg(feature = "flex"), Cube: cfg(feature = "cubecl"), Fusion: cfg(feature = "cubecl"))]
pub(crate) trait ConvolutionGradients: Backend {
    /// Gradients of weight and bias.
    #[fusion(default)]
    fn convolution_weight_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        form: ConvolutionForm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let gradient = before_rectifier::<Self>(output, output_gradient, form);
        let bias = [0, 2, 3].into_iter().fold(gradient.clone(), Self::float_sum_dim);
        let bias = Self::float_reshape(bias, Shape::new([weight.shape()[0]]));
        (Self::conv2d_weight_backward(channels_first::<Self>(x), weight, gradient, options(form)), bias)
    }

    /// Gradients of x, weight and bias.
    #[fusion(default)]
    fn convolution_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        form: ConvolutionForm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let gradient = before_rectifier::<Self>(output.clone(), output_gradient.clone(), form);
        let planes = channels_first::<Self>(x.clone());
        let of_x = channels_last::<Self>(Self::conv2d_x_backward(planes, weight.clone(), gradient, options(form)));
        let (of_weight, of_bias) = Self::convolution_weight_backward(x, weight, output, output_gradient, form);
        (of_x, of_weight, of_bias)
    }
}

/// The output's gradient before the rectifier, channels first.
fn before_rectifier<B: Backend>(
    output: FloatTensor<B>,
    gradient: FloatTensor<B>,
    form: ConvolutionForm,
) -> FloatTensor<B> {
    channels_first::<B>(match form.activation {
        FusedActivation::Relu => B::relu_backward(output, gradient),
        FusedActivation::Identity => gradient,
    })
}

#[derive(Debug)]
struct Convolution;

#[derive(Clone, Debug)]
struct Saved<T> {
    x: T,
    weight: T,
    output: T,
    form: ConvolutionForm,
}

impl<B: ConvolutionGradients> Backward<B, 3> for Convolution {
    type State = Saved<FloatTensor<B>>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [x_node, weight_node, bias_node] = ops.parents;
        let gradient = grads.consume::<B>(&ops.node);
        let Saved { x, weight, output, form } = ops.state;
        let (of_weight, of_bias) = match x_node {
            // Wherever x is differentiated here, the weights are too.
            Some(node) => {
                let (of_x, of_weight, of_bias) = B::convolution_backward(x, weight, output, gradient, form);
                grads.register::<B>(node.id, of_x);
                (of_weight, of_bias)
            }
            None => B::convolution_weight_backward(x, weight, output, gradient, form),
        };
        for (node, gradient) in [(weight_node, of_weight), (bias_node, of_bias)] {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: ConvolutionOps + ConvolutionGradients, C: CheckpointStrategy> ConvolutionOps for Autodiff<B, C> {
    fn convolution(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: ConvolutionForm,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let [x, weight, bias] = [x, weight, bias].map(|tensor| tensor.into_primitive());
        let output = B::convolution(x.clone(), weight.clone(), bias, form);
        match Convolution.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(preparation) => {
                let saved = Saved { x, weight, output: output.clone(), form };
                preparation.finish(saved, output)
            }
            OpsKind::UnTracked(preparation) => preparation.finish(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::relu;
    use burn::tensor::module::conv2d;
    use burn::tensor::{Tensor, Tolerance};
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::kernels::convolution::convolution;
    use crate::kernels::random;

    /// `batch, height, width, channels in, channels out, size, stride, padding`.
    const SHAPES: [[usize; 8]; 10] = [
        [2, 84, 84, 4, 32, 8, 4, 0],
        [3, 20, 20, 32, 64, 4, 2, 0],
        [32, 9, 9, 64, 64, 3, 1, 0],
        [1, 8, 8, 1, 1, 8, 4, 0],
        [17, 11, 7, 3, 5, 3, 2, 0],
        [2, 6, 9, 2, 7, 1, 1, 0],
        [5, 10, 10, 3, 4, 4, 3, 0],
        [2, 21, 21, 16, 32, 3, 1, 1],
        [3, 2, 1, 3, 5, 3, 1, 1],
        [2, 7, 8, 3, 4, 4, 2, 2],
    ];

    fn reference(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, form: ConvolutionForm) -> Tensor<4> {
        let output = conv2d(x.permute([0, 3, 1, 2]), weight, Some(bias), options(form)).permute([0, 2, 3, 1]);
        match form.activation {
            FusedActivation::Relu => relu(output),
            FusedActivation::Identity => output,
        }
    }

    #[test]
    fn output_and_gradients_equal_burns_own_convolution() {
        let device = crate::device::open_device("flex").expect("tests are built with flex").autodiff();
        for ([batch, height, width, channels, out, size, stride, padding], activation) in
            SHAPES.into_iter().flat_map(|shape| [(shape, FusedActivation::Relu), (shape, FusedActivation::Identity)])
        {
            let form = ConvolutionForm { stride, padding, activation };
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
            let x = random([batch, height, width, channels], &mut rng, &device).require_grad();
            let weight = random([out, channels, size, size], &mut rng, &device).require_grad();
            let bias = random([out], &mut rng, &device).require_grad();
            let [rows, columns] = [height, width].map(|side| (side + 2 * padding - size) / stride + 1);
            let cotangent_shape = [batch, rows, columns, out];
            let cotangent = random(cotangent_shape, &mut rng, &device);
            let run = |convolution: fn(Tensor<4>, Tensor<4>, Tensor<1>, ConvolutionForm) -> Tensor<4>| {
                let output = convolution(x.clone(), weight.clone(), bias.clone(), form);
                let gradients = (output.clone() * cotangent.clone()).sum().backward();
                (
                    output.into_data(),
                    x.grad(&gradients).expect("x is tracked").into_data(),
                    weight.grad(&gradients).expect("weight is tracked").into_data(),
                    bias.grad(&gradients).expect("bias is tracked").into_data(),
                )
            };
            let actual = run(convolution);
            let expected = run(reference);
            // Sums of up to batch * pixels terms in another order differ by rounding.
            let tolerance = Tolerance::<f32>::rel_abs(1e-4, 1e-3);
            actual.0.assert_approx_eq::<f32>(&expected.0, tolerance);
            actual.1.assert_approx_eq::<f32>(&expected.1, tolerance);
            actual.2.assert_approx_eq::<f32>(&expected.2, tolerance);
            actual.3.assert_approx_eq::<f32>(&expected.3, tolerance);
        }
    }

    #[test]
    fn a_gradient_that_others_hold_stays_as_it_is() {
        let device = crate::device::open_device("flex").expect("tests are built with flex").autodiff();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        let x = random([2, 5, 5, 3], &mut rng, &device);
        let weight = random([16, 3, 3, 3], &mut rng, &device).require_grad();
        let bias = random([16], &mut rng, &device).require_grad();
        let other = random([2, 3, 3, 16], &mut rng, &device).require_grad();
        let cotangent = random([2, 3, 3, 16], &mut rng, &device);
        let form = ConvolutionForm { stride: 1, padding: 0, activation: FusedActivation::Relu };
        let sum = convolution(x, weight.clone(), bias, form) + other.clone();
        let gradients = (sum * cotangent.clone()).sum().backward();
        assert!(weight.grad(&gradients).is_some());
        let passed_on = other.grad(&gradients).expect("it is tracked");
        passed_on.into_data().assert_eq(&cotangent.inner().into_data(), true);
    }
}
