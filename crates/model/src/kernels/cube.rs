//! The kernels on GPUs, in CubeCL: one source for CUDA, WGSL, SPIR-V and MSL.

#[cfg(feature = "train")]
mod train;

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use super::convolution::ConvolutionOps;
use super::linear::LinearOps;
use super::max_pool::MaxPoolOps;
use super::noisy_linear::NoisyLinearOps;
use super::pixels::PixelOps;
use super::projection::ProjectionOps;
use crate::support::Support;

impl ConvolutionOps for CubeBackend {}

impl LinearOps for CubeBackend {}

impl MaxPoolOps for CubeBackend {}

impl NoisyLinearOps for CubeBackend {}

impl ProjectionOps for CubeBackend {
    fn project(
        returns: FloatTensor<Self>,
        discounts: FloatTensor<Self>,
        probabilities: FloatTensor<Self>,
        support: Support,
    ) -> FloatTensor<Self> {
        let [returns, discounts, probabilities] = [returns, discounts, probabilities].map(into_contiguous);
        let projected = output_like(&probabilities, probabilities.shape(), probabilities.dtype);
        let Launch { count, dim } = Launch::over(&projected);
        let dtype = dtype_to_storage_type(probabilities.dtype);
        gather::launch(
            &projected.client,
            count,
            dim,
            returns.into_tensor_arg(),
            discounts.into_tensor_arg(),
            probabilities.into_tensor_arg(),
            projected.clone().into_tensor_arg(),
            support.v_min(),
            support.spacing(),
            dtype,
        );
        projected
    }
}

impl PixelOps for CubeBackend {
    fn scaled_from_bytes(bytes: IntTensor<Self>) -> FloatTensor<Self> {
        let shape = bytes.shape().dims();
        scaled(bytes, shape, Packing::Bytes)
    }

    fn scaled_from_words(words: IntTensor<Self>, shape: [usize; 3]) -> FloatTensor<Self> {
        scaled(words, shape, Packing::Words)
    }
}

/// What one element of an integer tensor holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Packing {
    Bytes,
    Words,
}

fn scaled(packed: CubeTensor, [batch, channels, pixels]: [usize; 3], packing: Packing) -> CubeTensor {
    let packed = into_contiguous(packed);
    let images = output_like(&packed, Shape::new([batch, pixels, channels]), DType::F32);
    let Launch { count, dim } = Launch::over(&images);
    let dtype = dtype_to_storage_type(packed.dtype);
    scale::launch(
        &images.client,
        count,
        dim,
        packed.into_tensor_arg(),
        images.clone().into_tensor_arg(),
        packing,
        dtype,
    );
    images
}

/// An uninitialised row-major tensor of this shape on the device of `other`.
fn output_like(other: &CubeTensor, shape: Shape, dtype: DType) -> CubeTensor {
    empty_device_contiguous_dtype(other.client.clone(), other.device.clone(), shape, dtype)
}

/// How many units run a kernel.
struct Launch {
    count: CubeCount,
    dim: CubeDim,
}

impl Launch {
    /// One unit for each element of the output; surplus units end at once.
    fn over(output: &CubeTensor) -> Self {
        let elements = output.shape().num_elements();
        let dim = CubeDim::new(&output.client, elements);
        Self { count: calculate_cube_count_elemwise(&output.client, elements, dim), dim }
    }
}

/// Each unit sums the contributions of all atoms to its own atom: no element is written twice, so no operation needs to be
/// atomic, and the order of the sum is always the same.
#[cube(launch)]
fn gather<F: Float>(
    returns: &Tensor<F>,
    discounts: &Tensor<F>,
    probabilities: &Tensor<F>,
    projected: &mut Tensor<F>,
    v_min: f32,
    spacing: f32,
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS >= projected.len() {
        terminate!();
    }
    let atoms = projected.shape(1);
    let row = ABSOLUTE_POS / atoms;
    let atom = F::cast_from(ABSOLUTE_POS % atoms);
    let last = F::cast_from(atoms - 1);
    let v_min = F::cast_from(v_min);
    let spacing = F::cast_from(spacing);
    let mut sum = F::new(0.0);
    for j in 0..atoms {
        let z = v_min + F::cast_from(j) * spacing;
        // In units of the spacing, from the first atom.
        let position = clamp((returns[row] + discounts[row] * z - v_min) / spacing, F::new(0.0), last);
        let share = max(F::new(1.0) - (position - atom).abs(), F::new(0.0));
        sum += share * probabilities[row * atoms + j];
    }
    projected[ABSOLUTE_POS] = sum;
}

/// Each unit finds the byte of its own pixel and channel.
#[cube(launch)]
fn scale<I: Int>(
    packed: &Tensor<I>,
    images: &mut Tensor<f32>,
    #[comptime] packing: Packing,
    #[define(I)] _dtype: ElemType,
) {
    if ABSOLUTE_POS >= images.len() {
        terminate!();
    }
    let pixels = images.shape(1);
    let channels = images.shape(2);
    let channel = ABSOLUTE_POS % channels;
    let pixel = ABSOLUTE_POS / channels % pixels;
    let image = ABSOLUTE_POS / (channels * pixels);
    let index = (image * channels + channel) * pixels + pixel;
    let byte = match packing {
        Packing::Bytes => u32::cast_from(packed[index]),
        Packing::Words => (u32::cast_from(packed[index / 4]) >> (u32::cast_from(index % 4) * 8)) & 255,
    };
    images[ABSOLUTE_POS] = f32::cast_from(byte) / 255.0;
}
