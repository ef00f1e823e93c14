//! The residual network of IMPALA (Espeholt et al. 2018, figure 3, the deep one, without its LSTM).

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use rand::Rng;

use crate::initialise;
use crate::kernels::convolution::{ConvolutionForm, FusedActivation, convolution};
use crate::kernels::max_pool::{Windows, max_pool};

/// Halves rows and columns, rounded up.
const POOLING: Windows = Windows { size: 3, stride: 2, padding: 1 };

/// Stages, each of a convolution, a max pooling and two residual blocks.
#[derive(Module, Debug)]
pub(crate) struct Impala {
    stages: Vec<ResidualStage>,
    /// `[channels, height, width]`
    #[module(skip)]
    image: [usize; 3],
    #[module(skip)]
    features: usize,
}

#[derive(Module, Debug)]
struct ResidualStage {
    convolution: Conv2d,
    first: ResidualBlock,
    second: ResidualBlock,
}

/// x + convolution(relu(convolution(relu(x)))).
#[derive(Module, Debug)]
struct ResidualBlock {
    first: Conv2d,
    second: Conv2d,
}

impl Impala {
    /// A network for images `[channels, height, width]` of at least one pixel; `stages` are the channels of each stage.
    pub(crate) fn new(image: [usize; 3], stages: &[usize], rng: &mut impl Rng, device: &Device) -> Self {
        let [mut channels, mut height, mut width] = image;
        let mut layer = |channels| initialise::convolution(channels, 3, 1, rng, device);
        let stages = stages
            .iter()
            .map(|&out| {
                let convolution = layer([channels, out]);
                let mut block = || ResidualBlock { first: layer([out, out]), second: layer([out, out]) };
                (channels, height, width) = (out, POOLING.along(height), POOLING.along(width));
                ResidualStage { convolution, first: block(), second: block() }
            })
            .collect();
        Self { stages, image, features: channels * height * width }
    }

    /// Number of features of an image.
    pub(crate) fn features(&self) -> usize {
        self.features
    }

    /// Rectified features of a batch of images.
    ///
    /// # Shapes
    /// - `images`: `[batch, height * width * channels]`, channels last
    /// - returns: `[batch, rows * columns * channels out]`, channels last
    pub(crate) fn forward(&self, images: Tensor<2>) -> Tensor<2> {
        let [batch, _] = images.dims();
        let [channels, height, width] = self.image;
        let images = images.reshape([batch, height, width, channels]);
        let features = self.stages.iter().fold(images, |features, stage| {
            let features = max_pool(padded(&stage.convolution, features, FusedActivation::Identity), POOLING);
            stage.second.forward(stage.first.forward(features))
        });
        relu(features).flatten(1, 3)
    }
}

impl ResidualBlock {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let rectified = padded(&self.first, relu(x.clone()), FusedActivation::Relu);
        x + padded(&self.second, rectified, FusedActivation::Identity)
    }
}

/// A convolution whose output has the rows and columns of its input.
fn padded(layer: &Conv2d, x: Tensor<4>, activation: FusedActivation) -> Tensor<4> {
    let bias = layer.bias.as_ref().expect("every convolution here has a bias");
    convolution(x, layer.weight.val(), bias.val(), ConvolutionForm { stride: 1, padding: 1, activation })
}

#[cfg(test)]
mod tests {
    use burn::tensor::module::{conv2d, max_pool2d};
    use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
    use burn::tensor::{TensorData, Tolerance};
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    #[test]
    fn an_oblong_image_goes_through_the_papers_stages() {
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        let (batch, [channels, height, width]) = (2, [4, 21, 14]);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let network = Impala::new([channels, height, width], &[16, 32, 32], &mut rng, &device);
        assert_eq!(network.features(), 32 * 3 * 2);
        let values: Vec<f32> = (0..batch * channels * height * width).map(|i| (i as f32 * 0.37).sin()).collect();
        let images = Tensor::<4>::from_data(TensorData::new(values, [batch, height, width, channels]), &device);
        let features = network.forward(images.clone().flatten(1, 3));
        assert_eq!(features.dims(), [batch, network.features()]);

        let convolved = |x: Tensor<4>, layer: &Conv2d| {
            let bias = layer.bias.as_ref().map(burn::module::Param::val);
            conv2d(x, layer.weight.val(), bias, ConvOptions::new([1, 1], [1, 1], [1, 1], 1))
        };
        let halving = MaxPoolOptions::new([3, 3]).with_stride([2, 2]).with_padding([1, 1]);
        let mut planes = images.permute([0, 3, 1, 2]);
        for stage in &network.stages {
            planes = max_pool2d(convolved(planes, &stage.convolution), halving.clone());
            for block in [&stage.first, &stage.second] {
                let inner = convolved(relu(planes.clone()), &block.first);
                planes = planes + convolved(relu(inner), &block.second);
            }
        }
        let expected = relu(planes).permute([0, 2, 3, 1]).flatten::<2>(1, 3).into_data();
        features.into_data().assert_approx_eq::<f32>(&expected, Tolerance::rel_abs(1e-4, 1e-5));
    }

    #[test]
    fn an_image_may_be_a_single_pixel() {
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        let network = Impala::new([1, 1, 1], &[3, 5], &mut Xoshiro256PlusPlus::seed_from_u64(1), &device);
        assert_eq!(network.features(), 5);
        assert_eq!(network.forward(Tensor::ones([2, 1], &device)).dims(), [2, 5]);
    }
}
