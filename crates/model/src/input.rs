//! The input of a network: the shape of an observation and the encoding of its elements.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::kernels::pixels::Transport;
use crate::transfer::write;

/// Encoding of one element of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputElement {
    /// A byte, divided by 255 for the network.
    U8,
    /// A native-endian `f32`, passed to the network unchanged.
    F32,
}

/// Shape and encoding of the observations a network takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Input {
    /// Axes of one observation: `[channels, height, width]` for images, where channels are the stacked frames,
    /// `[len]` for vectors.
    pub shape: Vec<usize>,
    /// Encoding of one element.
    pub element: InputElement,
}

impl Input {
    /// Elements in one observation.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Bytes in one observation.
    pub fn bytes(&self) -> usize {
        match self.element {
            InputElement::U8 => self.elements(),
            InputElement::F32 => self.elements() * size_of::<f32>(),
        }
    }

    /// Channels of an image and pixels of each; other observations have one channel.
    fn planes(&self) -> [usize; 2] {
        match *self.shape.as_slice() {
            [channels, height, width] => [channels, height * width],
            _ => [1, self.elements()],
        }
    }

    /// Copies a batch of encoded observations to the device and scales them there.
    ///
    /// Observations are copied to the device only by this and [`Self::upload_pair`].
    ///
    /// # Shapes
    /// - `observations`: `[batch, bytes]`, row-major
    /// - returns: `[batch, elements]`; bytes become `0.0..=1.0`. Images of bytes become channels-last, as the convolutions
    ///   take them, `[height, width, channels]`; the axes of other observations keep their order.
    ///
    /// # Panics
    /// When `observations` is not a whole number of observations.
    pub fn upload(&self, observations: &[u8], device: &Device) -> Tensor<2> {
        self.upload_bytes(observations.to_vec(), device)
    }

    /// [`Self::upload`] of two batches of equal size in one copy.
    ///
    /// # Panics
    /// When their sizes differ, or are not a whole number of observations.
    pub fn upload_pair(&self, observations: [&[u8]; 2], device: &Device) -> [Tensor<2>; 2] {
        let [first, second] = observations.map(<[u8]>::len);
        assert_eq!(first, second, "both batches have as many observations");
        let both = self.upload_bytes(observations.concat(), device);
        let size = both.dims()[0] / 2;
        [both.clone().narrow(0, 0, size), both.narrow(0, size, size)]
    }

    fn upload_bytes(&self, observations: Vec<u8>, device: &Device) -> Tensor<2> {
        assert!(
            observations.len().is_multiple_of(self.bytes()),
            "{} bytes are not a whole number of observations of {} bytes",
            observations.len(),
            self.bytes()
        );
        let shape = [observations.len() / self.bytes(), self.elements()];
        match self.element {
            InputElement::U8 => {
                let [channels, pixels] = self.planes();
                let planes = [shape[0], channels, pixels];
                Transport::to(device).scaled_channels_last(observations, planes, device).reshape(shape)
            }
            InputElement::F32 => write(bytemuck::pod_collect_to_vec(&observations), shape, device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::open_device;

    #[test]
    fn bytes_are_scaled_and_put_channels_last_and_floats_are_kept() {
        let device = open_device("flex").expect("tests are built with flex");
        let bytes = Input { shape: vec![2, 1, 2], element: InputElement::U8 };
        let scaled = bytes.upload(&[0, 51, 102, 255, 255, 0, 0, 0], &device);
        assert_eq!(scaled.dims(), [2, 4]);
        let values: Vec<f32> = scaled.into_data().try_to_vec().expect("floats");
        for (value, expected) in values.iter().zip([0.0, 0.4, 0.2, 1.0, 1.0, 0.0, 0.0, 0.0]) {
            assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
        }

        let floats = Input { shape: vec![2], element: InputElement::F32 };
        let kept = floats.upload(bytemuck::cast_slice(&[-3.5f32, 7.25]), &device);
        assert_eq!(kept.into_data().try_to_vec::<f32>().expect("floats"), [-3.5, 7.25]);
    }

    #[test]
    fn a_pair_of_batches_is_what_each_of_them_is_alone() {
        let device = open_device("flex").expect("tests are built with flex");
        let input = Input { shape: vec![2, 1, 2], element: InputElement::U8 };
        let batches: [Vec<u8>; 2] = [(0..8).collect(), (100..108).collect()];
        let pair = input.upload_pair([&batches[0], &batches[1]], &device);
        for (together, alone) in pair.into_iter().zip(&batches) {
            assert_eq!(crate::transfer::read(together), crate::transfer::read(input.upload(alone, &device)));
        }
    }
}
