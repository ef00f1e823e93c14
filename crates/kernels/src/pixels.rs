//! Bytes of images as numbers from 0 to 1.

#![allow(unsafe_code, reason = "floats are not zeroed before they are written")]

use std::mem::MaybeUninit;

use crate::threads::*;

/// Bytes divided by 255, with the channels of a pixel side by side.
///
/// # Shapes
/// - `bytes`: `[batch, channels, pixels]`, as `shape` says
/// - `floats` becomes `[batch, pixels, channels]`
///
/// # Panics
/// When there are not as many bytes.
pub fn scale_bytes(bytes: &[u8], shape: [usize; 3], floats: &mut Vec<f32>) {
    let [batch, channels, pixels] = shape;
    assert_eq!(bytes.len(), batch * channels * pixels);
    // SAFETY: every image of the batch is written whole.
    unsafe {
        write_all(floats, batch * channels * pixels, |floats| {
            let planes = bytes.par_chunks(channels * pixels);
            let images = floats.par_chunks_mut(channels * pixels).zip(planes);
            // A value costs about as much as eight multiplications in registers.
            share(images, 8 * bytes.len(), |(image, planes)| interleave(image, planes, channels));
        });
    }
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
