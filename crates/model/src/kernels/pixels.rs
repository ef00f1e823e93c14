//! Images from bytes, in the layout of the first convolution.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
#[cfg(feature = "cubecl")]
use burn::tensor::Shape;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::transfer;

/// Images from bytes.
///
/// # Shapes
/// - returns: `[batch, pixels, channels]` floats, the bytes divided by 255
#[backend_extension(Flex: cfg(feature = "flex"), Cube: cfg(feature = "cubecl"), Fusion: cfg(feature = "cubecl"))]
pub(crate) trait PixelOps: Backend {
    /// From bytes `[batch, channels, pixels]`.
    #[fusion(dtype = DType::F32, shape = channels_last(bytes.dims()))]
    fn scaled_from_bytes(bytes: IntTensor<Self>) -> FloatTensor<Self>;

    /// From the same bytes packed into little-endian 32-bit words, `[words]`; `shape` is `[batch, channels, pixels]`.
    #[fusion(dtype = DType::F32, shape = channels_last(*shape))]
    fn scaled_from_words(words: IntTensor<Self>, shape: [usize; 3]) -> FloatTensor<Self>;
}

/// How bytes travel to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// As bytes.
    Bytes,
    /// Four in a 32-bit word, for devices whose kernels have no byte type, such as those in WGSL.
    Words,
}

impl Transport {
    /// The transport for `device`.
    pub(crate) fn to(device: &Device) -> Self {
        if device.supports_dtype(DType::U8) { Self::Bytes } else { Self::Words }
    }

    /// Copies bytes `[batch, channels, pixels]` to the device, and makes floats `[batch, pixels, channels]` from 0 to 1 of
    /// them there.
    pub(crate) fn scaled_channels_last(self, bytes: Vec<u8>, shape: [usize; 3], device: &Device) -> Tensor<3> {
        assert_eq!(bytes.len(), shape.iter().product::<usize>(), "the bytes fill the shape {shape:?}");
        transfer::count_write();
        // The explicit type keeps integers as they are; Burn would widen them on the host without it.
        Tensor::from_dispatch(match self {
            Self::Bytes => {
                let data = TensorData::new(bytes, shape);
                let bytes = Tensor::<3, Int>::from_data(data, (device, DType::U8));
                Dispatch::scaled_from_bytes(bytes.into_dispatch())
            }
            Self::Words => {
                let words = words(&bytes);
                let count = words.len();
                let data = TensorData::new(words, [count]);
                let words = Tensor::<1, Int>::from_data(data, (device, DType::I32));
                Dispatch::scaled_from_words(words.into_dispatch(), shape)
            }
        })
    }
}

/// The bytes as little-endian words; zeros fill the last word.
fn words(bytes: &[u8]) -> Vec<i32> {
    let (whole, rest) = bytes.as_chunks::<4>();
    let mut words: Vec<i32> = whole.iter().copied().map(i32::from_le_bytes).collect();
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        words.push(i32::from_le_bytes(last));
    }
    words
}

#[cfg(feature = "cubecl")]
fn channels_last([batch, channels, pixels]: [usize; 3]) -> Shape {
    Shape::new([batch, pixels, channels])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_words_bring_the_same_images_to_every_device() {
        // The last shape does not fill its words.
        for shape in [[2, 4, 49], [1, 3, 5], [3, 1, 7]] {
            let [batch, channels, pixels] = shape;
            let bytes: Vec<u8> = (0..batch * channels * pixels).map(|i| (i * 37 % 256) as u8).collect();
            for found in crate::device::present_devices() {
                let device = found.open();
                for transport in [Transport::Bytes, Transport::Words] {
                    if transport == Transport::Bytes && Transport::to(&device) == Transport::Words {
                        continue;
                    }
                    let images = transport.scaled_channels_last(bytes.clone(), shape, &device);
                    assert_eq!(images.dims(), [batch, pixels, channels]);
                    for (index, value) in crate::transfer::read(images).into_iter().enumerate() {
                        let (example, pixel, channel) =
                            (index / (channels * pixels), index / channels % pixels, index % channels);
                        let byte = bytes[(example * channels + channel) * pixels + pixel];
                        let expected = f32::from(byte) / 255.0;
                        let error = (value - expected).abs();
                        assert!(error < 1e-6, "{}, {transport:?}, {index}: {value} not {expected}", found.name);
                    }
                }
            }
        }
    }
}
