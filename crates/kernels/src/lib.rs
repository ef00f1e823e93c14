#![doc = include_str!("../README.md")]

mod convolution;
mod dense;
mod direct;
#[cfg(feature = "train")]
pub mod gradients;
mod linear;
mod max_pool;
mod outputs;
mod pixels;
mod threads;
mod tile;

pub use convolution::{Convolution, ConvolutionForm, ConvolutionWork, FusedActivation, convolution};
pub use dense::{Factors, LayerWeights, WeightNoise, padded};
pub use direct::Geometry;
pub use linear::{Linear, linear};
pub use max_pool::{Pooling, Windows, max_pool};
pub use outputs::{combine_streams, means_of_distributions, means_of_quantiles, softmax};
pub use pixels::scale_bytes;
pub use pulp::Arch;
pub use threads::share;
