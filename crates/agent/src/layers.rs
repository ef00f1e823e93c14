//! Layers with their weights.

use prism_kernels::{
    Arch, ConvolutionForm, ConvolutionWork, FusedActivation, LayerWeights, Pooling, Windows, convolution, linear,
    max_pool,
};

use crate::description::{Activation, Layers};
use crate::error::PolicyError;
use crate::tensors::Tensors;

/// λ and α of the self-normalising unit (Klambauer et al. 2017, equation 2).
const SELU_SCALE: f32 = 1.050_701;
const SELU_ALPHA: f32 = 1.673_263_2;

/// Windows of IMPALA's stages.
const POOLING: Windows = Windows { size: 3, stride: 2, padding: 1 };

/// A fully connected layer.
pub(crate) struct FullyConnected {
    /// `[inputs, outputs]`
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl FullyConnected {
    pub(crate) fn take(
        tensors: &Tensors<'_>,
        path: &str,
        kind: Layers,
        [inputs, outputs]: [usize; 2],
    ) -> Result<Self, PolicyError> {
        if outputs == 0 {
            return Err(PolicyError::impossible(format!("{path} has no outputs")));
        }
        let mean = match kind {
            Layers::Plain => "",
            Layers::Noisy {} => "mu_",
        };
        Ok(Self {
            weight: tensors.take(&format!("{path}.{mean}weight"), &[inputs, outputs])?,
            bias: tensors.take(&format!("{path}.{mean}bias"), &[outputs])?,
        })
    }

    /// `[batch, inputs]` to `[batch, outputs]`.
    pub(crate) fn forward(&self, arch: Arch, x: &[f32]) -> Vec<f32> {
        linear(arch, x, LayerWeights::new(&self.weight, self.bias.len(), None), &self.bias)
    }
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

/// A convolution whose images have `[channels, height, width]`.
struct Convolution {
    /// `[out, channels, size, size]`
    weight: Vec<f32>,
    bias: Vec<f32>,
    image: [usize; 3],
    size: usize,
    form: ConvolutionForm,
}

impl Convolution {
    fn take(
        tensors: &Tensors<'_>,
        path: &str,
        image: [usize; 3],
        [size, out]: [usize; 2],
        form: ConvolutionForm,
    ) -> Result<Self, PolicyError> {
        let [channels, height, width] = image;
        let fits = |side: usize| side.checked_add(2 * form.padding).is_some_and(|side| side >= size);
        if size == 0 || size > 1 << 16 || form.stride == 0 || out == 0 || !(fits(height) && fits(width)) {
            return Err(PolicyError::impossible(format!(
                "{path} has kernels of {size}x{size} over {height}x{width} pixels"
            )));
        }
        Ok(Self {
            weight: tensors.take(&format!("{path}.weight"), &[out, channels, size, size])?,
            bias: tensors.take(&format!("{path}.bias"), &[out])?,
            image,
            size,
            form,
        })
    }

    fn work(&self, batch: usize) -> ConvolutionWork {
        let [channels, height, width] = self.image;
        ConvolutionWork::new([batch, height, width, channels], [self.bias.len(), self.size], self.form)
    }

    /// `[channels, height, width]` of the output.
    fn output(&self) -> [usize; 3] {
        let geometry = self.work(1).geometry;
        [geometry.out, geometry.rows(), geometry.columns()]
    }

    fn forward(&self, arch: Arch, x: &[f32]) -> Vec<f32> {
        let batch = x.len() / self.image.iter().product::<usize>();
        convolution(arch, self.work(batch), x, &self.weight, &self.bias)
    }
}

/// Layers that make features of images, channels last.
pub(crate) enum ImageLayers {
    Convolutions(Vec<ConvolutionLayer>),
    Impala(Vec<Stage>),
}

/// A convolution followed by a rectifier.
pub(crate) struct ConvolutionLayer(Convolution);

/// A stage of IMPALA's network: a convolution, a maximum over windows, two residual blocks.
pub(crate) struct Stage {
    convolution: Convolution,
    pooling: Pooling,
    blocks: [[Convolution; 2]; 2],
}

impl ImageLayers {
    /// Convolutions of these sizes, strides and channels, and the number of features that they make of an image.
    pub(crate) fn convolutions(
        tensors: &Tensors<'_>,
        image: [usize; 3],
        sizes: &[[usize; 3]],
    ) -> Result<(Self, usize), PolicyError> {
        let mut image = image;
        let mut layers = Vec::new();
        for (index, &[size, stride, out]) in sizes.iter().enumerate() {
            let form = ConvolutionForm { stride, padding: 0, activation: FusedActivation::Relu };
            let layer = Convolution::take(tensors, &format!("convolutions.layers.{index}"), image, [size, out], form)?;
            image = layer.output();
            layers.push(ConvolutionLayer(layer));
        }
        Ok((Self::Convolutions(layers), features(image)?))
    }

    /// IMPALA's network with stages of so many channels, and the number of its features.
    pub(crate) fn impala(
        tensors: &Tensors<'_>,
        image: [usize; 3],
        channels: &[usize],
    ) -> Result<(Self, usize), PolicyError> {
        let mut image = image;
        let mut stages = Vec::new();
        for (index, &out) in channels.iter().enumerate() {
            let layer = |path: &str, image, activation| {
                let path = format!("convolutions.stages.{index}.{path}");
                Convolution::take(
                    tensors,
                    &path,
                    image,
                    [3, out],
                    ConvolutionForm { stride: 1, padding: 1, activation },
                )
            };
            let convolution = layer("convolution", image, FusedActivation::Identity)?;
            let [_, height, width] = convolution.output();
            let pooling = Pooling { height, width, channels: out, windows: POOLING };
            image = [out, pooling.rows(), pooling.columns()];
            let block = |name: &str| -> Result<[Convolution; 2], PolicyError> {
                let first = layer(&format!("{name}.first"), image, FusedActivation::Relu)?;
                Ok([first, layer(&format!("{name}.second"), image, FusedActivation::Identity)?])
            };
            stages.push(Stage { convolution, pooling, blocks: [block("first")?, block("second")?] });
        }
        Ok((Self::Impala(stages), features(image)?))
    }

    pub(crate) fn forward(&self, arch: Arch, images: Vec<f32>) -> Vec<f32> {
        match self {
            Self::Convolutions(layers) => {
                layers.iter().fold(images, |x, ConvolutionLayer(layer)| layer.forward(arch, &x))
            }
            Self::Impala(stages) => {
                let mut features = stages.iter().fold(images, |x, stage| stage.forward(arch, &x));
                rectify(&mut features);
                features
            }
        }
    }
}

/// Values of an image `[channels, height, width]`.
fn features(image: [usize; 3]) -> Result<usize, PolicyError> {
    let features = image.iter().try_fold(1_usize, |product, &axis| product.checked_mul(axis));
    features.ok_or_else(|| PolicyError::impossible(format!("features of shape {image:?}")))
}

impl Stage {
    fn forward(&self, arch: Arch, x: &[f32]) -> Vec<f32> {
        let pooled = max_pool(arch, self.pooling, &self.convolution.forward(arch, x));
        self.blocks.iter().fold(pooled, |mut x, [first, second]| {
            let mut rectified = x.clone();
            rectify(&mut rectified);
            let change = second.forward(arch, &first.forward(arch, &rectified));
            x.iter_mut().zip(change).for_each(|(x, change)| *x += change);
            x
        })
    }
}
