//! [`ConvolutionOps`] on Flex.
//!
//! Burn's Flex convolves through a generic three-dimensional im2col, and its backward pass is a transposed convolution
//! and a convolution with the gradient as kernel. Here, for each image:
//!
//! 1. patches: copy each output pixel's receptive field into a row (`size` contiguous runs of `size * channels`
//!    values, because feature maps are channels-last);
//! 2. output = patches · weights, then bias and rectifier;
//! 3. weight gradient += patchesᵀ · gradient;
//! 4. input gradient: rows = gradient · weightsᵀ, added back where the patches came from.
//!
//! Images are independent, so each thread takes some. Sums over the batch run over a fixed number of parts in a fixed
//! order: results do not depend on the number of threads.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use rayon::prelude::*;

use super::convolution::ConvolutionOps;
use super::flex::{contiguous, tensor, values};
use super::matrix::{Matrix, Write, multiply};

/// Parts of a batch whose gradients are summed separately; more than any small machine has cores.
const PARTS: usize = 16;

/// Sizes of one convolution.
#[derive(Clone, Copy)]
struct Geometry {
    batch: usize,
    width: usize,
    channels: usize,
    image: usize,
    size: usize,
    stride: usize,
    rows: usize,
    columns: usize,
    out: usize,
}

impl Geometry {
    fn new(x: &FlexTensor, out: usize, size: usize, stride: usize) -> Self {
        let [batch, height, width, channels] = x.layout().shape().dims::<4>();
        Self {
            batch,
            width,
            channels,
            image: height * width * channels,
            size,
            stride,
            rows: (height - size) / stride + 1,
            columns: (width - size) / stride + 1,
            out,
        }
    }

    /// Output pixels of one image.
    fn pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// Values in one patch.
    fn patch(&self) -> usize {
        self.size * self.size * self.channels
    }

    /// Calls `visit` with the start in the image and the start in the patches of each contiguous run.
    fn for_runs(&self, mut visit: impl FnMut(usize, usize)) {
        let run = self.run();
        let mut patch = 0;
        for row in 0..self.rows {
            for column in 0..self.columns {
                let mut image = (row * self.stride * self.width + column * self.stride) * self.channels;
                for _ in 0..self.size {
                    visit(image, patch);
                    image += self.width * self.channels;
                    patch += run;
                }
            }
        }
    }

    /// Length of a contiguous run.
    fn run(&self) -> usize {
        self.size * self.channels
    }

    /// Copies the receptive fields of `image` into `patches`, `[pixels, patch]`.
    fn gather(&self, image: &[f32], patches: &mut [f32]) {
        let run = self.run();
        self.for_runs(|from, to| patches[to..to + run].copy_from_slice(&image[from..from + run]));
    }

    /// Adds `patches`, `[pixels, patch]`, to the places in `image` they belong to.
    fn scatter_add(&self, patches: &[f32], image: &mut [f32]) {
        let run = self.run();
        self.for_runs(|to, from| {
            for (value, addend) in image[to..to + run].iter_mut().zip(&patches[from..from + run]) {
                *value += addend;
            }
        });
    }

    /// `[out, channels, size, size]` to `[size, size, channels, out]`, the order of a patch.
    fn pack_weight(&self, weight: &[f32]) -> Vec<f32> {
        let mut packed = vec![0.0; weight.len()];
        self.for_weights(|stored, patch_order| packed[patch_order] = weight[stored]);
        packed
    }

    /// The inverse of [`Geometry::pack_weight`].
    fn unpack_weight(&self, packed: &[f32]) -> Vec<f32> {
        let mut weight = vec![0.0; packed.len()];
        self.for_weights(|stored, patch_order| weight[stored] = packed[patch_order]);
        weight
    }

    fn for_weights(&self, mut visit: impl FnMut(usize, usize)) {
        let area = self.size * self.size;
        for out in 0..self.out {
            for channel in 0..self.channels {
                for position in 0..area {
                    let stored = (out * self.channels + channel) * area + position;
                    visit(stored, (position * self.channels + channel) * self.out + out);
                }
            }
        }
    }

    /// Images of each part.
    fn part(&self) -> usize {
        self.batch.div_ceil(PARTS).max(1)
    }
}

/// The gradient before the rectifier: passed on where the output is positive.
fn rectify(gradient: &[f32], output: &[f32], rectified: &mut [f32]) {
    for ((rectified, &gradient), &output) in rectified.iter_mut().zip(gradient).zip(output) {
        *rectified = if output > 0.0 { gradient } else { 0.0 };
    }
}

impl ConvolutionOps for Flex {
    fn convolution_relu(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let [out, _, size, _] = weight.layout().shape().dims::<4>();
        let [x, weight, bias] = [x, weight, bias].map(contiguous);
        let geometry = Geometry::new(&x, out, size, stride);
        let packed = geometry.pack_weight(values(&weight));
        let bias = values(&bias);
        let mut output = vec![0.0f32; geometry.batch * geometry.pixels() * out];
        output.par_chunks_mut(geometry.pixels() * out).zip(values(&x).par_chunks(geometry.image)).for_each_init(
            || vec![0.0f32; geometry.pixels() * geometry.patch()],
            |patches, (output, image)| {
                geometry.gather(image, patches);
                multiply(
                    Matrix::new(patches, geometry.pixels(), geometry.patch()),
                    Matrix::new(&packed, geometry.patch(), out),
                    output,
                    Write::Replace,
                );
                for pixel in output.chunks_exact_mut(out) {
                    for (value, bias) in pixel.iter_mut().zip(bias) {
                        *value = (*value + bias).max(0.0);
                    }
                }
            },
        );
        tensor(output, [geometry.batch, geometry.rows, geometry.columns, out])
    }

    fn convolution_relu_weight_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        stride: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [out, _, size, _] = weight.layout().shape().dims::<4>();
        let [x, output, output_gradient] = [x, output, output_gradient].map(contiguous);
        let geometry = Geometry::new(&x, out, size, stride);
        let (pixels, patch) = (geometry.pixels(), geometry.patch());
        let part = geometry.part();
        let sums: Vec<(Vec<f32>, Vec<f32>)> = values(&x)
            .par_chunks(part * geometry.image)
            .zip(values(&output).par_chunks(part * pixels * out))
            .zip(values(&output_gradient).par_chunks(part * pixels * out))
            .map(|((images, outputs), gradients)| {
                let mut patches = vec![0.0f32; pixels * patch];
                let mut rectified = vec![0.0f32; pixels * out];
                let mut weight_sum = vec![0.0f32; patch * out];
                let mut bias_sum = vec![0.0f32; out];
                for ((image, output), gradient) in images
                    .chunks_exact(geometry.image)
                    .zip(outputs.chunks_exact(pixels * out))
                    .zip(gradients.chunks_exact(pixels * out))
                {
                    rectify(gradient, output, &mut rectified);
                    for pixel in rectified.chunks_exact(out) {
                        for (sum, gradient) in bias_sum.iter_mut().zip(pixel) {
                            *sum += gradient;
                        }
                    }
                    geometry.gather(image, &mut patches);
                    multiply(
                        Matrix::new(&patches, pixels, patch).transposed(),
                        Matrix::new(&rectified, pixels, out),
                        &mut weight_sum,
                        Write::Add,
                    );
                }
                (weight_sum, bias_sum)
            })
            .collect();
        let (weight_sum, bias_sum) = sums
            .into_iter()
            .reduce(|mut total, part| {
                for (total, part) in [(&mut total.0, &part.0), (&mut total.1, &part.1)] {
                    for (total, part) in total.iter_mut().zip(part) {
                        *total += part;
                    }
                }
                total
            })
            .expect("a batch has at least one example");
        let weight_gradient = geometry.unpack_weight(&weight_sum);
        (tensor(weight_gradient, [out, geometry.channels, size, size]), tensor(bias_sum, [out]))
    }

    fn convolution_relu_input_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let [out, _, size, _] = weight.layout().shape().dims::<4>();
        let geometry = Geometry::new(&x, out, size, stride);
        let (pixels, patch) = (geometry.pixels(), geometry.patch());
        let [weight, output, output_gradient] = [weight, output, output_gradient].map(contiguous);
        let packed = geometry.pack_weight(values(&weight));
        let mut x_gradient = vec![0.0f32; geometry.batch * geometry.image];
        x_gradient
            .par_chunks_mut(geometry.image)
            .zip(values(&output).par_chunks(pixels * out))
            .zip(values(&output_gradient).par_chunks(pixels * out))
            .for_each_init(
                || (vec![0.0f32; pixels * patch], vec![0.0f32; pixels * out]),
                |(patches, rectified), ((image, output), gradient)| {
                    rectify(gradient, output, rectified);
                    multiply(
                        Matrix::new(rectified, pixels, out),
                        Matrix::new(&packed, patch, out).transposed(),
                        patches,
                        Write::Replace,
                    );
                    geometry.scatter_add(patches, image);
                },
            );
        tensor(x_gradient, x.layout().shape().clone())
    }
}
