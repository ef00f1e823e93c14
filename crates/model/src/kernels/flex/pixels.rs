//! [`PixelOps`] on Flex.

#![allow(unsafe_code, reason = "floats are not zeroed before they are written")]

use std::mem::MaybeUninit;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use rayon::prelude::*;

use super::buffers::{share, tensor, written};
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

fn scaled(bytes: &[u8], [batch, channels, pixels]: [usize; 3]) -> FlexTensor {
    // SAFETY: every image of the batch is written whole.
    let floats = unsafe {
        written(batch * channels * pixels, |floats| {
            let planes = bytes.par_chunks(channels * pixels);
            let images = floats.par_chunks_mut(channels * pixels).zip(planes);
            // A value costs about as much as eight multiplications in registers.
            share(images, 8 * bytes.len(), |(image, planes)| interleave(image, planes, channels));
        })
    };
    tensor(floats, [batch, pixels, channels])
}

/// Planes `[channels, pixels]` of bytes to pixels `[pixels, channels]` of floats.
fn interleave(image: &mut [MaybeUninit<f32>], planes: &[u8], channels: usize) {
    let scaled = |byte: u8| MaybeUninit::new(f32::from(byte) / 255.0);
    let pixels = planes.len() / channels;
    // Four stacked frames are the usual case; knowing their number lets the compiler use vector instructions.
    if channels == 4 {
        let (first, rest) = planes.split_at(pixels);
        let (second, rest) = rest.split_at(pixels);
        let (third, fourth) = rest.split_at(pixels);
        let planes = first.iter().zip(second).zip(third).zip(fourth);
        for (pixel, (((&a, &b), &c), &d)) in image.as_chunks_mut::<4>().0.iter_mut().zip(planes) {
            *pixel = [a, b, c, d].map(scaled);
        }
        return;
    }
    for (channel, plane) in planes.chunks_exact(pixels).enumerate() {
        for (value, &byte) in image[channel..].iter_mut().step_by(channels).zip(plane) {
            *value = scaled(byte);
        }
    }
}
