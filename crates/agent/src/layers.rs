//! Layers with their weights.

use prism_kernels::{
    Arch, Convolution, ConvolutionForm, ConvolutionWork, FusedActivation, Geometry, Linear, Pooling, Windows, max_pool,
};

use crate::buffers::ImageBuffers;
use crate::description::{Activation, Layers, checked_size};
use crate::error::PolicyError;
use crate::file::PolicyFile;

/// λ and α of the self-normalising unit (Klambauer et al. 2017, equation 2).
const SELU_SCALE: f32 = 1.050_701;
const SELU_ALPHA: f32 = 1.673_263_2;

/// Windows of IMPALA's stages.
const POOLING: Windows = Windows { size: 3, stride: 2, padding: 1 };

/// The fully connected layer at `path`. Of a noisy one its means.
pub(crate) fn fully_connected(
    tensors: &PolicyFile<'_>,
    path: &str,
    kind: Layers,
    [inputs, outputs]: [usize; 2],
) -> Result<Linear, PolicyError> {
    if outputs == 0 {
        return Err(PolicyError::impossible(format!("{path} has no outputs")));
    }
    let mean = match kind {
        Layers::Plain => "",
        Layers::Noisy {} => "mu_",
    };
    let weight = tensors.take(&format!("{path}.{mean}weight"), &[inputs, outputs])?;
    Ok(Linear::new(&weight, &tensors.take(&format!("{path}.{mean}bias"), &[outputs])?))
}

impl Activation {
    pub(crate) fn apply(self, values: &mut [f32]) {
        match self {
            Self::Relu => rectify(values),
            Self::Selu => values.iter_mut().for_each(|x| {
                *x = (x.max(0.0) + (x.min(0.0).exp() - 1.0) * SELU_ALPHA) * SELU_SCALE;
            }),
        }
    }
}

fn rectify(values: &mut [f32]) {
    values.iter_mut().for_each(|x| *x = x.max(0.0));
}

/// The convolution at `path` of images `[channels, height, width]`, with kernels of `size` rows and columns.
fn take_convolution(
    tensors: &PolicyFile<'_>,
    path: &str,
    image: [usize; 3],
    [size, out]: [usize; 2],
    form: ConvolutionForm,
) -> Result<Convolution, PolicyError> {
    let [channels, height, width] = image;
    let fits = |side: usize| side.checked_add(2 * form.padding).is_some_and(|side| side >= size);
    if size == 0 || form.stride == 0 || out == 0 || !(fits(height) && fits(width)) {
        return Err(PolicyError::impossible(format!(
            "{path} has {out} kernels of {size}x{size} over {height}x{width} pixels, {} apart",
            form.stride
        )));
    }
    let weight = tensors.take(&format!("{path}.weight"), &[out, channels, size, size])?;
    let work = ConvolutionWork::new([1, height, width, channels], [out, size], form);
    checked_size(&output(work.geometry))?;
    Ok(Convolution::new(work, &weight, &tensors.take(&format!("{path}.bias"), &[out])?))
}

/// `[channels, height, width]` of what a convolution gives.
fn output(geometry: Geometry) -> [usize; 3] {
    [geometry.out, geometry.rows(), geometry.columns()]
}

/// Layers that make features of images, channels last. A rectifier is part of each convolution.
pub(crate) enum ImageLayers {
    Convolutions(Vec<Convolution>),
    Impala(Vec<Stage>),
}

/// A stage of IMPALA's network: a convolution, a maximum over windows, two residual blocks.
pub(crate) struct Stage {
    convolution: Convolution,
    pooling: Pooling,
    blocks: [[Convolution; 2]; 2],
}

impl ImageLayers {
    /// Convolutions of these sizes, strides and channels, and the number of features that they make of an image.
    pub(crate) fn convolutions(
        tensors: &PolicyFile<'_>,
        image: [usize; 3],
        sizes: &[[usize; 3]],
    ) -> Result<(Self, usize), PolicyError> {
        let mut image = image;
        let mut layers = Vec::new();
        for (index, &[size, stride, out]) in sizes.iter().enumerate() {
            let form = ConvolutionForm { stride, padding: 0, activation: FusedActivation::Relu };
            let path = format!("convolutions.layers.{index}");
            let layer = take_convolution(tensors, &path, image, [size, out], form)?;
            image = output(layer.geometry());
            layers.push(layer);
        }
        Ok((Self::Convolutions(layers), checked_size(&image)?))
    }

    /// IMPALA's network with stages of so many channels, and the number of its features.
    pub(crate) fn impala(
        tensors: &PolicyFile<'_>,
        image: [usize; 3],
        channels: &[usize],
    ) -> Result<(Self, usize), PolicyError> {
        let mut image = image;
        let mut stages = Vec::new();
        for (index, &out) in channels.iter().enumerate() {
            let layer = |path: &str, image, activation| {
                let path = format!("convolutions.stages.{index}.{path}");
                let form = ConvolutionForm { stride: 1, padding: 1, activation };
                take_convolution(tensors, &path, image, [3, out], form)
            };
            let convolution = layer("convolution", image, FusedActivation::Identity)?;
            let [_, height, width] = output(convolution.geometry());
            let pooling = Pooling { height, width, channels: out, windows: POOLING };
            image = [out, pooling.rows(), pooling.columns()];
            let block = |name: &str| -> Result<[Convolution; 2], PolicyError> {
                let first = layer(&format!("{name}.first"), image, FusedActivation::Relu)?;
                Ok([first, layer(&format!("{name}.second"), image, FusedActivation::Identity)?])
            };
            stages.push(Stage { convolution, pooling, blocks: [block("first")?, block("second")?] });
        }
        Ok((Self::Impala(stages), checked_size(&image)?))
    }

    /// The largest number of values that a layer takes or gives for an image.
    pub(crate) fn largest(&self) -> usize {
        let both = |layer: &Convolution| {
            let geometry = layer.geometry();
            (geometry.height * geometry.width * geometry.channels).max(geometry.pixels() * geometry.out)
        };
        match self {
            Self::Convolutions(layers) => layers.iter().map(both).max().unwrap_or(0),
            Self::Impala(stages) => stages.iter().map(|stage| both(&stage.convolution)).max().unwrap_or(0),
        }
    }

    /// Makes features of the images in `buffers.images`.
    pub(crate) fn forward(&self, arch: Arch, buffers: &mut ImageBuffers) {
        match self {
            Self::Convolutions(layers) => {
                for layer in layers {
                    layer.forward(arch, &buffers.images, &mut buffers.next);
                    std::mem::swap(&mut buffers.images, &mut buffers.next);
                }
            }
            Self::Impala(stages) => {
                stages.iter().for_each(|stage| stage.forward(arch, buffers));
                rectify(&mut buffers.images);
            }
        }
    }
}

impl Stage {
    fn forward(&self, arch: Arch, buffers: &mut ImageBuffers) {
        let ImageBuffers { images, next, rectified } = buffers;
        self.convolution.forward(arch, images, next);
        max_pool(arch, self.pooling, next, images);
        for [first, second] in &self.blocks {
            rectified.clone_from(images);
            rectify(rectified);
            first.forward(arch, rectified, next);
            second.forward(arch, next, rectified);
            images.iter_mut().zip(&*rectified).for_each(|(image, change)| *image += *change);
        }
    }
}
