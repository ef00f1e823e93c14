//! Convolution, bias and rectifier in one operation over channels-last feature maps.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;
pub(crate) use prism_kernels::{ConvolutionForm, FusedActivation};

/// The form as Burn's own convolution takes it.
pub(super) fn options(form: ConvolutionForm) -> ConvOptions<2> {
    ConvOptions::new([form.stride; 2], [form.padding; 2], [1; 2], 1)
}

/// Forward pass of activation(convolution(x, w) + b).
///
/// # Shapes
/// - `x`: feature maps, `[batch, height, width, channels in]`
/// - `weight`: `[channels out, channels in, size, size]`
/// - `bias`: `[channels out]`
/// - output: `[batch, (height + 2 padding - size) / stride + 1, the same of width, channels out]`
///
/// The default is Burn's own convolution on channels-first views, which is tuned for each device.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    Cube: cfg(feature = "cubecl"),
    Fusion: cfg(feature = "cubecl"),
    Autodiff: cfg(feature = "train")
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
        let output = Self::conv2d(channels_first::<Self>(x), weight, Some(bias), options(form));
        channels_last::<Self>(match form.activation {
            FusedActivation::Relu => Self::relu(output),
            FusedActivation::Identity => output,
        })
    }
}

/// `[batch, height, width, channels]` seen as `[batch, channels, height, width]`.
pub(super) fn channels_first<B: Backend>(maps: FloatTensor<B>) -> FloatTensor<B> {
    B::float_permute(maps, &[0, 3, 1, 2])
}

/// The inverse of [`channels_first`].
pub(super) fn channels_last<B: Backend>(maps: FloatTensor<B>) -> FloatTensor<B> {
    B::float_permute(maps, &[0, 2, 3, 1])
}

/// activation(convolution(x, w) + b), differentiable in all three; see [`ConvolutionOps`] for shapes.
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

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::kernels::random;

    #[test]
    fn strided_views_are_read_in_their_own_order() {
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
        let planes = random([2, 3, 9, 9], &mut rng, &device);
        let weight = random([4, 3, 3, 3], &mut rng, &device);
        let bias = random([4], &mut rng, &device);
        let view = planes.permute([0, 2, 3, 1]);
        let copy = Tensor::from_data(view.clone().into_data(), &device);
        let form = ConvolutionForm { stride: 2, padding: 0, activation: FusedActivation::Relu };
        let run = |x| convolution(x, weight.clone(), bias.clone(), form).into_data();
        run(view).assert_eq(&run(copy), true);
    }
}
