//! Operations that Burn offers only in a slower general form, as Burn backend extensions.
//!
//! Tests hold each kernel to the same computation written in Burn's own operations.

pub(crate) mod adam;
pub(crate) mod convolution;
#[cfg(feature = "cubecl")]
mod cube;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "flex")]
mod flex_adam;
#[cfg(feature = "flex")]
mod flex_convolution;
#[cfg(feature = "flex")]
mod flex_pixels;
#[cfg(feature = "flex")]
mod flex_projection;
#[cfg(feature = "flex")]
mod matrix;
pub(crate) mod pixels;
pub(crate) mod projection;
