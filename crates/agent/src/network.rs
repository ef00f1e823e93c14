//! A network from observations to values of actions.

use prism_kernels::{Arch, Linear, combine_streams, means_of_distributions, means_of_quantiles, scale_bytes, softmax};

use crate::buffers::Buffers;
use crate::description::{Activation, Description, Element, Layers, Output, Scaling, Streams, Torso};
use crate::error::PolicyError;
use crate::file::PolicyFile;
use crate::layers::{ImageLayers, fully_connected};
use crate::observations::Observations;

/// A network with its weights. Noisy layers have their means.
pub(crate) struct Network {
    description: Description,
    elements: usize,
    image: Option<ImageLayers>,
    shared: Vec<Linear>,
    head: Head,
    /// The atoms of distributions, empty for other outputs.
    support: Vec<f32>,
    /// The largest number of values that a layer takes or gives for an observation.
    largest: usize,
}

/// The last hidden layer, where there is one, and the outputs.
struct Stream {
    hidden: Option<Linear>,
    output: Linear,
}

enum Head {
    Single(Stream),
    Dueling { value: Stream, advantage: Stream },
}

impl Network {
    pub(crate) fn take(tensors: &PolicyFile<'_>) -> Result<Self, PolicyError> {
        let description = tensors.network()?;
        let elements = description.input.elements()?;
        description.output.check()?;
        if description.actions == 0 {
            return Err(PolicyError::impossible("it has no actions"));
        }
        let outputs = description.actions.checked_mul(description.output.values());
        let outputs = outputs.ok_or_else(|| PolicyError::impossible("it has too many outputs"))?;
        let image = || match *description.input.shape.as_slice() {
            [channels, height, width] => Ok([channels, height, width]),
            _ => Err(PolicyError::impossible(format!("convolutions over {:?}", description.input.shape))),
        };
        let (image, mut features) = match &description.torso {
            Torso::Mlp { .. } => (None, elements),
            Torso::Nature { .. } => some(ImageLayers::convolutions(tensors, image()?, &Torso::NATURE)?),
            Torso::Convolutional { convolutions, .. } => {
                some(ImageLayers::convolutions(tensors, image()?, convolutions)?)
            }
            Torso::Impala { channels, .. } => some(ImageLayers::impala(tensors, image()?, channels)?),
        };
        let first = features;
        let hidden = description.torso.hidden();
        let (last, earlier) = match hidden.split_last() {
            Some((last, earlier)) => (Some(*last), earlier),
            None => (None, hidden),
        };
        let mut shared = Vec::new();
        for (index, &width) in earlier.iter().enumerate() {
            let path = format!("shared.{index}");
            shared.push(fully_connected(tensors, &path, description.layers, [features, width])?);
            features = width;
        }
        let stream = |path: &str, outputs| Stream::take(tensors, path, description.layers, features, last, outputs);
        let head = match description.streams {
            Streams::Single => Head::Single(stream("head", outputs)?),
            Streams::Dueling => Head::Dueling {
                value: stream("head.value", description.output.values())?,
                advantage: stream("head.advantage", outputs)?,
            },
        };
        let support = description.output.support();
        let in_image = image.as_ref().map_or(0, ImageLayers::largest);
        let largest = hidden.iter().copied().fold(elements.max(in_image).max(first), usize::max);
        Ok(Self { largest, elements, image, shared, head, support, description })
    }

    pub(crate) fn description(&self) -> &Description {
        &self.description
    }

    /// Values of an observation.
    pub(crate) fn elements(&self) -> usize {
        self.elements
    }

    /// The atoms of distributions, empty for other outputs.
    pub(crate) fn support(&self) -> &[f32] {
        &self.support
    }

    /// What the network gives for whole observations: q-values, logits or quantiles become `buffers.outputs`.
    pub(crate) fn outputs(&self, arch: Arch, observations: Observations<'_>, buffers: &mut Buffers) {
        buffers.reserve(self.largest * observations.len() / self.elements);
        let Buffers { image, features, value, outputs, sums, .. } = buffers;
        let [features, next] = features;
        match &self.image {
            None => self.scaled(observations, features),
            Some(layers) => {
                self.scaled(observations, &mut image.images);
                layers.forward(arch, image);
                std::mem::swap(&mut image.images, features);
            }
        }
        let activation = self.description.activation;
        for layer in &self.shared {
            layer.forward(arch, features, next, sums);
            activation.apply(next);
            std::mem::swap(features, next);
        }
        match &self.head {
            Head::Single(stream) => stream.forward(arch, activation, features, [next, outputs, sums]),
            Head::Dueling { value: of_value, advantage } => {
                of_value.forward(arch, activation, features, [&mut *next, &mut *value, &mut *sums]);
                advantage.forward(arch, activation, features, [next, outputs, sums]);
                combine_streams(outputs, value, self.description.actions, self.description.output.values());
            }
        }
    }

    /// One number for each action, the mean of what the network gave: they become `buffers.q_values`. Of distributions,
    /// `buffers.outputs` become the probabilities.
    pub(crate) fn means(&self, buffers: &mut Buffers) {
        let Buffers { outputs, q_values, .. } = buffers;
        match self.description.output {
            Output::QValues => q_values.clone_from(outputs),
            Output::Distribution { atoms, .. } => {
                softmax(outputs, atoms);
                means_of_distributions(outputs, &self.support, q_values);
            }
            Output::Quantiles { count } => means_of_quantiles(outputs, count, q_values),
        }
    }

    /// Observations as the first layer takes them: bytes of images with their channels last.
    fn scaled(&self, observations: Observations<'_>, values: &mut Vec<f32>) {
        match (observations, self.description.input.element) {
            (Observations::Bytes(bytes), Element::U8) => {
                let [channels, pixels] = match *self.description.input.shape.as_slice() {
                    [channels, height, width] => [channels, height * width],
                    _ => [1, self.elements],
                };
                scale_bytes(bytes, [bytes.len() / self.elements, channels, pixels], values);
            }
            (Observations::Bytes(bytes), Element::F32) => {
                values.clear();
                values.extend(bytes.as_chunks().0.iter().map(|&bytes| f32::from_ne_bytes(bytes)));
            }
            (Observations::Floats(floats), _) => {
                values.clear();
                values.extend_from_slice(floats);
            }
        }
        if let Scaling::UnitLength = self.description.scaling {
            for observation in values.chunks_exact_mut(self.elements) {
                let length = observation.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
                observation.iter_mut().for_each(|x| *x /= length);
            }
        }
    }
}

fn some((layers, features): (ImageLayers, usize)) -> (Option<ImageLayers>, usize) {
    (Some(layers), features)
}

impl Stream {
    fn take(
        tensors: &PolicyFile<'_>,
        path: &str,
        kind: Layers,
        features: usize,
        hidden: Option<usize>,
        outputs: usize,
    ) -> Result<Self, PolicyError> {
        let last = hidden.unwrap_or(features);
        let hidden = hidden.map(|width| fully_connected(tensors, &format!("{path}.hidden"), kind, [features, width]));
        Ok(Self {
            hidden: hidden.transpose()?,
            output: fully_connected(tensors, &format!("{path}.output"), kind, [last, outputs])?,
        })
    }

    /// `[batch, features]` to `[batch, outputs]`.
    fn forward(
        &self,
        arch: Arch,
        activation: Activation,
        features: &[f32],
        [hidden, outputs, sums]: [&mut Vec<f32>; 3],
    ) {
        let Some(layer) = &self.hidden else {
            return self.output.forward(arch, features, outputs, sums);
        };
        layer.forward(arch, features, hidden, sums);
        activation.apply(hidden);
        self.output.forward(arch, hidden, outputs, sums);
    }
}
