//! Convolution, bias and rectifier in one operation over channels-last feature maps.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Shape, Tensor};

/// Forward and backward pass of max(0, convolution(x, w) + b).
///
/// # Shapes
/// - `x`: feature maps, `[batch, height, width, channels in]`
/// - `weight`: `[channels out, channels in, size, size]`
/// - `bias`: `[channels out]`
/// - output and its gradient: `[batch, (height - size) / stride + 1, (width - size) / stride + 1, channels out]`
///
/// As the methods stand here, they are Burn's own convolution on channels-first views, which a device tunes for itself.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    Cube: cfg(feature = "cubecl"),
    Fusion: cfg(feature = "cubecl"),
    Autodiff
)]
pub(crate) trait ConvolutionOps: Backend {
    /// The output.
    #[fusion(default)]
    fn convolution_relu(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let output = Self::conv2d(channels_first::<Self>(x), weight, Some(bias), options(stride));
        channels_last::<Self>(Self::relu(output))
    }

    /// Gradients of weight and bias.
    #[fusion(default)]
    fn convolution_relu_weight_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        stride: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let gradient = channels_first::<Self>(Self::relu_backward(output, output_gradient));
        let bias = [0, 2, 3].into_iter().fold(gradient.clone(), Self::float_sum_dim);
        let bias = Self::float_reshape(bias, Shape::new([weight.shape()[0]]));
        (Self::conv2d_weight_backward(channels_first::<Self>(x), weight, gradient, options(stride)), bias)
    }

    /// Gradient of x.
    #[fusion(default)]
    fn convolution_relu_input_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let gradient = channels_first::<Self>(Self::relu_backward(output, output_gradient));
        channels_last::<Self>(Self::conv2d_x_backward(channels_first::<Self>(x), weight, gradient, options(stride)))
    }
}

fn options(stride: usize) -> ConvOptions<2> {
    ConvOptions::new([stride; 2], [0; 2], [1; 2], 1)
}

/// `[batch, height, width, channels]` seen as `[batch, channels, height, width]`.
fn channels_first<B: Backend>(maps: FloatTensor<B>) -> FloatTensor<B> {
    B::float_permute(maps, &[0, 3, 1, 2])
}

/// The way back from [`channels_first`].
fn channels_last<B: Backend>(maps: FloatTensor<B>) -> FloatTensor<B> {
    B::float_permute(maps, &[0, 2, 3, 1])
}

/// max(0, convolution(x, w) + b), differentiable in all three; see [`ConvolutionOps`] for shapes.
pub(crate) fn convolution_relu(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, stride: usize) -> Tensor<4> {
    let [_, height, width, channels] = x.dims();
    let [_, weight_channels, size, _] = weight.dims();
    assert_eq!(channels, weight_channels, "the weight's channels are those of the feature map");
    assert!(height >= size && width >= size, "a {height}x{width} feature map is smaller than the kernel, {size}");
    Tensor::from_dispatch(Dispatch::convolution_relu(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        stride,
    ))
}

#[derive(Debug)]
struct ConvolutionRelu;

#[derive(Clone, Debug)]
struct Saved<T> {
    x: T,
    weight: T,
    output: T,
    stride: usize,
}

impl<B: ConvolutionOps> Backward<B, 3> for ConvolutionRelu {
    type State = Saved<FloatTensor<B>>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [x_node, weight_node, bias_node] = ops.parents;
        let gradient = grads.consume::<B>(&ops.node);
        let Saved { x, weight, output, stride } = ops.state;
        // Weight and bias are trained together, so either both want a gradient or neither does.
        if weight_node.is_some() || bias_node.is_some() {
            let (weight_gradient, bias_gradient) = B::convolution_relu_weight_backward(
                x.clone(),
                weight.clone(),
                output.clone(),
                gradient.clone(),
                stride,
            );
            if let Some(node) = weight_node {
                grads.register::<B>(node.id, weight_gradient);
            }
            if let Some(node) = bias_node {
                grads.register::<B>(node.id, bias_gradient);
            }
        }
        if let Some(node) = x_node {
            let x_gradient = B::convolution_relu_input_backward(x, weight, output, gradient, stride);
            grads.register::<B>(node.id, x_gradient);
        }
    }
}

impl<B: ConvolutionOps, C: CheckpointStrategy> ConvolutionOps for Autodiff<B, C> {
    fn convolution_relu(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let [x, weight, bias] = [x, weight, bias].map(|tensor| tensor.into_primitive());
        let output = B::convolution_relu(x.clone(), weight.clone(), bias, stride);
        match ConvolutionRelu.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(preparation) => {
                let saved = Saved { x, weight, output: output.clone(), stride };
                preparation.finish(saved, output)
            }
            OpsKind::UnTracked(preparation) => preparation.finish(output),
        }
    }

    fn convolution_relu_weight_backward(
        _x: FloatTensor<Self>,
        _weight: FloatTensor<Self>,
        _output: FloatTensor<Self>,
        _output_gradient: FloatTensor<Self>,
        _stride: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("gradients are computed on the inner backend; second derivatives are not offered")
    }

    fn convolution_relu_input_backward(
        _x: FloatTensor<Self>,
        _weight: FloatTensor<Self>,
        _output: FloatTensor<Self>,
        _output_gradient: FloatTensor<Self>,
        _stride: usize,
    ) -> FloatTensor<Self> {
        unreachable!("gradients are computed on the inner backend; second derivatives are not offered")
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tolerance;
    use burn::tensor::activation::relu;
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::kernels::random;

    /// `batch, height, width, channels in, channels out, size, stride`.
    const SHAPES: [[usize; 7]; 7] = [
        [2, 84, 84, 4, 32, 8, 4],
        [3, 20, 20, 32, 64, 4, 2],
        [32, 9, 9, 64, 64, 3, 1],
        [1, 8, 8, 1, 1, 8, 4],
        [17, 11, 7, 3, 5, 3, 2],
        [2, 6, 9, 2, 7, 1, 1],
        [5, 10, 10, 3, 4, 4, 3],
    ];

    fn reference(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, stride: usize) -> Tensor<4> {
        let planes = x.permute([0, 3, 1, 2]);
        let options = ConvOptions::new([stride, stride], [0, 0], [1, 1], 1);
        relu(conv2d(planes, weight, Some(bias), options)).permute([0, 2, 3, 1])
    }

    #[test]
    fn output_and_gradients_equal_burns_own_convolution() {
        let device = crate::open_device("flex").expect("tests are built with flex").autodiff();
        for [batch, height, width, channels, out, size, stride] in SHAPES {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
            let x = random([batch, height, width, channels], &mut rng, &device).require_grad();
            let weight = random([out, channels, size, size], &mut rng, &device).require_grad();
            let bias = random([out], &mut rng, &device).require_grad();
            let cotangent_shape = [batch, (height - size) / stride + 1, (width - size) / stride + 1, out];
            let cotangent = random(cotangent_shape, &mut rng, &device);
            let run = |convolution: fn(Tensor<4>, Tensor<4>, Tensor<1>, usize) -> Tensor<4>| {
                let output = convolution(x.clone(), weight.clone(), bias.clone(), stride);
                let gradients = (output.clone() * cotangent.clone()).sum().backward();
                (
                    output.into_data(),
                    x.grad(&gradients).expect("x is tracked").into_data(),
                    weight.grad(&gradients).expect("weight is tracked").into_data(),
                    bias.grad(&gradients).expect("bias is tracked").into_data(),
                )
            };
            let actual = run(convolution_relu);
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
    fn strided_views_are_read_in_their_own_order() {
        let device = crate::open_device("flex").expect("tests are built with flex");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
        let planes = random([2, 3, 9, 9], &mut rng, &device);
        let weight = random([4, 3, 3, 3], &mut rng, &device);
        let bias = random([4], &mut rng, &device);
        let view = planes.permute([0, 2, 3, 1]);
        let copy = Tensor::from_data(view.clone().into_data(), &device);
        let run = |x| convolution_relu(x, weight.clone(), bias.clone(), 2).into_data();
        run(view).assert_eq(&run(copy), true);
    }
}
