//! A network from observations to q-values, distributions or quantiles, and the configuration that describes it.

mod config;
mod values;

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use rand::Rng;

pub use self::config::{NetworkConfig, NetworkError, NetworkParts, Output, Torso};
use crate::activation::Activation;
use crate::convolutions::Convolutions;
use crate::fully_connected::FullyConnected;
use crate::head::{DuelingStreams, Head};
use crate::impala::Impala;
use crate::scaling::Scaling;
use crate::support::Support;
use crate::transfer::read;

/// A network that gives the q-value of each action.
#[derive(Module, Debug)]
pub struct QNetwork {
    /// Layers for images, absent where observations go straight to the fully connected layers. Weights files call them
    /// `convolutions`: see [`crate::weights::Weights`].
    image: Option<ImageLayers>,
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

/// Layers that make features of images.
#[derive(Module, Debug)]
enum ImageLayers {
    Convolutions(Convolutions),
    Impala(Impala),
}

/// Signal-to-noise ratio of a noisy layer's weights.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalToNoise {
    /// The layer's path in the network, as in a weights file.
    pub layer: String,
    /// Root mean square of μ over that of σ, of the weights without the biases.
    pub ratio: f32,
}

impl ImageLayers {
    /// Number of features of an image.
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
    /// Q-values of a batch of observations, as [`Input::upload`](crate::input::Input::upload) gives them; of
    /// distributions and quantiles, their means.
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

    /// Quantiles of each action's return, those of the probabilities τ_i of [`Output::Quantiles`], in this order. They need
    /// not increase with τ.
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

    /// The two streams of a dueling network before they are combined, `None` for other networks: V and the advantages A,
    /// whose mean over the actions is not yet subtracted. Of distributions, the mean of each stream's own softmax; of
    /// quantiles, the mean of each stream's own quantiles.
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
    /// One draw serves every observation of a batch: environments whose observations go through the network together act on
    /// the same noisy weights and explore alike. Noise for each of them needs a draw and a forward pass for each.
    ///
    /// The noise is drawn on the host, so that the generator's state decides it, and is a constant to differentiation.
    /// Drop the network before an optimiser's step: weights are changed in place only while nothing else shares them.
    #[must_use]
    pub fn with_noise(&self, rng: &mut impl Rng) -> Self {
        self.clone().map_layers(|layer| layer.with_noise(rng))
    }

    /// A network that shares these weights and uses only μ in its noisy layers, as a new one does.
    #[must_use]
    pub fn without_noise(&self) -> Self {
        self.clone().map_layers(FullyConnected::without_noise)
    }

    /// Signal-to-noise ratio of each noisy layer, from the observation onwards; empty for networks without noisy layers.
    /// All are read from the device in one copy.
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
        let ratios = read(Tensor::cat(ratios, 0));
        names.into_iter().zip(ratios).map(|(layer, ratio)| SignalToNoise { layer, ratio }).collect()
    }

    /// Features that the streams start from, `[batch, features]`.
    fn features(&self, observations: Tensor<2>) -> Tensor<2> {
        let observations = self.scaling.apply(observations);
        let features = match &self.image {
            Some(layers) => layers.forward(observations),
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

#[cfg(all(test, feature = "train"))]
mod tests;
