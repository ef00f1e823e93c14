//! What a network is made of, and how it is built.

use std::num::NonZeroUsize;

use burn::tensor::Device;
use rand::Rng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{ImageLayers, QNetwork};
use crate::activation::Activation;
use crate::convolutions::{Convolution, Convolutions, smallest_image};
use crate::fully_connected::Layers;
use crate::head::{StreamSizes, Streams};
use crate::impala::Impala;
use crate::input::Input;
use crate::scaling::Scaling;
use crate::support::Support;

/// The layers of a network between observation and output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Torso {
    /// Convolutions of Nature DQN and one fully connected layer.
    Nature {
        /// Features of the fully connected layer, 512 in the paper.
        hidden: usize,
    },
    /// Convolutions, each followed by a rectifier, and fully connected layers.
    Convolutional {
        /// From the image onwards.
        convolutions: Vec<Convolution>,
        /// Features of each fully connected layer.
        hidden: Vec<usize>,
    },
    /// The residual network of IMPALA (Espeholt et al. 2018, figure 3, the deep one, without its LSTM), and fully
    /// connected layers.
    Impala {
        /// Channels of each stage: 16, 32 and 32 in the paper. A stage is a convolution, a maximum over windows, which
        /// halves rows and columns, and two residual blocks.
        channels: Vec<usize>,
        /// Features of each fully connected layer, 256 in the paper.
        hidden: Vec<usize>,
    },
    /// Fully connected layers over the flattened observation.
    Mlp {
        /// Features of each layer.
        hidden: Vec<usize>,
    },
}

/// What a network gives for each action.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Output {
    /// The action's q-value.
    QValues,
    /// The distribution of its return over these atoms (Bellemare et al. 2017); the q-value is its mean.
    Distribution(Support),
    /// Quantiles of its return (Dabney et al. 2018, "Distributional Reinforcement Learning with Quantile Regression"); the
    /// q-value is their mean.
    Quantiles {
        /// N, the number of quantiles. The i-th, counted from 0, stands for the probability τ_i = (2i + 1) / (2N), the
        /// midpoint of the i-th of N equal parts; 200 in the paper.
        count: NonZeroUsize,
    },
}

impl Output {
    /// How many values the network gives for each action.
    pub(super) fn values(self) -> usize {
        match self {
            Self::QValues => 1,
            Self::Distribution(support) => support.atoms(),
            Self::Quantiles { count } => count.get(),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::QValues => "q-values",
            Self::Distribution(_) => "distributions",
            Self::Quantiles { .. } => "quantiles",
        }
    }
}

/// Everything that defines a network except its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// The observations it takes.
    pub input: Input,
    /// How observations are scaled.
    pub scaling: Scaling,
    /// Number of actions.
    pub actions: usize,
    /// From the observation to the last features.
    pub torso: Torso,
    /// Activation of each fully connected hidden layer.
    pub activation: Activation,
    /// How its streams make its q-values.
    pub streams: Streams,
    /// What it gives for each action.
    pub output: Output,
    /// Kind of its fully connected layers.
    pub layers: Layers,
}

/// A network configuration without what follows from the environment and the objective: the input, the number of actions
/// and the output.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NetworkParts {
    /// How observations are scaled.
    pub scaling: Scaling,
    /// From the observation to the last features.
    pub torso: Torso,
    /// Activation of each fully connected hidden layer.
    pub activation: Activation,
    /// How its streams make its q-values.
    pub streams: Streams,
    /// Kind of its fully connected layers.
    pub layers: Layers,
}

impl NetworkParts {
    /// The network with these parts, and this input, number of actions and output.
    pub fn network(&self, input: Input, actions: usize, output: Output) -> NetworkConfig {
        let Self { scaling, torso, activation, streams, layers } = self.clone();
        NetworkConfig { input, scaling, actions, torso, activation, streams, output, layers }
    }
}

/// Why a network cannot be built.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum NetworkError {
    /// The convolutions need an image.
    #[error(
        "the network's convolutions need images [channels, height, width] of at least {smallest}x{smallest}, not {shape:?}"
    )]
    NotAnImage {
        /// Rows and columns that the convolutions need.
        smallest: usize,
        /// Shape of the input.
        shape: Vec<usize>,
    },
    /// A layer or the input has no elements.
    #[error("{what} is 0: a network needs at least 1")]
    Empty {
        /// Which size is zero.
        what: &'static str,
    },
    /// The initial noise is not above 0, or not finite.
    #[error("the initial noise sigma is {sigma}: it must be finite and above 0")]
    Sigma {
        /// What was asked for.
        sigma: f64,
    },
}

impl NetworkConfig {
    /// The network of DQN (Mnih et al. 2015): rectifiers, one stream, q-values, plain layers.
    pub fn dqn(input: Input, actions: usize, torso: Torso) -> Self {
        Self {
            input,
            scaling: Scaling::Elements,
            actions,
            torso,
            activation: Activation::Relu,
            streams: Streams::Single,
            output: Output::QValues,
            layers: Layers::Plain,
        }
    }

    /// Builds the network with initial weights drawn from `rng`. To train it, build it on `device.autodiff()`.
    ///
    /// Weights are drawn from the observation onwards, the value stream before the advantages.
    ///
    /// # Errors
    /// When a size is 0, the input does not fit the torso, or the initial noise is not finite and above 0.
    pub fn init(&self, rng: &mut impl Rng, device: &Device) -> Result<QNetwork, NetworkError> {
        for (what, size) in [("the number of inputs", self.input.elements()), ("the number of actions", self.actions)] {
            if size == 0 {
                return Err(NetworkError::Empty { what });
            }
        }
        if let Layers::Noisy { sigma, .. } = self.layers
            && !(sigma > 0.0 && sigma.is_finite())
        {
            return Err(NetworkError::Sigma { sigma });
        }
        let hidden = match &self.torso {
            Torso::Nature { hidden } => std::slice::from_ref(hidden),
            Torso::Convolutional { hidden, .. } | Torso::Impala { hidden, .. } | Torso::Mlp { hidden } => hidden,
        };
        if hidden.contains(&0) {
            return Err(NetworkError::Empty { what: "the size of a hidden layer" });
        }
        let image = match &self.torso {
            Torso::Nature { .. } => Some(self.convolutions(&Convolution::NATURE, rng, device)?),
            Torso::Convolutional { convolutions, .. } => Some(self.convolutions(convolutions, rng, device)?),
            Torso::Impala { channels, .. } => Some(self.impala(channels, rng, device)?),
            Torso::Mlp { .. } => None,
        };
        let mut features = image.as_ref().map_or(self.input.elements(), ImageLayers::features);
        let (last, earlier) = match hidden.split_last() {
            Some((last, earlier)) => (Some(*last), earlier),
            None => (None, hidden),
        };
        let mut shared = Vec::with_capacity(earlier.len());
        for &outputs in earlier {
            shared.push(self.layers.init(features, outputs, rng, device));
            features = outputs;
        }
        let sizes = StreamSizes { features, hidden: last, actions: self.actions, values: self.output.values() };
        let head = self.streams.init(sizes, self.layers, rng, device);
        Ok(QNetwork { image, shared, head, scaling: self.scaling, activation: self.activation, output: self.output })
    }

    /// Weights of the largest layer at least, however large the sizes: `u128::MAX` beyond that. Layers after one that does
    /// not fit its input are not counted.
    pub(crate) fn largest_layer(&self) -> u128 {
        let product =
            |sizes: &[usize]| sizes.iter().fold(1_u128, |product, &size| product.saturating_mul(size as u128));
        let mut largest = 0;
        let mut features = product(&self.input.shape);
        if let &[mut channels, mut height, mut width] = self.input.shape.as_slice() {
            match &self.torso {
                Torso::Nature { .. } | Torso::Convolutional { .. } => {
                    let sizes = match &self.torso {
                        Torso::Convolutional { convolutions, .. } => convolutions.as_slice(),
                        _ => &Convolution::NATURE,
                    };
                    for sizes in sizes {
                        largest = largest.max(product(&[sizes.size, sizes.size, channels, sizes.channels]));
                        if sizes.stride == 0 || sizes.size > height.min(width) {
                            return largest;
                        }
                        channels = sizes.channels;
                        [height, width] = [height, width].map(|side| (side - sizes.size) / sizes.stride + 1);
                    }
                }
                Torso::Impala { channels: stages, .. } => {
                    for &stage in stages {
                        largest = largest.max(product(&[9, channels, stage])).max(product(&[9, stage, stage]));
                        channels = stage;
                        [height, width] = [height, width].map(|side| side.div_ceil(2));
                    }
                }
                Torso::Mlp { .. } => {}
            }
            features = product(&[channels, height, width]);
        }
        let hidden = match &self.torso {
            Torso::Nature { hidden } => std::slice::from_ref(hidden),
            Torso::Convolutional { hidden, .. } | Torso::Impala { hidden, .. } | Torso::Mlp { hidden } => hidden,
        };
        for &width in hidden {
            largest = largest.max(features.saturating_mul(width as u128));
            features = width as u128;
        }
        largest.max(features.saturating_mul(product(&[self.actions, self.output.values()])))
    }

    fn convolutions(
        &self,
        sizes: &[Convolution],
        rng: &mut impl Rng,
        device: &Device,
    ) -> Result<ImageLayers, NetworkError> {
        if sizes.iter().any(|&sizes| <[usize; 3]>::from(sizes).contains(&0)) {
            return Err(NetworkError::Empty { what: "the size, stride or channels of a convolution" });
        }
        let smallest = smallest_image(sizes);
        let layers = Convolutions::new(self.image_shape(smallest)?, sizes, rng, device);
        layers.map(ImageLayers::Convolutions).ok_or_else(|| self.not_an_image(smallest))
    }

    fn impala(&self, channels: &[usize], rng: &mut impl Rng, device: &Device) -> Result<ImageLayers, NetworkError> {
        if channels.contains(&0) {
            return Err(NetworkError::Empty { what: "the number of channels of a stage" });
        }
        Ok(ImageLayers::Impala(Impala::new(self.image_shape(1)?, channels, rng, device)))
    }

    /// The input as `[channels, height, width]`; `smallest` is how many rows and columns the layers need.
    fn image_shape(&self, smallest: usize) -> Result<[usize; 3], NetworkError> {
        self.input.shape.as_slice().try_into().map_err(|_| self.not_an_image(smallest))
    }

    fn not_an_image(&self, smallest: usize) -> NetworkError {
        NetworkError::NotAnImage { smallest, shape: self.input.shape.clone() }
    }
}
