//! Convolution of images, straight from their pixels: no receptive field is copied.
//!
//! All three passes are products of matrices whose left side is read in place. Feature maps are channels-last, so a
//! receptive field is `size` runs of `size * channels` neighbouring values, and the tiles of [`crate::tile`] serve every
//! pass:
//!
//! | pass            | rows of a tile  | columns      | steps              |
//! |-----------------|-----------------|--------------|--------------------|
//! | output          | output pixels   | channels out | receptive field    |
//! | weight gradient | receptive field | channels out | output pixels      |
//! | input gradient  | output pixels   | a run        | channels out       |
//!
//! The output is here; the gradients are in the folder `gradients`.

#![allow(unsafe_code, reason = "the innermost loop reads and writes through pointers")]

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::tile::{ALIGNMENT, Walk, accumulate, for_columns, for_rows, store, vectors};

/// Sizes of one convolution.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// With the zeros around the image, where there are any.
    pub height: usize,
    /// As `height`.
    pub width: usize,
    /// Channels of the image.
    pub channels: usize,
    /// Rows and columns of a receptive field.
    pub size: usize,
    /// From one receptive field to the next.
    pub stride: usize,
    /// Channels of the output.
    pub out: usize,
}

impl Geometry {
    /// Values of one image.
    pub(crate) fn image(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Rows of output pixels.
    pub fn rows(&self) -> usize {
        (self.height - self.size) / self.stride + 1
    }

    /// Columns of output pixels.
    pub fn columns(&self) -> usize {
        (self.width - self.size) / self.stride + 1
    }

    /// Output pixels of one image.
    pub fn pixels(&self) -> usize {
        self.rows() * self.columns()
    }

    /// Values in a receptive field.
    pub fn patch(&self) -> usize {
        self.size * self.run()
    }

    /// Neighbouring values of a receptive field.
    pub(crate) fn run(&self) -> usize {
        self.size * self.channels
    }

    /// Channels out, with those that fill the last vector.
    pub fn padded_out(&self) -> usize {
        self.out.next_multiple_of(ALIGNMENT)
    }

    /// Values between neighbouring rows of an image.
    pub(crate) fn line(&self) -> usize {
        self.width * self.channels
    }

    /// Calls `visit(packed, weight, count)` for each group of up to [`ALIGNMENT`] neighbouring output channels at each
    /// value of the receptive field. `packed` is the group's first index in `[patch, padded out]`, where its channels are
    /// neighbours; `weight` is that in `[out, channels, size, size]`, where they are [`Self::patch`] apart; `count` is their
    /// number.
    ///
    /// Only one group's rows of the weight are read at a time, so that their neighbouring values stay in the cache.
    #[inline(always)]
    pub(crate) fn each_channels_out(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let area = self.size * self.size;
        for first in (0..self.out).step_by(ALIGNMENT) {
            for value in 0..self.patch() {
                let (channel, position) = (value / area, value % area);
                let row = position * self.channels + channel;
                let count = ALIGNMENT.min(self.out - first);
                visit(row * self.padded_out() + first, first * self.patch() + value, count);
            }
        }
    }

    /// `[out, channels, size, size]` to `[patch, padded out]`.
    pub(crate) fn weight_by_patch(&self, weight: &[f32]) -> Vec<f32> {
        let mut packed = vec![0.0; self.patch() * self.padded_out()];
        self.each_channels_out(|to, from, count| {
            let values = weight[from..].iter().step_by(self.patch());
            packed[to..to + count].iter_mut().zip(values).for_each(|(packed, weight)| *packed = *weight);
        });
        packed
    }
}

/// Where the receptive fields of output pixels begin in images that follow one another.
///
/// A table, because the divisions that find a pixel's row and column would take a good part of a tile's time.
pub(crate) struct Fields {
    pub(crate) geometry: Geometry,
    /// Index of the first value of each output pixel's receptive field, image by image.
    pub(crate) corners: Vec<usize>,
}

impl Fields {
    pub(crate) fn new(geometry: Geometry, images: usize) -> Self {
        let mut corners = Vec::with_capacity(images * geometry.pixels());
        for image in 0..images {
            for row in 0..geometry.rows() {
                let start = image * geometry.image() + row * geometry.stride * geometry.line();
                corners
                    .extend((0..geometry.columns()).map(|column| start + column * geometry.stride * geometry.channels));
            }
        }
        Self { geometry, corners }
    }

    /// Number of output pixels of these images.
    ///
    /// # Panics
    /// When there are more images than the table covers, or the last one is cut short.
    pub(crate) fn pixels_of(&self, images: &[f32]) -> usize {
        assert!(images.len().is_multiple_of(self.geometry.image()));
        let pixels = images.len() / self.geometry.image() * self.geometry.pixels();
        assert!(pixels <= self.corners.len());
        pixels
    }
}

/// Some output pixels of some images: max(lowest, weights · receptive field + bias).
pub(crate) struct OutputPass<'a> {
    fields: &'a Fields,
    /// One after the other.
    images: &'a [f32],
    /// `[patch, padded out]`
    weight: &'a [f32],
    /// `[padded out]`
    bias: &'a [f32],
    lowest: f32,
    pixels: Range<usize>,
    /// `[pixels, out]`
    output: &'a mut [MaybeUninit<f32>],
}

impl<'a> OutputPass<'a> {
    /// A pass that writes every value of `output`.
    pub(crate) fn new(
        fields: &'a Fields,
        images: &'a [f32],
        weight: &'a [f32],
        bias: &'a [f32],
        lowest: f32,
        pixels: Range<usize>,
        output: &'a mut [MaybeUninit<f32>],
    ) -> Self {
        let geometry = fields.geometry;
        assert_eq!(weight.len(), geometry.patch() * geometry.padded_out());
        assert_eq!(bias.len(), geometry.padded_out());
        assert!(pixels.end <= fields.pixels_of(images));
        assert_eq!(output.len(), pixels.len() * geometry.out);
        Self { fields, images, weight, bias, lowest, pixels, output }
    }

    #[inline(always)]
    fn columns<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, column: usize) {
        for_rows!(simd, self.pixels.clone(), column, self.tile);
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, pixel: usize, column: usize) {
        let geometry = self.fields.geometry;
        let walk = Walk { runs: geometry.size, run_stride: geometry.line(), length: geometry.run(), step: 1 };
        let bias = vectors::<S, N>(&self.bias[column..]);
        let mut sums = [bias; R];
        let corners = std::array::from_fn(|row| self.images[self.fields.corners[pixel + row]..].as_ptr());
        // SAFETY: a receptive field lies within its image, because pixels are within the output; `weight` has a row for
        // each of its values, and `column` is the first of N whole vectors of a row.
        unsafe {
            let weight = self.weight[column..].as_ptr();
            accumulate(simd, corners, walk, weight, geometry.padded_out(), &mut sums);
        }
        let lowest = simd.splat_f32s(self.lowest);
        for (row, sums) in sums.iter().enumerate() {
            let rectified: [S::f32s; N] = std::array::from_fn(|n| simd.max_f32s(lowest, sums[n]));
            let start = (pixel - self.pixels.start + row) * geometry.out + column;
            store(&rectified, geometry.out - column, &mut self.output[start..]);
        }
    }
}

impl WithSimd for OutputPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for_columns!(simd, self.fields.geometry.out, self.columns);
    }
}
