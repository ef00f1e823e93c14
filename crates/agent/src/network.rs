//! A network from observations to values of actions.

use prism_kernels::{Arch, scaled_from_bytes};

use crate::description::{Activation, Description, Element, Layers, Output, Scaling, Streams, Torso};
use crate::error::PolicyError;
use crate::layers::{FullyConnected, ImageLayers};
use crate::tensors::Tensors;

/// The convolutions of Nature DQN (Mnih et al. 2015, Methods): size, stride, channels.
const NATURE: [[usize; 3]; 3] = [[8, 4, 32], [4, 2, 64], [3, 1, 64]];

/// A network with its weights. Noisy layers have their means.
pub(crate) struct Network {
    arch: Arch,
    description: Description,
    elements: usize,
    image: Option<ImageLayers>,
    shared: Vec<FullyConnected>,
    head: Head,
}

/// The last hidden layer, where there is one, and the outputs.
struct Stream {
    hidden: Option<FullyConnected>,
    output: FullyConnected,
}

enum Head {
    Single(Stream),
    Dueling { value: Stream, advantage: Stream },
}

impl Network {
    pub(crate) fn take(tensors: &Tensors<'_>) -> Result<Self, PolicyError> {
        let description: Description = serde_json::from_str(tensors.network()?).map_err(PolicyError::Unknown)?;
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
            Torso::Nature { .. } => some(ImageLayers::convolutions(tensors, image()?, &NATURE)?),
            Torso::Convolutional { convolutions, .. } => {
                some(ImageLayers::convolutions(tensors, image()?, convolutions)?)
            }
            Torso::Impala { channels, .. } => some(ImageLayers::impala(tensors, image()?, channels)?),
        };
        let hidden = description.torso.hidden();
        let (last, earlier) = match hidden.split_last() {
            Some((last, earlier)) => (Some(*last), earlier),
            None => (None, hidden),
        };
        let mut shared = Vec::new();
        for (index, &width) in earlier.iter().enumerate() {
            let path = format!("shared.{index}");
            shared.push(FullyConnected::take(tensors, &path, description.layers, [features, width])?);
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
        Ok(Self { arch: Arch::new(), elements, image, shared, head, description })
    }

    pub(crate) fn description(&self) -> &Description {
        &self.description
    }

    /// Bytes of an observation.
    pub(crate) fn observation_bytes(&self) -> usize {
        match self.description.input.element {
            Element::U8 => self.elements,
            Element::F32 => self.elements * size_of::<f32>(),
        }
    }

    /// What the network gives for whole observations, `[batch, actions, values]`: q-values, logits or quantiles.
    pub(crate) fn outputs(&self, observations: &[u8]) -> Vec<f32> {
        let mut features = self.scaled(observations);
        if let Some(layers) = &self.image {
            features = layers.forward(self.arch, features);
        }
        for layer in &self.shared {
            features = layer.forward(self.arch, &features);
            self.description.activation.apply(&mut features);
        }
        let (activation, values) = (self.description.activation, self.description.output.values());
        match &self.head {
            Head::Single(stream) => stream.forward(self.arch, &features, activation),
            Head::Dueling { value, advantage } => {
                let value = value.forward(self.arch, &features, activation);
                let mut outputs = advantage.forward(self.arch, &features, activation);
                for (outputs, value) in
                    outputs.chunks_exact_mut(self.description.actions * values).zip(value.chunks_exact(values))
                {
                    combine(outputs, value);
                }
                outputs
            }
        }
    }

    /// One number for each action, `[batch, actions]`: the mean of what the network gives.
    pub(crate) fn means(&self, outputs: Vec<f32>) -> Vec<f32> {
        match self.description.output {
            Output::QValues => outputs,
            Output::Distribution { atoms, .. } => {
                let support = self.support().expect("distributions have a support");
                let mut probabilities = outputs;
                softmax(&mut probabilities, atoms);
                let mean = |row: &[f32]| row.iter().zip(&support).map(|(probability, atom)| probability * atom).sum();
                probabilities.chunks_exact(atoms).map(mean).collect()
            }
            Output::Quantiles { count } => {
                outputs.chunks_exact(count).map(|row| row.iter().sum::<f32>() / count as f32).collect()
            }
        }
    }

    /// The atoms of distributions.
    pub(crate) fn support(&self) -> Option<Vec<f32>> {
        let Output::Distribution { v_min, v_max, atoms } = self.description.output else { return None };
        let spacing = (f64::from(v_max) - f64::from(v_min)) / (atoms - 1) as f64;
        Some((0..atoms).map(|index| (f64::from(v_min) + index as f64 * spacing) as f32).collect())
    }

    /// Observations as the first layer takes them: bytes of images with their channels last.
    fn scaled(&self, observations: &[u8]) -> Vec<f32> {
        let batch = observations.len() / self.observation_bytes();
        let mut values = match self.description.input.element {
            Element::U8 => {
                let [channels, pixels] = match *self.description.input.shape.as_slice() {
                    [channels, height, width] => [channels, height * width],
                    _ => [1, self.elements],
                };
                scaled_from_bytes(observations, [batch, channels, pixels])
            }
            Element::F32 => observations.as_chunks().0.iter().map(|&bytes| f32::from_ne_bytes(bytes)).collect(),
        };
        if let Scaling::UnitLength = self.description.scaling {
            for observation in values.chunks_exact_mut(self.elements) {
                let length = observation.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
                observation.iter_mut().for_each(|x| *x /= length);
            }
        }
        values
    }
}

fn some((layers, features): (ImageLayers, usize)) -> (Option<ImageLayers>, usize) {
    (Some(layers), features)
}

impl Stream {
    fn take(
        tensors: &Tensors<'_>,
        path: &str,
        kind: Layers,
        features: usize,
        hidden: Option<usize>,
        outputs: usize,
    ) -> Result<Self, PolicyError> {
        let last = hidden.unwrap_or(features);
        let hidden =
            hidden.map(|width| FullyConnected::take(tensors, &format!("{path}.hidden"), kind, [features, width]));
        Ok(Self {
            hidden: hidden.transpose()?,
            output: FullyConnected::take(tensors, &format!("{path}.output"), kind, [last, outputs])?,
        })
    }

    fn forward(&self, arch: Arch, features: &[f32], activation: Activation) -> Vec<f32> {
        match &self.hidden {
            None => self.output.forward(arch, features),
            Some(hidden) => {
                let mut features = hidden.forward(arch, features);
                activation.apply(&mut features);
                self.output.forward(arch, &features)
            }
        }
    }
}

/// Makes of the advantages `[actions, values]` V + A - mean over the actions of A (Wang et al. 2016, equation 9), where
/// `value` is `[values]`.
fn combine(advantages: &mut [f32], value: &[f32]) {
    let (values, actions) = (value.len(), advantages.len() / value.len());
    for (index, value) in value.iter().enumerate() {
        let sum: f32 = advantages[index..].iter().step_by(values).sum();
        let mean = sum / actions as f32;
        for advantage in advantages[index..].iter_mut().step_by(values) {
            *advantage = value + (*advantage - mean);
        }
    }
}

/// Makes probabilities of each row of logits.
pub(crate) fn softmax(logits: &mut [f32], atoms: usize) {
    for row in logits.chunks_exact_mut(atoms) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|logit| *logit = (*logit - largest).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|weight| *weight /= sum);
    }
}
