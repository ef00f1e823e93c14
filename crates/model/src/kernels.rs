//! Operations that Burn offers only in a slower general form, as Burn backend extensions.
//!
//! A file here says what an operation computes and does it in Burn's own operations; `flex` has the processor's kernels,
//! `cube` those of GPUs. What only training needs, gradients and passes over them, lies in a folder `train` of each.
//!
//! Tests hold each kernel to the same computation written in Burn's own operations.

pub(crate) mod convolution;
#[cfg(feature = "cubecl")]
mod cube;
#[cfg(feature = "flex")]
mod flex;
pub(crate) mod linear;
pub(crate) mod max_pool;
pub(crate) mod noisy_linear;
pub(crate) mod pixels;
pub(crate) mod projection;
#[cfg(feature = "train")]
pub(crate) mod train;

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
