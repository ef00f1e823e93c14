//! [`PixelOps`] on Flex.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};

use super::buffers::tensor;
use crate::kernels::pixels::PixelOps;

impl PixelOps for Flex {
    fn scaled_from_bytes(bytes: IntTensor<Self>) -> FloatTensor<Self> {
        let shape = bytes.layout().shape().dims::<3>();
        scaled(bytes.to_contiguous().storage::<u8>(), shape)
    }

    fn scaled_from_words(words: IntTensor<Self>, shape: [usize; 3]) -> FloatTensor<Self> {
        let words = words.to_contiguous();
        let bytes: Vec<u8> = words.storage::<i32>().iter().flat_map(|word| word.to_le_bytes()).collect();
        scaled(&bytes[..shape.iter().product::<usize>()], shape)
    }
}

fn scaled(bytes: &[u8], shape: [usize; 3]) -> FlexTensor {
    let [batch, channels, pixels] = shape;
    let mut floats = Vec::new();
    prism_kernels::scale_bytes(bytes, shape, &mut floats);
    tensor(floats, [batch, pixels, channels])
}
