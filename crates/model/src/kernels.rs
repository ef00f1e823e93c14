//! Operations that Burn offers only in a slower general form, as Burn backend extensions.
//!
//! Tests hold each kernel to the same computation written in Burn's own operations.

pub(crate) mod adam;
pub(crate) mod convolution;
#[cfg(feature = "cubecl")]
mod cube;
#[cfg(feature = "flex")]
mod dense;
#[cfg(feature = "flex")]
mod direct;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "flex")]
mod flex_convolution;
#[cfg(feature = "flex")]
mod flex_linear;
#[cfg(feature = "flex")]
mod flex_max_pool;
#[cfg(feature = "flex")]
mod flex_norm;
#[cfg(feature = "flex")]
mod flex_optimiser;
#[cfg(feature = "flex")]
mod flex_pixels;
#[cfg(feature = "flex")]
mod flex_projection;
pub(crate) mod linear;
pub(crate) mod max_pool;
pub(crate) mod noisy_linear;
pub(crate) mod norm;
pub(crate) mod pixels;
pub(crate) mod projection;
pub(crate) mod rms_prop;
#[cfg(feature = "flex")]
mod tile;

/// Values from -1 to 1 for a test.
#[cfg(test)]
fn random<const D: usize>(
    shape: [usize; D],
    rng: &mut impl rand::Rng,
    device: &burn::tensor::Device,
) -> burn::tensor::Tensor<D> {
    use rand::RngExt as _;
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    burn::tensor::Tensor::from_data(burn::tensor::TensorData::new(values, shape), device)
}
