//! A network from observations to q-values or their distributions, and the configuration that describes it.

use std::num::NonZeroUsize;

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use rand::Rng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::convolutions::{Convolution, Convolutions, smallest_image};
use crate::fully_connected::FullyConnected;
use crate::head::{DuelingStreams, Head, StreamSizes};
use crate::impala::Impala;
use crate::{Activation, Input, Layers, Scaling, Streams, Support};

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
        /// Of each stage, 16, 32 and 32 in the paper. A stage is a convolution, a maximum over windows, which halves rows
        /// and columns, and two residual blocks.
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

/// What a network says of an action.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Output {
    /// Its q-value.
    QValues,
    /// The distribution of its return over these atoms (Bellemare et al. 2017); the q-value is its mean.
    Distribution(Support),
    /// Quantiles of its return (Dabney et al. 2018, "Distributional Reinforcement Learning with Quantile Regression"); the
    /// q-value is their mean.
    Quantiles {
        /// How many, N. The i-th, counted from 0, stands for the probability τ_i = (2i + 1) / (2N), the midpoint of the i-th of
        /// N equal parts; 200 in the paper.
        count: NonZeroUsize,
    },
}

impl Output {
    /// How many values the network gives for each action.
    fn values(self) -> usize {
        match self {
            Self::QValues => 1,
            Self::Distribution(support) => support.atoms(),
            Self::Quantiles { count } => count.get(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::QValues => "q-values",
            Self::Distribution(_) => "distributions",
            Self::Quantiles { .. } => "quantiles",
        }
    }
}

/// Everything that decides a network's shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// What goes in.
    pub input: Input,
    /// How it is scaled.
    pub scaling: Scaling,
    /// How many actions there are.
    pub actions: usize,
    /// What lies between.
    pub torso: Torso,
    /// What follows each fully connected hidden layer.
    pub activation: Activation,
    /// How q-values are put together.
    pub streams: Streams,
    /// What comes out for each action.
    pub output: Output,
    /// What the fully connected layers are.
    pub layers: Layers,
}

/// A network without what its environment and its objective decide: the observations, the number of actions, and what comes
/// out for each of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NetworkParts {
    /// How observations are scaled.
    pub scaling: Scaling,
    /// From the observation to the last features.
    pub torso: Torso,
    /// What follows each fully connected hidden layer.
    pub activation: Activation,
    /// How q-values are put together.
    pub streams: Streams,
    /// What the fully connected layers are.
    pub layers: Layers,
}

impl NetworkParts {
    /// The network with these parts for such observations, so many actions, and this output for each of them.
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
        "the network's convolutions need images [channels, height, width] of at least {smallest}x{smallest}, not \
         {shape:?}: choose the network kind `mlp`, or observations that are large enough images"
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
    /// Noise of no size, or of none that a number names.
    #[error("the initial noise sigma is {sigma}: it must be finite and above 0; plain layers have no noise")]
    Sigma {
        /// What was asked for.
        sigma: f64,
    },
}

/// A network that gives the q-value of each action.
#[derive(Module, Debug)]
pub struct QNetwork {
    convolutions: Option<ImageLayers>,
    /// All fully connected hidden layers but the last, which belongs to the streams.
    shared: Vec<FullyConnected>,
    head: Head,
    #[module(skip)]
    scaling: Scaling,
    #[module(skip)]
    activation: Activation,
    #[module(skip)]
    output: Output,
}

/// What makes features of images.
#[derive(Module, Debug)]
enum ImageLayers {
    Convolutions(Convolutions),
    Impala(Impala),
}

/// How much of a noisy layer's weights is signal.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalToNoise {
    /// The layer's path in the network, as in a weights file.
    pub layer: String,
    /// Root mean square of μ over that of σ, of the weights without the biases.
    pub ratio: f32,
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

    /// Builds the network with initial weights drawn from `rng`; make it on `device.autodiff()` to train it.
    ///
    /// Weights are drawn from the observation onwards, the value stream before the advantages.
    ///
    /// # Errors
    /// When the sizes do not fit together or the noise has none.
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
        let convolutions = match &self.torso {
            Torso::Nature { .. } => Some(self.convolutions(&Convolution::NATURE, rng, device)?),
            Torso::Convolutional { convolutions, .. } => Some(self.convolutions(convolutions, rng, device)?),
            Torso::Impala { channels, .. } => Some(self.impala(channels, rng, device)?),
            Torso::Mlp { .. } => None,
        };
        let mut features = convolutions.as_ref().map_or(self.input.elements(), ImageLayers::features);
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
        Ok(QNetwork {
            convolutions,
            shared,
            head,
            scaling: self.scaling,
            activation: self.activation,
            output: self.output,
        })
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
        let layers = Convolutions::new(self.image(smallest)?, sizes, rng, device);
        layers.map(ImageLayers::Convolutions).ok_or_else(|| self.not_an_image(smallest))
    }

    fn impala(&self, channels: &[usize], rng: &mut impl Rng, device: &Device) -> Result<ImageLayers, NetworkError> {
        if channels.contains(&0) {
            return Err(NetworkError::Empty { what: "the number of channels of a stage" });
        }
        Ok(ImageLayers::Impala(Impala::new(self.image(1)?, channels, rng, device)))
    }

    /// The input as `[channels, height, width]`; the network can take images from a smallest one on.
    fn image(&self, smallest: usize) -> Result<[usize; 3], NetworkError> {
        self.input.shape.as_slice().try_into().map_err(|_| self.not_an_image(smallest))
    }

    fn not_an_image(&self, smallest: usize) -> NetworkError {
        NetworkError::NotAnImage { smallest, shape: self.input.shape.clone() }
    }
}

impl ImageLayers {
    /// How many features come out.
    fn features(&self) -> usize {
        match self {
            Self::Convolutions(layers) => layers.features(),
            Self::Impala(layers) => layers.features(),
        }
    }

    /// Features of a batch of images, `[batch, height * width * channels]` with channels last to `[batch, features]`.
    fn forward(&self, images: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Convolutions(layers) => layers.forward(images),
            Self::Impala(layers) => layers.forward(images),
        }
    }
}

impl QNetwork {
    /// Q-values of a batch of observations, as [`Input::upload`] gives them; of distributions and quantiles, their means.
    ///
    /// # Shapes
    /// - `observations`: `[batch, elements]`
    /// - returns: `[batch, actions]`
    pub fn forward(&self, observations: Tensor<2>) -> Tensor<2> {
        self.means(self.head.forward(self.features(observations), self.activation))
    }

    /// Logits of the distribution of each action's return: a softmax over the atoms makes probabilities of them, whose mean
    /// [`Support::mean`] gives.
    ///
    /// # Shapes
    /// - `observations`: `[batch, elements]`
    /// - returns: `[batch, actions, atoms]`
    ///
    /// # Panics
    /// When the output is not distributions.
    pub fn logits(&self, observations: Tensor<2>) -> Tensor<3> {
        let output = self.output.name();
        assert!(self.support().is_some(), "a network whose output is {output} has no logits");
        self.head.forward(self.features(observations), self.activation)
    }

    /// Quantiles of each action's return, those of the probabilities τ_i of [`Output::Quantiles`], in this order. Nothing
    /// makes them rise with τ but what they learn.
    ///
    /// # Shapes
    /// - `observations`: `[batch, elements]`
    /// - returns: `[batch, actions, quantiles]`
    ///
    /// # Panics
    /// When the output is not quantiles.
    pub fn quantiles(&self, observations: Tensor<2>) -> Tensor<3> {
        let output = self.output.name();
        assert!(matches!(self.output, Output::Quantiles { .. }), "a network whose output is {output} has no quantiles");
        self.head.forward(self.features(observations), self.activation)
    }

    /// The two streams of a dueling network before they are put together, `None` of others: V and the advantages A, whose
    /// mean over the actions is not yet subtracted. Of distributions, the mean of each stream's own softmax; of quantiles, the
    /// mean of each stream's own quantiles.
    ///
    /// # Shapes
    /// - `observations`: `[batch, elements]`
    /// - returns: `[batch]` and `[batch, actions]`
    pub fn value_and_advantages(&self, observations: Tensor<2>) -> Option<(Tensor<1>, Tensor<2>)> {
        let Head::Dueling(DuelingStreams { value, advantage }) = &self.head else { return None };
        let features = self.features(observations);
        let value = self.means(value.forward(features.clone(), self.activation));
        Some((value.squeeze_dim(1), self.means(advantage.forward(features, self.activation))))
    }

    /// The atoms of the distributions, `None` where the output is something else.
    pub fn support(&self) -> Option<&Support> {
        match &self.output {
            Output::QValues | Output::Quantiles { .. } => None,
            Output::Distribution(support) => Some(support),
        }
    }

    /// A network that shares these weights and has fresh noise in every noisy layer, independent of what was drawn before;
    /// one without noisy layers stays as it is and takes nothing from `rng`.
    ///
    /// The noise is drawn on the host, so that the generator's state decides it, and is a constant to differentiation.
    /// Drop the network before an optimiser's step: weights that nobody else holds are changed in place.
    #[must_use]
    pub fn with_noise(&self, rng: &mut impl Rng) -> Self {
        self.clone().map_layers(|layer| layer.with_noise(rng))
    }

    /// A network that shares these weights and uses μ alone in its noisy layers, as a new one does.
    #[must_use]
    pub fn without_noise(&self) -> Self {
        self.clone().map_layers(FullyConnected::without_noise)
    }

    /// Signal to noise of each noisy layer, from the observation onwards; empty for networks without. The numbers are read
    /// from the device in one go.
    pub fn signal_to_noise(&self) -> Vec<SignalToNoise> {
        let shared = self.shared.iter().enumerate().map(|(index, layer)| (format!("shared.{index}"), layer));
        let streams = self.head.streams().into_iter();
        let head = streams
            .flat_map(|(stream, layers)| layers.layers().map(move |(name, l)| (format!("head.{stream}{name}"), l)));
        let (names, ratios): (Vec<String>, Vec<Tensor<1>>) = shared
            .chain(head)
            .filter_map(|(name, layer)| match layer {
                FullyConnected::Plain(_) => None,
                FullyConnected::Noisy(layer) => Some((name, layer.signal_to_noise())),
            })
            .unzip();
        if names.is_empty() {
            return Vec::new();
        }
        let ratios = crate::read(Tensor::cat(ratios, 0));
        names.into_iter().zip(ratios).map(|(layer, ratio)| SignalToNoise { layer, ratio }).collect()
    }

    /// Features that the streams start from, `[batch, features]`.
    fn features(&self, observations: Tensor<2>) -> Tensor<2> {
        let observations = self.scaling.apply(observations);
        let features = match &self.convolutions {
            Some(convolutions) => convolutions.forward(observations),
            None => observations,
        };
        self.shared.iter().fold(features, |features, layer| self.activation.apply(layer.forward(features)))
    }

    /// One number for each action, `[batch, actions]`, of the values that a stream gives, `[batch, actions, values]`.
    fn means(&self, values: Tensor<3>) -> Tensor<2> {
        match self.output {
            Output::QValues => values.squeeze_dim(2),
            Output::Distribution(support) => support.mean(softmax(values, 2)),
            Output::Quantiles { .. } => values.mean_dim(2).squeeze_dim(2),
        }
    }

    /// Replaces each fully connected layer, in the order in which weights are drawn.
    fn map_layers(self, mut map: impl FnMut(FullyConnected) -> FullyConnected) -> Self {
        let shared = self.shared.into_iter().map(&mut map).collect();
        Self { shared, head: self.head.map_layers(&mut map), ..self }
    }
}

#[cfg(test)]
mod tests;
