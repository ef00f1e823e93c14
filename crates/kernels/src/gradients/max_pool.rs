//! The gradient of a maximum over windows: each thread takes whole images, and neighbouring channels form a vector.

use pulp::{Arch, Simd, WithSimd};

use crate::max_pool::{COST, Pooling};
use crate::threads::*;

/// Adds the gradients of an image's windows to the gradients of their largest values.
struct InputPass<'a> {
    geometry: Pooling,
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

/// Gradient of x; that of a window goes to the first of its largest values, row by row.
///
/// # Shapes
/// - `x`: `[batch, height, width, channels]`, as its gradient
/// - `output`, `output_gradient`: `[batch, rows, columns, channels]`
pub fn max_pool_gradient(
    arch: Arch,
    geometry: Pooling,
    x: &[f32],
    output: &[f32],
    output_gradient: &[f32],
) -> Vec<f32> {
    let window = geometry.rows() * geometry.columns() * geometry.channels;
    let mut gradients = vec![0.0; x.len()];
    let images = x
        .par_chunks(geometry.image())
        .zip(gradients.par_chunks_mut(geometry.image()))
        .zip(output.par_chunks(window).zip(output_gradient.par_chunks(window)));
    share(images, COST * x.len(), |((image, gradient), (output, output_gradient))| {
        arch.dispatch(InputPass { geometry, image, output, output_gradient, gradient });
    });
    gradients
}
