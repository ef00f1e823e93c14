//! The convolutional torso of "Human-level control through deep reinforcement learning" (Mnih et al., Nature 2015).

use burn::module::Module;
use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use rand::Rng;

use crate::initialise;
use crate::kernels::convolution::convolution_relu;

/// Kernel size, stride and channels out of the three convolutions (Nature 2015, Extended Data Table 1 and Methods).
const CONVOLUTIONS: [(usize, usize, usize); 3] = [(8, 4, 32), (4, 2, 64), (3, 1, 64)];

/// Three convolutions and one fully connected layer, each followed by a rectifier.
///
/// Feature maps are channels-last, so the fully connected layer's inputs are ordered `[row, column, channel]`.
#[derive(Module, Debug)]
pub struct NatureTorso {
    convolution1: Conv2d,
    convolution2: Conv2d,
    convolution3: Conv2d,
    hidden: Linear,
}

impl NatureTorso {
    /// Side lengths of the feature map that the convolutions make of an image, or `None` where the image is too small.
    pub(crate) fn feature_map(height: usize, width: usize) -> Option<[usize; 2]> {
        let side = |input: usize| {
            CONVOLUTIONS.iter().try_fold(input, |side, &(size, stride, _)| Some(side.checked_sub(size)? / stride + 1))
        };
        Some([side(height)?, side(width)?])
    }

    /// A torso for images `[channels, height, width]` with `hidden` features (512 in the paper).
    ///
    /// # Panics
    /// When the image is smaller than the convolutions need (36x36).
    pub fn new(image: [usize; 3], hidden: usize, rng: &mut impl Rng, device: &Device) -> Self {
        let [channels, height, width] = image;
        let [rows, columns] = Self::feature_map(height, width).expect("the image is at least 36x36");
        let [(size1, stride1, out1), (size2, stride2, out2), (size3, stride3, out3)] = CONVOLUTIONS;
        Self {
            convolution1: initialise::convolution([channels, out1], size1, stride1, rng, device),
            convolution2: initialise::convolution([out1, out2], size2, stride2, rng, device),
            convolution3: initialise::convolution([out2, out3], size3, stride3, rng, device),
            hidden: initialise::linear(out3 * rows * columns, hidden, rng, device),
        }
    }

    /// Features of a batch of images.
    ///
    /// # Shapes
    /// - `images`: `[batch, height, width, channels]`
    /// - returns: `[batch, hidden]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let features = rectified_convolution(&self.convolution1, images);
        let features = rectified_convolution(&self.convolution2, features);
        let features = rectified_convolution(&self.convolution3, features);
        relu(self.hidden.forward(features.flatten(1, 3)))
    }
}

fn rectified_convolution(layer: &Conv2d, features: Tensor<4>) -> Tensor<4> {
    let bias = layer.bias.as_ref().expect("every convolution here has a bias");
    convolution_relu(features, layer.weight.val(), bias.val(), layer.stride[0])
}
