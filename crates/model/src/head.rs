//! The part of a network after its shared layers: the last hidden layer and the outputs, in one stream or in two.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::fully_connected::{FullyConnected, Layers};

/// How a network's streams make its q-values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Streams {
    /// One stream gives q-values.
    Single,
    /// One stream gives the value V of the observation, another the advantage A of each action, and
    /// Q(s, a) = V(s) + A(s, a) - mean over a' of A(s, a') (Wang et al. 2016, equation 9). Each stream has a last hidden
    /// layer of its own, of the size that the torso names; earlier layers are shared.
    ///
    /// Distributions are combined in this way atom by atom, before the softmax (Hessel et al. 2017, "The Integrated
    /// Agent"), and quantiles one by one.
    Dueling,
}

/// The last hidden layer, where the torso has one, and the outputs.
#[derive(Module, Debug)]
pub(crate) struct Stream {
    hidden: Option<FullyConnected>,
    output: FullyConnected,
    /// `[actions, values]`. The value stream has 1 action; values are atoms, quantiles, or 1 for q-values.
    #[module(skip)]
    shape: [usize; 2],
}

/// The two streams of a dueling network.
#[derive(Module, Debug)]
pub(crate) struct DuelingStreams {
    pub(crate) value: Stream,
    pub(crate) advantage: Stream,
}

/// The streams of a network.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a network holds one head; boxing would buy nothing")]
pub(crate) enum Head {
    Single(Stream),
    Dueling(DuelingStreams),
}

/// Sizes of a stream's layers.
#[derive(Clone, Copy)]
pub(crate) struct StreamSizes {
    pub(crate) features: usize,
    pub(crate) hidden: Option<usize>,
    pub(crate) actions: usize,
    /// Values of each action: atoms, quantiles, or 1 for q-values.
    pub(crate) values: usize,
}

impl Streams {
    /// Streams with initial weights; those of the value stream are drawn first.
    pub(crate) fn init(self, sizes: StreamSizes, layers: Layers, rng: &mut impl Rng, device: &Device) -> Head {
        match self {
            Streams::Single => Head::Single(Stream::new(sizes, layers, rng, device)),
            Streams::Dueling => Head::Dueling(DuelingStreams {
                value: Stream::new(StreamSizes { actions: 1, ..sizes }, layers, rng, device),
                advantage: Stream::new(sizes, layers, rng, device),
            }),
        }
    }
}

impl Stream {
    fn new(sizes: StreamSizes, layers: Layers, rng: &mut impl Rng, device: &Device) -> Self {
        let StreamSizes { features, hidden, actions, values } = sizes;
        Self {
            hidden: hidden.map(|hidden| layers.init(features, hidden, rng, device)),
            output: layers.init(hidden.unwrap_or(features), actions * values, rng, device),
            shape: [actions, values],
        }
    }

    /// `[batch, features]` to `[batch, actions, values]`.
    pub(crate) fn forward(&self, features: Tensor<2>, activation: Activation) -> Tensor<3> {
        let [batch, _] = features.dims();
        let features = match &self.hidden {
            Some(hidden) => activation.apply(hidden.forward(features)),
            None => features,
        };
        self.output.forward(features).reshape([batch, self.shape[0], self.shape[1]])
    }

    /// Layers by name.
    pub(crate) fn layers(&self) -> impl Iterator<Item = (&'static str, &FullyConnected)> {
        self.hidden.iter().map(|hidden| ("hidden", hidden)).chain([("output", &self.output)])
    }

    fn map_layers(self, map: &mut impl FnMut(FullyConnected) -> FullyConnected) -> Self {
        Self { hidden: self.hidden.map(&mut *map), output: map(self.output), ..self }
    }
}

impl Head {
    /// `[batch, features]` to `[batch, actions, values]`.
    pub(crate) fn forward(&self, features: Tensor<2>, activation: Activation) -> Tensor<3> {
        match self {
            Self::Single(stream) => stream.forward(features, activation),
            Self::Dueling(DuelingStreams { value, advantage }) => {
                let value = value.forward(features.clone(), activation);
                let advantage = advantage.forward(features, activation);
                value + (advantage.clone() - advantage.mean_dim(1))
            }
        }
    }

    /// Streams by name, which is empty for a single stream.
    pub(crate) fn streams(&self) -> Vec<(&'static str, &Stream)> {
        match self {
            Self::Single(stream) => vec![("", stream)],
            Self::Dueling(DuelingStreams { value, advantage }) => vec![("value.", value), ("advantage.", advantage)],
        }
    }

    /// Replaces each layer, in the order in which weights are drawn.
    pub(crate) fn map_layers(self, map: &mut impl FnMut(FullyConnected) -> FullyConnected) -> Self {
        match self {
            Self::Single(stream) => Self::Single(stream.map_layers(map)),
            Self::Dueling(DuelingStreams { value, advantage }) => {
                Self::Dueling(DuelingStreams { value: value.map_layers(map), advantage: advantage.map_layers(map) })
            }
        }
    }
}
