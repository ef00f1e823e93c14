//! Convolution, bias and rectifier in one operation over channels-last feature maps.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Shape, Tensor};

/// How a convolution goes over its feature maps, and what comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConvolutionForm {
    pub(crate) stride: usize,
    /// Rows and columns of zeros on each side, fewer than the kernel has.
    pub(crate) padding: usize,
    /// Whether a rectifier follows.
    pub(crate) rectified: bool,
}

impl ConvolutionForm {
    fn options(self) -> ConvOptions<2> {
        ConvOptions::new([self.stride; 2], [self.padding; 2], [1; 2], 1)
    }
}

/// Forward and backward pass of max(0, convolution(x, w) + b), or without the rectifier.
///
/// # Shapes
/// - `x`: feature maps, `[batch, height, width, channels in]`
/// - `weight`: `[channels out, channels in, size, size]`
/// - `bias`: `[channels out]`
/// - output and its gradient: `[batch, (height + 2 padding - size) / stride + 1, the same of width, channels out]`
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
    fn convolution(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: ConvolutionForm,
    ) -> FloatTensor<Self> {
        let output = Self::conv2d(channels_first::<Self>(x), weight, Some(bias), form.options());
        channels_last::<Self>(if form.rectified { Self::relu(output) } else { output })
    }

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
        (Self::conv2d_weight_backward(channels_first::<Self>(x), weight, gradient, form.options()), bias)
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
        let of_x = channels_last::<Self>(Self::conv2d_x_backward(planes, weight.clone(), gradient, form.options()));
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
    channels_first::<B>(if form.rectified { B::relu_backward(output, gradient) } else { gradient })
}

/// `[batch, height, width, channels]` seen as `[batch, channels, height, width]`.
pub(super) fn channels_first<B: Backend>(maps: FloatTensor<B>) -> FloatTensor<B> {
    B::float_permute(maps, &[0, 3, 1, 2])
}

/// The way back from [`channels_first`].
pub(super) fn channels_last<B: Backend>(maps: FloatTensor<B>) -> FloatTensor<B> {
    B::float_permute(maps, &[0, 2, 3, 1])
}

/// max(0, convolution(x, w) + b), or without the rectifier, differentiable in all three; see [`ConvolutionOps`] for shapes.
pub(crate) fn convolution(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, form: ConvolutionForm) -> Tensor<4> {
    let [_, height, width, channels] = x.dims();
    let [_, weight_channels, size, _] = weight.dims();
    assert_eq!(channels, weight_channels, "the weight's channels are those of the feature map");
    let padding = form.padding;
    assert!(padding < size, "padding {padding} puts a kernel of size {size} beside the feature map");
    let fits = height.min(width) + 2 * padding >= size;
    assert!(fits, "a {height}x{width} feature map, padded by {padding}, is smaller than the kernel, {size}");
    Tensor::from_dispatch(Dispatch::convolution(x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch(), form))
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

impl<B: ConvolutionOps> Backward<B, 3> for Convolution {
    type State = Saved<FloatTensor<B>>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [x_node, weight_node, bias_node] = ops.parents;
        let gradient = grads.consume::<B>(&ops.node);
        let Saved { x, weight, output, form } = ops.state;
        let (of_weight, of_bias) = match x_node {
            // Weights are never constants here while x is differentiated.
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

impl<B: ConvolutionOps, C: CheckpointStrategy> ConvolutionOps for Autodiff<B, C> {
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

    fn convolution_weight_backward(
        _x: FloatTensor<Self>,
        _weight: FloatTensor<Self>,
        _output: FloatTensor<Self>,
        _output_gradient: FloatTensor<Self>,
        _form: ConvolutionForm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("gradients are computed on the inner backend; second derivatives are not offered")
    }

    fn convolution_backward(
        _x: FloatTensor<Self>,
        _weight: FloatTensor<Self>,
        _output: FloatTensor<Self>,
        _output_gradient: FloatTensor<Self>,
        _form: ConvolutionForm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("gradients are computed on the inner backend; second derivatives are not offered")
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tolerance;
    use burn::tensor::activation::relu;
    use burn::tensor::module::conv2d;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
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
        let output = conv2d(x.permute([0, 3, 1, 2]), weight, Some(bias), form.options()).permute([0, 2, 3, 1]);
        if form.rectified { relu(output) } else { output }
    }

    #[test]
    fn output_and_gradients_equal_burns_own_convolution() {
        let device = crate::open_device("flex").expect("tests are built with flex").autodiff();
        for ([batch, height, width, channels, out, size, stride, padding], rectified) in
            SHAPES.into_iter().flat_map(|shape| [(shape, true), (shape, false)])
        {
            let form = ConvolutionForm { stride, padding, rectified };
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
        let device = crate::open_device("flex").expect("tests are built with flex").autodiff();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        let x = random([2, 5, 5, 3], &mut rng, &device);
        let weight = random([16, 3, 3, 3], &mut rng, &device).require_grad();
        let bias = random([16], &mut rng, &device).require_grad();
        let other = random([2, 3, 3, 16], &mut rng, &device).require_grad();
        let cotangent = random([2, 3, 3, 16], &mut rng, &device);
        let form = ConvolutionForm { stride: 1, padding: 0, rectified: true };
        let sum = convolution(x, weight.clone(), bias, form) + other.clone();
        let gradients = (sum * cotangent.clone()).sum().backward();
        assert!(weight.grad(&gradients).is_some());
        let passed_on = other.grad(&gradients).expect("it is tracked");
        passed_on.into_data().assert_eq(&cotangent.inner().into_data(), true);
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
        let form = ConvolutionForm { stride: 2, padding: 0, rectified: true };
        let run = |x| convolution(x, weight.clone(), bias.clone(), form).into_data();
        run(view).assert_eq(&run(copy), true);
    }
}
