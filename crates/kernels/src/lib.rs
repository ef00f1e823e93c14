#![doc = include_str!("../README.md")]

mod convolution;
mod dense;
mod direct;
#[cfg(feature = "train")]
pub mod gradients;
mod linear;
mod max_pool;
mod pixels;
mod threads;
mod tile;

pub use convolution::{ConvolutionForm, ConvolutionWork, FusedActivation, convolution};
pub use dense::{Factors, LayerWeights, WeightNoise, padded};
pub use direct::Geometry;
pub use linear::linear;
pub use max_pool::{Pooling, Windows, max_pool};
pub use pixels::scaled_from_bytes;
pub use pulp::Arch;
pub use threads::share;
