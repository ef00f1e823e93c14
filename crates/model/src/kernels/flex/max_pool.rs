//! [`MaxPoolOps`] on Flex: each thread takes whole images, and neighbouring channels form a vector.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::buffers::{contiguous, share, tensor, values};
use crate::kernels::max_pool::{MaxPoolOps, Windows};

/// Cost of a value that passes from memory through a register, in multiplications.
pub(super) const COST: usize = 16;

/// Sizes of one image, and its windows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
    windows: Windows,
}

impl Geometry {
    pub(super) fn new(x: &FlexTensor, windows: Windows) -> (usize, Self) {
        let [batch, height, width, channels] = x.layout().shape().dims();
        (batch, Self { height, width, channels, windows })
    }

    pub(super) fn image(&self) -> usize {
        self.height * self.width * self.channels
    }

    pub(super) fn rows(&self) -> usize {
        self.windows.along(self.height)
    }

    pub(super) fn columns(&self) -> usize {
        self.windows.along(self.width)
    }

    /// Where the channels of each pixel of a window begin, row by row.
    #[inline(always)]
    pub(super) fn window(self, row: usize, column: usize) -> impl Iterator<Item = usize> {
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
    geometry: Geometry,
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

impl MaxPoolOps for Flex {
    fn max_pool(x: FloatTensor<Self>, windows: Windows) -> FloatTensor<Self> {
        let (batch, geometry) = Geometry::new(&x, windows);
        let x = contiguous(x);
        let window = geometry.rows() * geometry.columns() * geometry.channels;
        let mut outputs = vec![0.0; batch * window];
        let arch = Arch::new();
        let images = values(&x).par_chunks(geometry.image()).zip(outputs.par_chunks_mut(window));
        share(images, COST * batch * geometry.image(), |(image, output)| {
            arch.dispatch(OutputPass { geometry, image, output });
        });
        tensor(outputs, [batch, geometry.rows(), geometry.columns(), geometry.channels])
    }
}
