//! Initial weights, drawn on the host so that every device starts from the same numbers.

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, RngExt};

/// A layer `[inputs] -> [outputs]` whose weights and biases are uniform in ±1/√inputs, as in Nature DQN's Torch code.
pub(crate) fn linear(inputs: usize, outputs: usize, rng: &mut impl Rng, device: &Device) -> Linear {
    let mut layer = LinearConfig::new(inputs, outputs).init(device);
    layer.weight = uniform([inputs, outputs], inputs, rng, device);
    layer.bias = Some(uniform([outputs], inputs, rng, device));
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
    layer.weight = uniform([channels_out, channels_in, size, size], fan_in, rng, device);
    layer.bias = Some(uniform([channels_out], fan_in, rng, device));
    layer
}

fn uniform<const D: usize>(shape: [usize; D], fan_in: usize, rng: &mut impl Rng, device: &Device) -> Param<Tensor<D>> {
    let bound = 1.0 / (fan_in as f32).sqrt();
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-bound..=bound)).collect();
    Param::from_data(TensorData::new(values, shape), device)
}
