//! Convolution of a batch of images: the passes of [`crate::direct`], shared among threads.
//!
//! Every sum is made by one thread in one order, so that results do not depend on the number of threads: threads share
//! images, or, for the weight gradient, which sums over images, values of the receptive field.

#![allow(unsafe_code, reason = "outputs are not zeroed before they are written")]

use std::cell::Cell;
use std::mem::MaybeUninit;

use pulp::Arch;

use crate::dense::padded;
use crate::direct::{Fields, Geometry, OutputPass};
use crate::threads::*;

/// Output pixels that a thread takes at a time, if there are enough.
const TOGETHER: usize = 192;

/// Stride, padding and activation of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvolutionForm {
    /// From one receptive field to the next, in pixels.
    pub stride: usize,
    /// Rows and columns of zeros on each side, fewer than the kernel has.
    pub padding: usize,
    /// What becomes of the sums.
    pub activation: FusedActivation,
}

/// Activation that is applied in the pass of the convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FusedActivation {
    /// max(0, x).
    Relu,
    /// x.
    Identity,
}

/// A convolution of a batch.
#[derive(Clone, Copy, Debug)]
pub struct ConvolutionWork {
    /// Images.
    pub batch: usize,
    /// Zeros around an image, which `geometry` counts in.
    pub padding: usize,
    /// What becomes of the sums.
    pub activation: FusedActivation,
    /// Sizes of one image.
    pub geometry: Geometry,
}

impl ConvolutionWork {
    /// The convolution of images `[batch, height, width, channels]` with `out` kernels of `size` rows and columns.
    pub fn new([batch, height, width, channels]: [usize; 4], [out, size]: [usize; 2], form: ConvolutionForm) -> Self {
        let ConvolutionForm { stride, padding, activation } = form;
        let [height, width] = [height, width].map(|side| side + 2 * padding);
        Self { batch, padding, activation, geometry: Geometry { height, width, channels, size, stride, out } }
    }

    /// Values of a row of an image, without zeros around it.
    pub(crate) fn line(&self) -> usize {
        (self.geometry.width - 2 * self.padding) * self.geometry.channels
    }

    /// Values of an image, without zeros around it.
    pub fn image(&self) -> usize {
        (self.geometry.height - 2 * self.padding) * self.line()
    }

    /// How many images a thread takes at a time: taking several small ones without padding leaves fewer partly filled
    /// tiles.
    pub(crate) fn together(&self) -> usize {
        let tasks = 4 * threads();
        self.most_together().min(self.batch / tasks).max(1)
    }

    /// [`Self::together`] for many images.
    fn most_together(&self) -> usize {
        if self.padding > 0 { 1 } else { TOGETHER.div_ceil(self.geometry.pixels()) }
    }

    pub(crate) fn multiplications(&self) -> usize {
        self.batch * self.geometry.pixels() * self.geometry.patch() * self.geometry.out
    }
}

/// `image`, whose rows have `line` values, with `border` zero pixels of `channels` values on each side. It is written into
/// `padded`, unless `border` is 0.
pub(crate) fn surrounded<'a>(
    image: &'a [f32],
    line: usize,
    channels: usize,
    border: usize,
    padded: &'a mut Vec<f32>,
) -> &'a [f32] {
    if border == 0 {
        return image;
    }
    let margin = border * channels;
    let above = border * (line + 2 * margin);
    padded.clear();
    padded.resize(above, 0.0);
    for row in image.chunks_exact(line) {
        padded.resize(padded.len() + margin, 0.0);
        padded.extend_from_slice(row);
        padded.resize(padded.len() + margin, 0.0);
    }
    padded.resize(padded.len() + above, 0.0);
    padded
}

/// activation(convolution(x, w) + b).
///
/// # Shapes
/// - `x`: `[batch, height, width, channels]`
/// - `weight`: `[out, channels, size, size]`
/// - `bias`: `[out]`
/// - returns: `[batch, rows, columns, out]`
///
/// # Panics
/// When a slice has another length.
pub fn convolution(arch: Arch, work: ConvolutionWork, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let mut output = Vec::new();
    Convolution::new(work, weight, bias).forward(arch, x, &mut output);
    output
}

/// A convolution whose weights are laid out once for many calls.
pub struct Convolution {
    /// The sizes of one image; the batch is that of each call.
    work: ConvolutionWork,
    /// `[patch, padded out]`
    weight: Vec<f32>,
    /// `[padded out]`
    bias: Vec<f32>,
    /// Of as many images as a thread takes at a time at most.
    fields: Fields,
}

thread_local! {
    /// Images with the zeros around them: each thread keeps the room for them.
    static SURROUNDED: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

impl Convolution {
    /// The convolution of images of the sizes that `work` has, whatever their number, with `weight`,
    /// `[out, channels, size, size]`, and `bias`, `[out]`.
    ///
    /// # Panics
    /// When a slice has another length.
    pub fn new(work: ConvolutionWork, weight: &[f32], bias: &[f32]) -> Self {
        let geometry = work.geometry;
        assert_eq!((weight.len(), bias.len()), (geometry.out * geometry.patch(), geometry.out));
        let weight = geometry.weight_by_patch(weight);
        let fields = Fields::new(geometry, work.most_together());
        Self { work, weight, bias: padded(bias, bias.len()), fields }
    }

    /// Sizes of the images and of the output.
    pub fn geometry(&self) -> Geometry {
        self.work.geometry
    }

    /// activation(convolution(x, w) + b).
    ///
    /// # Shapes
    /// - `x`: `[batch, height, width, channels]`
    /// - `output` becomes `[batch, rows, columns, out]`
    ///
    /// # Panics
    /// When the last image is cut short.
    pub fn forward(&self, arch: Arch, x: &[f32], output: &mut Vec<f32>) {
        assert!(x.len().is_multiple_of(self.work.image()));
        let work = ConvolutionWork { batch: x.len() / self.work.image(), ..self.work };
        let geometry = work.geometry;
        let lowest = match work.activation {
            FusedActivation::Relu => 0.0,
            FusedActivation::Identity => f32::NEG_INFINITY,
        };
        let pixels = geometry.pixels();
        // Where there are fewer images than threads, an image is divided among threads.
        let parts = if work.multiplications() < SMALL { 1 } else { threads().div_ceil(work.batch) };
        let part = pixels.div_ceil(parts);
        let together = work.together();
        let one = |images: &[f32], start: usize, output: &mut [MaybeUninit<f32>]| {
            let range = start..start + output.len() / geometry.out;
            arch.dispatch(OutputPass::new(&self.fields, images, &self.weight, &self.bias, lowest, range, output));
        };
        let images = x.par_chunks(together * work.image());
        // SAFETY: each pixel of each image is in one part, and all of a part's pixels are written.
        unsafe {
            write_all(output, work.batch * pixels * geometry.out, |outputs| {
                let outputs = outputs.par_chunks_mut(together * pixels * geometry.out);
                share(images.zip(outputs), work.multiplications(), |(images, output)| {
                    let mut padded = SURROUNDED.take();
                    let images = surrounded(images, work.line(), geometry.channels, work.padding, &mut padded);
                    if parts == 1 {
                        one(images, 0, output);
                    } else {
                        let parts = output.par_chunks_mut(part * geometry.out).enumerate();
                        parts.for_each(|(index, output)| one(images, index * part, output));
                    }
                    SURROUNDED.set(padded);
                });
            });
        }
    }
}
