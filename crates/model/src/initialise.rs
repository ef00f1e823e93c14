//! Initial weights, drawn on the host so that every device starts from the same numbers.

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, RngExt};

/// A layer `[inputs] -> [outputs]` whose weights and biases are uniform in ±1/√inputs, as in Nature DQN's Torch code.
pub(crate) fn linear(inputs: usize, outputs: usize, rng: &mut impl Rng, device: &Device) -> Linear {
    let mut layer = LinearConfig::new(inputs, outputs).init(device);
    layer.weight = uniform([inputs, outputs], bound(inputs), rng, device);
    layer.bias = Some(uniform([outputs], bound(inputs), rng, device));
    layer
}

/// A square convolution without padding; weights and biases uniform in ±1/√(channels in · size²), as in Nature DQN's
/// Torch code.
pub(crate) fn convolution(
    channels: [usize; 2],
    size: usize,
    stride: usize,
    rng: &mut impl Rng,
    device: &Device,
) -> Conv2d {
    let [channels_in, channels_out] = channels;
    let fan_in = channels_in * size * size;
    let mut layer = Conv2dConfig::new(channels, [size, size]).with_stride([stride, stride]).init(device);
    layer.weight = uniform([channels_out, channels_in, size, size], bound(fan_in), rng, device);
    layer.bias = Some(uniform([channels_out], bound(fan_in), rng, device));
    layer
}

/// A parameter whose elements are uniform in ±`bound`.
pub(crate) fn uniform<const D: usize>(
    shape: [usize; D],
    bound: f32,
    rng: &mut impl Rng,
    device: &Device,
) -> Param<Tensor<D>> {
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-bound..=bound)).collect();
    Param::from_data(TensorData::new(values, shape), device)
}

/// A parameter whose elements are all `value`.
pub(crate) fn constant<const D: usize>(shape: [usize; D], value: f32, device: &Device) -> Param<Tensor<D>> {
    Param::from_data(TensorData::new(vec![value; shape.iter().product()], shape), device)
}

/// 1/√`fan_in`.
pub(crate) fn bound(fan_in: usize) -> f32 {
    1.0 / (fan_in as f32).sqrt()
}
