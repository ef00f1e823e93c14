//! Images from bytes, as the first convolution wants them.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{Int, Tensor};

/// Images from bytes.
#[backend_extension(Flex: cfg(feature = "flex"))]
pub(crate) trait PixelOps: Backend {
    /// `[batch, channels, pixels]` bytes to `[batch, pixels, channels]` floats divided by 255.
    fn scaled_channels_last(bytes: IntTensor<Self>) -> FloatTensor<Self>;
}

/// Bytes `[batch, channels, pixels]` as floats `[batch, pixels, channels]` from 0 to 1.
pub(crate) fn scaled_channels_last(bytes: Tensor<3, Int>) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::scaled_channels_last(bytes.into_dispatch()))
}
