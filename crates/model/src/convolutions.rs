//! The convolutions at the start of a network for images.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::initialise;
use crate::kernels::convolution::{ConvolutionForm, FusedActivation, convolution};

/// Sizes of one square convolution without padding; written `[size, stride, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[usize; 3]", into = "[usize; 3]")]
pub struct Convolution {
    /// Rows and columns of the kernel.
    pub size: usize,
    /// Rows and columns from one output pixel's receptive field to the next one's.
    pub stride: usize,
    /// Output channels.
    pub channels: usize,
}

impl Convolution {
    /// The three of Nature DQN (Mnih et al. 2015, Methods).
    pub const NATURE: [Self; 3] = [
        Self { size: 8, stride: 4, channels: 32 },
        Self { size: 4, stride: 2, channels: 64 },
        Self { size: 3, stride: 1, channels: 64 },
    ];

    /// Output rows (or columns) of an image with `side` rows (or columns), or `None` where the kernel is larger.
    fn output(self, side: usize) -> Option<usize> {
        Some(side.checked_sub(self.size)? / self.stride + 1)
    }

    /// Input rows (or columns) that `rows` output rows (or columns) need.
    fn input(self, rows: usize) -> usize {
        (rows - 1) * self.stride + self.size
    }
}

impl From<[usize; 3]> for Convolution {
    fn from([size, stride, channels]: [usize; 3]) -> Self {
        Self { size, stride, channels }
    }
}

impl From<Convolution> for [usize; 3] {
    fn from(Convolution { size, stride, channels }: Convolution) -> Self {
        [size, stride, channels]
    }
}

/// Convolutions, each followed by a rectifier.
#[derive(Module, Debug)]
pub(crate) struct Convolutions {
    layers: Vec<Conv2d>,
    /// `[channels, height, width]`
    #[module(skip)]
    image: [usize; 3],
    #[module(skip)]
    features: usize,
}

impl Convolutions {
    /// Convolutions, of sizes above 0, for images `[channels, height, width]`, or `None` where the image is smaller than
    /// [`smallest_image`].
    pub(crate) fn new(
        image: [usize; 3],
        convolutions: &[Convolution],
        rng: &mut impl Rng,
        device: &Device,
    ) -> Option<Self> {
        let mut layers = Vec::with_capacity(convolutions.len());
        let [mut channels, mut height, mut width] = image;
        for convolution in convolutions {
            (height, width) = (convolution.output(height)?, convolution.output(width)?);
            let &Convolution { size, stride, channels: out } = convolution;
            layers.push(initialise::convolution([channels, out], size, stride, rng, device));
            channels = out;
        }
        Some(Self { layers, image, features: channels * height * width })
    }

    /// Number of features of an image.
    pub(crate) fn features(&self) -> usize {
        self.features
    }

    /// Features of a batch of images.
    ///
    /// # Shapes
    /// - `images`: `[batch, height * width * channels]`, channels last
    /// - returns: `[batch, rows * columns * channels out]`, channels last
    pub(crate) fn forward(&self, images: Tensor<2>) -> Tensor<2> {
        let [batch, _] = images.dims();
        let [channels, height, width] = self.image;
        let images = images.reshape([batch, height, width, channels]);
        self.layers.iter().fold(images, |features, layer| rectified(layer, features)).flatten(1, 3)
    }
}

/// Rows (and columns) of the smallest image that the convolutions can take: its output is a single pixel.
pub(crate) fn smallest_image(convolutions: &[Convolution]) -> usize {
    convolutions.iter().rev().fold(1, |rows, convolution| convolution.input(rows))
}

fn rectified(layer: &Conv2d, features: Tensor<4>) -> Tensor<4> {
    let bias = layer.bias.as_ref().expect("every convolution here has a bias");
    let form = ConvolutionForm { stride: layer.stride[0], padding: 0, activation: FusedActivation::Relu };
    convolution(features, layer.weight.val(), bias.val(), form)
}

#[cfg(test)]
mod tests {
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{TensorData, Tolerance};
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    #[test]
    fn an_oblong_image_goes_through_the_papers_three_rectified_convolutions() {
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        let (batch, [channels, height, width]) = (2, [3, 36, 52]);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let layers = Convolutions::new([channels, height, width], &Convolution::NATURE, &mut rng, &device);
        let layers = layers.expect("the image is large enough");
        let values: Vec<f32> = (0..batch * channels * height * width).map(|i| (i as f32 * 0.37).sin()).collect();
        let images = Tensor::<4>::from_data(TensorData::new(values, [batch, height, width, channels]), &device);
        let features = layers.forward(images.clone().flatten(1, 3));
        assert_eq!(features.dims(), [batch, layers.features()]);

        let mut planes = images.permute([0, 3, 1, 2]);
        for (layer, stride) in layers.layers.iter().zip([4, 2, 1]) {
            let bias = layer.bias.as_ref().map(burn::module::Param::val);
            let options = ConvOptions::new([stride, stride], [0, 0], [1, 1], 1);
            planes = burn::tensor::activation::relu(conv2d(planes, layer.weight.val(), bias, options));
        }
        assert_eq!(planes.dims(), [batch, 64, 1, 3]);
        let expected = planes.permute([0, 2, 3, 1]).flatten::<2>(1, 3).into_data();
        features.into_data().assert_approx_eq::<f32>(&expected, Tolerance::rel_abs(1e-4, 1e-5));
    }

    #[test]
    fn the_smallest_image_becomes_a_single_pixel() {
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        let two_layers = [Convolution::from([8, 4, 2]), Convolution::from([4, 2, 3])];
        for convolutions in [Convolution::NATURE.as_slice(), &two_layers, &[]] {
            let side = smallest_image(convolutions);
            let build = |height, width| {
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
                Convolutions::new([1, height, width], convolutions, &mut rng, &device)
            };
            let channels = convolutions.last().map_or(1, |last| last.channels);
            assert_eq!(build(side, side).expect("just large enough").features(), channels);
            if side > 1 {
                assert!(build(side - 1, side).is_none() && build(side, side - 1).is_none());
            }
        }
    }
}
