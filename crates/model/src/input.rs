//! What a network is fed: the shape of an observation and how its elements are encoded.

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::kernels::pixels::Transport;

/// Encoding of one element of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputElement {
    /// A byte; networks see it divided by 255.
    U8,
    /// A native-endian `f32`; networks see it as it is.
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

    /// Copies a batch of observations to the device, as they are encoded, and scales them there.
    ///
    /// This is the one host-to-device crossing of observations.
    ///
    /// # Shapes
    /// - `observations`: `[batch, bytes]`, row-major
    /// - returns: `[batch, elements]`; bytes become `0.0..=1.0`. An observation's axes stay in their order, but for images
    ///   of bytes: these come channels-last, as the convolutions want them, `[height, width, channels]`.
    ///
    /// # Panics
    /// When `observations` is not a whole number of observations.
    pub fn upload(&self, observations: &[u8], device: &Device) -> Tensor<2> {
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
            InputElement::F32 => {
                let values: Vec<f32> = bytemuck::pod_collect_to_vec(observations);
                Tensor::from_data(TensorData::new(values, shape), device)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open_device;

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
}
