//! The kernels of the processor, those of `prism-kernels`, on the tensors of Burn's Flex.

mod buffers;
mod convolution;
mod linear;
mod max_pool;
mod pixels;
mod projection;
#[cfg(feature = "train")]
mod train;
