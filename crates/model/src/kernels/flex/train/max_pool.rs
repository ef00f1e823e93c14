//! [`MaxPoolGradients`] on Flex: each thread takes whole images, and neighbouring channels form a vector.

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::kernels::flex::buffers::{contiguous, share, tensor, values};
use crate::kernels::flex::max_pool::{COST, Geometry};
use crate::kernels::max_pool::Windows;
use crate::kernels::train::MaxPoolGradients;

/// Adds the gradients of an image's windows to the gradients of their largest values.
struct InputPass<'a> {
    geometry: Geometry,
    image: &'a [f32],
    /// `[rows, columns, channels]`, as is its gradient.
    output: &'a [f32],
    output_gradient: &'a [f32],
    gradient: &'a mut [f32],
}

impl WithSimd for InputPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { geometry, image, output, output_gradient, gradient } = self;
        let channels = geometry.channels;
        // Gradients whose largest value has not been met yet.
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

impl MaxPoolGradients for Flex {
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
            arch.dispatch(InputPass { geometry, image, output, output_gradient, gradient });
        });
        tensor(gradients, [batch, geometry.height, geometry.width, geometry.channels])
    }
}
