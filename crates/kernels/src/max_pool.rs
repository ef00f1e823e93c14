//! The largest value of each window of a feature map: each thread takes whole images, and neighbouring channels form a vector.

use pulp::{Arch, Simd, WithSimd};

use crate::threads::*;

/// Cost of a value that passes from memory through a register, in multiplications.
pub(crate) const COST: usize = 16;

/// Square windows; pixels outside of the feature map do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Rows and columns of a window.
    pub size: usize,
    /// From one window to the next, in pixels.
    pub stride: usize,
    /// Rows and columns by which the first and last windows reach beyond the feature map, less than `size`.
    pub padding: usize,
}

impl Windows {
    /// Number of windows along `side` rows or columns.
    pub fn along(self, side: usize) -> usize {
        (side + 2 * self.padding - self.size) / self.stride + 1
    }
}

/// Sizes of one feature map, and its windows.
#[derive(Clone, Copy, Debug)]
pub struct Pooling {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels, which lie side by side.
    pub channels: usize,
    /// What the largest values are of.
    pub windows: Windows,
}

impl Pooling {
    /// Values of a feature map.
    pub fn image(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Windows from top to bottom.
    pub fn rows(&self) -> usize {
        self.windows.along(self.height)
    }

    /// Windows from left to right.
    pub fn columns(&self) -> usize {
        self.windows.along(self.width)
    }

    /// Where the channels of each pixel of a window begin, row by row.
    #[inline(always)]
    pub(crate) fn window(self, row: usize, column: usize) -> impl Iterator<Item = usize> {
        let Windows { size, stride, padding } = self.windows;
        let within = move |window: usize, side: usize| {
            let first = window * stride;
            first.max(padding) - padding..(first + size - padding).min(side)
        };
        let columns = within(column, self.width);
        within(row, self.height).flat_map(move |y| columns.clone().map(move |x| (y * self.width + x) * self.channels))
    }
}

/// The largest values of an image's windows.
struct OutputPass<'a> {
    geometry: Pooling,
    image: &'a [f32],
    /// `[rows, columns, channels]`
    output: &'a mut [f32],
}

impl WithSimd for OutputPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { geometry, image, output } = self;
        for (index, largest) in output.chunks_exact_mut(geometry.channels).enumerate() {
            largest.fill(f32::NEG_INFINITY);
            for pixel in geometry.window(index / geometry.columns(), index % geometry.columns()) {
                for (largest, &value) in largest.iter_mut().zip(&image[pixel..][..geometry.channels]) {
                    *largest = if value > *largest { value } else { *largest };
                }
            }
        }
    }
}

/// The largest value of each window.
///
/// # Shapes
/// - `x`: `[batch, height, width, channels]`
/// - `outputs` becomes `[batch, rows, columns, channels]`
///
/// # Panics
/// When the last feature map is cut short.
pub fn max_pool(arch: Arch, geometry: Pooling, x: &[f32], outputs: &mut Vec<f32>) {
    assert!(x.len().is_multiple_of(geometry.image()));
    let window = geometry.rows() * geometry.columns() * geometry.channels;
    outputs.resize(x.len() / geometry.image() * window, 0.0);
    let images = x.par_chunks(geometry.image()).zip(outputs.par_chunks_mut(window));
    share(images, COST * x.len(), |(image, output)| {
        arch.dispatch(OutputPass { geometry, image, output });
    });
}
