//! The kernels of the processor, on the tensors of Burn's Flex.

mod buffers;
mod convolution;
mod dense;
mod direct;
mod linear;
mod max_pool;
mod pixels;
mod projection;
mod tile;
#[cfg(feature = "train")]
mod train;
