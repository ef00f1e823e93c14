//! The convolutions of "Human-level control through deep reinforcement learning" (Mnih et al., Nature 2015).

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use rand::Rng;

use crate::initialise;
use crate::kernels::convolution::convolution_relu;

/// Kernel size, stride and channels out of the three convolutions (Nature 2015, Extended Data Table 1 and Methods).
const CONVOLUTIONS: [(usize, usize, usize); 3] = [(8, 4, 32), (4, 2, 64), (3, 1, 64)];

/// Three convolutions, each followed by a rectifier.
#[derive(Module, Debug)]
pub(crate) struct NatureConvolutions {
    convolution1: Conv2d,
    convolution2: Conv2d,
    convolution3: Conv2d,
    #[module(skip)]
    image: [usize; 3],
}

impl NatureConvolutions {
    /// Convolutions for images `[channels, height, width]`, or `None` where the image is smaller than 36x36, which they
    /// need.
    pub(crate) fn new(image: [usize; 3], rng: &mut impl Rng, device: &Device) -> Option<Self> {
        feature_map(image)?;
        let [(size1, stride1, out1), (size2, stride2, out2), (size3, stride3, out3)] = CONVOLUTIONS;
        Some(Self {
            convolution1: initialise::convolution([image[0], out1], size1, stride1, rng, device),
            convolution2: initialise::convolution([out1, out2], size2, stride2, rng, device),
            convolution3: initialise::convolution([out2, out3], size3, stride3, rng, device),
            image,
        })
    }

    /// How many features come out.
    pub(crate) fn features(&self) -> usize {
        feature_map(self.image).expect("the image was checked when this was built").iter().product()
    }

    /// Features of a batch of images.
    ///
    /// # Shapes
    /// - `images`: `[batch, height * width * channels]`, channels last
    /// - returns: `[batch, rows * columns * 64]`, channels last
    pub(crate) fn forward(&self, images: Tensor<2>) -> Tensor<2> {
        let [batch, _] = images.dims();
        let [channels, height, width] = self.image;
        let features = rectified(&self.convolution1, images.reshape([batch, height, width, channels]));
        let features = rectified(&self.convolution2, features);
        let features = rectified(&self.convolution3, features);
        features.flatten(1, 3)
    }
}

/// Rows, columns and channels that the convolutions make of an image `[channels, height, width]`, or `None` where the image
/// is too small.
fn feature_map([_, height, width]: [usize; 3]) -> Option<[usize; 3]> {
    let side = |input: usize| {
        CONVOLUTIONS.iter().try_fold(input, |side, &(size, stride, _)| Some(side.checked_sub(size)? / stride + 1))
    };
    Some([side(height)?, side(width)?, CONVOLUTIONS[2].2])
}

fn rectified(layer: &Conv2d, features: Tensor<4>) -> Tensor<4> {
    let bias = layer.bias.as_ref().expect("every convolution here has a bias");
    convolution_relu(features, layer.weight.val(), bias.val(), layer.stride[0])
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
        let device = crate::open_device("flex").expect("tests are built with flex");
        let (batch, [channels, height, width]) = (2, [3, 36, 52]);
        let layers =
            NatureConvolutions::new([channels, height, width], &mut Xoshiro256PlusPlus::seed_from_u64(1), &device);
        let layers = layers.expect("the image is large enough");
        let values: Vec<f32> = (0..batch * channels * height * width).map(|i| (i as f32 * 0.37).sin()).collect();
        let images = Tensor::<4>::from_data(TensorData::new(values, [batch, height, width, channels]), &device);
        let features = layers.forward(images.clone().flatten(1, 3));
        assert_eq!(features.dims(), [batch, layers.features()]);

        let mut planes = images.permute([0, 3, 1, 2]);
        for (layer, stride) in
            [&layers.convolution1, &layers.convolution2, &layers.convolution3].into_iter().zip([4, 2, 1])
        {
            let bias = layer.bias.as_ref().map(burn::module::Param::val);
            let options = ConvOptions::new([stride, stride], [0, 0], [1, 1], 1);
            planes = burn::tensor::activation::relu(conv2d(planes, layer.weight.val(), bias, options));
        }
        assert_eq!(planes.dims(), [batch, 64, 1, 3]);
        let expected = planes.permute([0, 2, 3, 1]).flatten::<2>(1, 3).into_data();
        features.into_data().assert_approx_eq::<f32>(&expected, Tolerance::rel_abs(1e-4, 1e-5));
    }
}
