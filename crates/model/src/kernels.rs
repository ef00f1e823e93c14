//! Operations that Burn offers only in a slower general form, as Burn backend extensions.
//!
//! Each file here defines an operation and its default implementation in Burn's own operations; `flex` has kernels for the
//! processor, `cube` for GPUs. What only training needs, gradients and passes over them, is in a folder `train` of each.
//!
//! Tests compare each kernel with the same computation in Burn's own operations.

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
