//! [`MaxPoolOps`] on Flex: threads share images, and neighbouring channels are a vector.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::flex::{contiguous, share, tensor, values};
use super::max_pool::{MaxPoolOps, Windows};

/// A value passes from memory through a register and costs about as much as so many multiplications.
const COST: usize = 16;

/// Sizes of one image, and its windows.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    height: usize,
    width: usize,
    channels: usize,
    windows: Windows,
}

impl Geometry {
    fn new(x: &FlexTensor, windows: Windows) -> (usize, Self) {
        let [batch, height, width, channels] = x.layout().shape().dims();
        (batch, Self { height, width, channels, windows })
    }

    fn image(&self) -> usize {
        self.height * self.width * self.channels
    }

    fn rows(&self) -> usize {
        self.windows.along(self.height)
    }

    fn columns(&self) -> usize {
        self.windows.along(self.width)
    }

    /// Where the channels of each pixel of a window begin, row by row.
    #[inline(always)]
    fn window(self, row: usize, column: usize) -> impl Iterator<Item = usize> {
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
struct Output<'a> {
    geometry: Geometry,
    image: &'a [f32],
    /// `[rows, columns, channels]`
    output: &'a mut [f32],
}

impl WithSimd for Output<'_> {
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

/// Adds the gradients of an image's windows to what they are the gradients of.
struct InputGradient<'a> {
    geometry: Geometry,
    image: &'a [f32],
    /// `[rows, columns, channels]`, as is its gradient.
    output: &'a [f32],
    output_gradient: &'a [f32],
    gradient: &'a mut [f32],
}

impl WithSimd for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { geometry, image, output, output_gradient, gradient } = self;
        let channels = geometry.channels;
        // What has not found its value yet.
        let mut open = vec![0.0; channels];
        let windows = output.chunks_exact(channels).zip(output_gradient.chunks_exact(channels));
        for (index, (largest, window_gradient)) in windows.enumerate() {
            open.copy_from_slice(window_gradient);
            for pixel in geometry.window(index / geometry.columns(), index % geometry.columns()) {
                let values = image[pixel..][..channels].iter().zip(largest);
                let gradients = gradient[pixel..][..channels].iter_mut().zip(&mut open);
                for ((&value, &largest), (gradient, open)) in values.zip(gradients) {
                    let found = value == largest;
                    *gradient += if found { *open } else { 0.0 };
                    *open = if found { 0.0 } else { *open };
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
            arch.dispatch(Output { geometry, image, output });
        });
        tensor(outputs, [batch, geometry.rows(), geometry.columns(), geometry.channels])
    }

    fn max_pool_backward(
        x: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        windows: Windows,
    ) -> FloatTensor<Self> {
        let (batch, geometry) = Geometry::new(&x, windows);
        let [x, output, output_gradient] = [x, output, output_gradient].map(contiguous);
        let window = geometry.rows() * geometry.columns() * geometry.channels;
        let mut gradients = vec![0.0; batch * geometry.image()];
        let arch = Arch::new();
        let images = values(&x)
            .par_chunks(geometry.image())
            .zip(gradients.par_chunks_mut(geometry.image()))
            .zip(values(&output).par_chunks(window).zip(values(&output_gradient).par_chunks(window)));
        share(images, COST * batch * geometry.image(), |((image, gradient), (output, output_gradient))| {
            arch.dispatch(InputGradient { geometry, image, output, output_gradient, gradient });
        });
        tensor(gradients, [batch, geometry.height, geometry.width, geometry.channels])
    }
}
