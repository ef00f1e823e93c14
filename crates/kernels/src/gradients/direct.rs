//! The gradients of a convolution, straight from its images; the table at the head of [`crate::direct`] shows both.

#![allow(unsafe_code, reason = "the innermost loop reads and writes through pointers")]

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::direct::{Fields, Geometry};
use crate::tile::{ALIGNMENT, Walk, accumulate, for_columns, for_rows, scalars, vectors};

impl Geometry {
    /// Values of a run, with those that fill the last vector.
    fn padded_run(&self) -> usize {
        self.run().next_multiple_of(ALIGNMENT)
    }

    /// The inverse of [`Self::weight_by_patch`].
    pub(crate) fn weight_from_patches(&self, packed: &[f32]) -> Vec<f32> {
        let mut weight = vec![0.0; self.patch() * self.out];
        self.each_channels_out(|from, to, count| {
            let values = weight[to..].iter_mut().step_by(self.patch());
            values.zip(&packed[from..from + count]).for_each(|(weight, packed)| *weight = *packed);
        });
        weight
    }

    /// For a convolution of stride 1: the convolution that computes its input gradient from its output gradient
    /// `[rows, columns, padded out]`, and the border of zeros that it needs around the latter. `padding` is the border of the
    /// image.
    pub(crate) fn reversed(&self, padding: usize) -> (Self, usize) {
        let border = self.size - 1 - padding;
        let [height, width] = [self.rows(), self.columns()].map(|side| side + 2 * border);
        (Self { height, width, channels: self.padded_out(), size: self.size, stride: 1, out: self.channels }, border)
    }

    /// `[out, channels, size, size]` to the weight of [`Self::reversed`], `[channels, padded out, size, size]`, with rows and
    /// columns reversed.
    pub(crate) fn reversed_weight(&self, weight: &[f32]) -> Vec<f32> {
        let area = self.size * self.size;
        let mut reversed = vec![0.0; self.channels * self.padded_out() * area];
        for (out, weight) in weight.chunks_exact(self.patch()).enumerate() {
            for (channel, weight) in weight.chunks_exact(area).enumerate() {
                let place = &mut reversed[(channel * self.padded_out() + out) * area..][..area];
                place.iter_mut().zip(weight.iter().rev()).for_each(|(reversed, weight)| *reversed = *weight);
            }
        }
        reversed
    }

    /// `[out, channels, size, size]` to `[out, size, padded run]`.
    pub(crate) fn weight_by_out(&self, weight: &[f32]) -> Vec<f32> {
        let (size, channels) = (self.size, self.channels);
        let mut packed = vec![0.0; self.out * size * self.padded_run()];
        for (run, packed) in packed.chunks_exact_mut(self.padded_run()).enumerate() {
            let (out, y) = (run / size, run % size);
            for (x, pixel) in packed[..self.run()].chunks_exact_mut(channels).enumerate() {
                let values = weight[out * self.patch() + y * size + x..].iter().step_by(size * size);
                pixel.iter_mut().zip(values).for_each(|(packed, weight)| *packed = *weight);
            }
        }
        packed
    }
}

/// Adds the weight gradient of one image, for some values of the receptive field that lie in one run.
pub(crate) struct WeightPass<'a> {
    geometry: Geometry,
    image: &'a [f32],
    /// Gradient before the rectifier, `[pixels, padded out]`.
    gradient: &'a [f32],
    values: Range<usize>,
    /// `[values, padded out]`
    sums: &'a mut [f32],
}

impl<'a> WeightPass<'a> {
    pub(crate) fn new(
        geometry: Geometry,
        image: &'a [f32],
        gradient: &'a [f32],
        values: Range<usize>,
        sums: &'a mut [f32],
    ) -> Self {
        assert_eq!(image.len(), geometry.image());
        assert_eq!(gradient.len(), geometry.pixels() * geometry.padded_out());
        assert!(!values.is_empty() && values.end <= geometry.patch());
        assert_eq!(values.start / geometry.run(), (values.end - 1) / geometry.run(), "values lie in one run");
        assert_eq!(sums.len(), values.len() * geometry.padded_out());
        Self { geometry, image, gradient, values, sums }
    }

    #[inline(always)]
    fn columns<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, column: usize) {
        for_rows!(simd, self.values.clone(), column, self.tile);
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, value: usize, column: usize) {
        let geometry = self.geometry;
        let walk = Walk {
            runs: geometry.rows(),
            run_stride: geometry.stride * geometry.line(),
            length: geometry.columns(),
            step: geometry.stride * geometry.channels,
        };
        let (run, within) = (value / geometry.run(), value % geometry.run());
        let first = run * geometry.line() + within;
        let rows = std::array::from_fn(|row| self.image[first + row..].as_ptr());
        let start = |row| (value - self.values.start + row) * geometry.padded_out() + column;
        let mut sums: [[S::f32s; N]; R] = std::array::from_fn(|row| vectors::<S, N>(&self.sums[start(row)..]));
        // SAFETY: the value of a receptive field lies within the image for each output pixel; `gradient` has a row for
        // each of those, and `column` is the first of N whole vectors of a row.
        unsafe {
            accumulate(simd, rows, walk, self.gradient[column..].as_ptr(), geometry.padded_out(), &mut sums);
        }
        for (row, sums) in sums.iter().enumerate() {
            let values = scalars(sums);
            self.sums[start(row)..][..values.len()].copy_from_slice(values);
        }
    }
}

impl WithSimd for WeightPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for_columns!(simd, self.geometry.padded_out(), self.columns);
    }
}

/// Adds the input gradient to some images.
pub(crate) struct InputPass<'a> {
    fields: &'a Fields,
    /// `[out, size, padded run]`
    weight: &'a [f32],
    /// Gradient before the rectifier, `[pixels of all images, padded out]`.
    gradient: &'a [f32],
    /// One after the other.
    images: &'a mut [f32],
    /// For each vector of a tile's row: its offset from the corner of a receptive field, and how many of its values count.
    places: [(usize, usize); WIDEST],
}

/// Vectors of the widest tiles.
const WIDEST: usize = 4;

impl<'a> InputPass<'a> {
    pub(crate) fn new(fields: &'a Fields, weight: &'a [f32], gradient: &'a [f32], images: &'a mut [f32]) -> Self {
        let geometry = fields.geometry;
        assert_eq!(weight.len(), geometry.out * geometry.size * geometry.padded_run());
        assert_eq!(gradient.len(), fields.pixels_of(images) * geometry.padded_out());
        Self { fields, weight, gradient, images, places: [(0, 0); WIDEST] }
    }

    #[inline(always)]
    fn columns<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, column: usize) {
        let geometry = self.fields.geometry;
        // A tile may reach over the end of a run into the next: each vector is put where it belongs.
        for (n, place) in self.places[..N].iter_mut().enumerate() {
            let column = column + n * S::F32_LANES;
            let (run, within) = (column / geometry.padded_run(), column % geometry.padded_run());
            let valid = S::F32_LANES.min(geometry.run().saturating_sub(within));
            *place = (run * geometry.line() + within.min(geometry.run()), valid);
        }
        for_rows!(simd, 0..self.gradient.len() / geometry.padded_out(), column, self.tile);
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, pixel: usize, column: usize) {
        let geometry = self.fields.geometry;
        let walk = Walk { runs: 1, run_stride: 0, length: geometry.out, step: 1 };
        let rows = std::array::from_fn(|row| self.gradient[(pixel + row) * geometry.padded_out()..].as_ptr());
        let mut sums = [[simd.splat_f32s(0.0); N]; R];
        // SAFETY: each output pixel has a gradient for each channel out; `weight` has a row for each of those, and
        // `column` is the first of N whole vectors of a row, since both sides are cut into vectors alike.
        unsafe {
            let step = geometry.size * geometry.padded_run();
            accumulate(simd, rows, walk, self.weight[column..].as_ptr(), step, &mut sums);
        }
        for (row, sums) in sums.iter().enumerate() {
            let corner = self.fields.corners[pixel + row];
            for (sum, (start, valid)) in sums.iter().zip(self.places) {
                let place = &mut self.images[corner + start..][..valid];
                if valid == S::F32_LANES {
                    let old = vectors::<S, 1>(place)[0];
                    place.copy_from_slice(scalars(&[simd.add_f32s(old, *sum)]));
                } else {
                    place.iter_mut().zip(scalars(&[*sum])).for_each(|(value, addend)| *value += addend);
                }
            }
        }
    }
}

impl WithSimd for InputPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let geometry = self.fields.geometry;
        for_columns!(simd, geometry.size * geometry.padded_run(), self.columns);
    }
}

/// Turns the gradient of one image after the rectifier into the one before it, in place, and sums it over the pixels.
pub(crate) struct Rectify<'a> {
    pub(crate) geometry: Geometry,
    /// `[pixels, out]`
    pub(crate) output: &'a [f32],
    /// `[pixels, padded out]`; gradients of outputs that are not positive become 0.
    pub(crate) gradient: &'a mut [f32],
    /// `[out]`, added to.
    pub(crate) sums: &'a mut [f32],
}

impl WithSimd for Rectify<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { geometry, output, gradient, sums } = self;
        let rows = gradient.chunks_exact_mut(geometry.padded_out());
        for (row, output) in rows.zip(output.chunks_exact(geometry.out)) {
            for ((gradient, sum), &output) in row.iter_mut().zip(&mut *sums).zip(output) {
                *gradient = if output > 0.0 { *gradient } else { 0.0 };
                *sum += *gradient;
            }
        }
    }
}

/// The sums of the gradient of one image.
pub(crate) struct GradientSums<'a> {
    pub(crate) geometry: Geometry,
    /// `[pixels, padded out]`
    pub(crate) gradient: &'a [f32],
    /// `[out]`, added to.
    pub(crate) sums: &'a mut [f32],
}

impl WithSimd for GradientSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.gradient.chunks_exact(self.geometry.padded_out()) {
            self.sums.iter_mut().zip(row).for_each(|(sum, gradient)| *sum += gradient);
        }
    }
}
