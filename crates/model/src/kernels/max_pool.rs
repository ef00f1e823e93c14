//! Maximum over windows of channels-last feature maps.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;
pub(crate) use prism_kernels::Windows;

use super::convolution::{channels_first, channels_last};

/// Forward pass of the maximum over windows.
///
/// # Shapes
/// - `x`: feature maps, `[batch, height, width, channels]`
/// - output: `[batch, (height + 2 padding - size) / stride + 1, the same of width, channels]`
///
/// The default is Burn's own pooling on channels-first views.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    Cube: cfg(feature = "cubecl"),
    Fusion: cfg(feature = "cubecl"),
    Autodiff: cfg(feature = "train")
)]
pub(crate) trait MaxPoolOps: Backend {
    /// The output.
    #[fusion(default)]
    fn max_pool(x: FloatTensor<Self>, windows: Windows) -> FloatTensor<Self> {
        let Windows { size, stride, padding } = windows;
        let planes = channels_first::<Self>(x);
        channels_last::<Self>(Self::max_pool2d(planes, [size; 2], [stride; 2], [padding; 2], [1; 2], false))
    }
}

/// The largest value of each window, differentiable; see [`MaxPoolOps`] for shapes.
pub(crate) fn max_pool(x: Tensor<4>, windows: Windows) -> Tensor<4> {
    let [_, height, width, _] = x.dims();
    let Windows { size, padding, .. } = windows;
    assert!(padding < size, "padding {padding} puts a window of size {size} beside the feature map");
    let fits = height.min(width) + 2 * padding >= size;
    assert!(fits, "a {height}x{width} feature map, padded by {padding}, is smaller than the window, {size}");
    Tensor::from_dispatch(Dispatch::max_pool(x.into_dispatch(), windows))
}
