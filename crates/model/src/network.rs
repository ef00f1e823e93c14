//! A network from observations to q-values, and the configuration that describes it.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use rand::Rng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Input, NatureTorso, initialise};

/// The part of a network between observation and head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Torso {
    /// Convolutions of Nature DQN and one fully connected layer.
    Nature {
        /// Features of the fully connected layer, 512 in the paper.
        hidden: usize,
    },
    /// Fully connected layers with rectifiers, over the flattened observation.
    Mlp {
        /// Features of each layer.
        hidden: Vec<usize>,
    },
}

/// Everything that decides a network's shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// What goes in.
    pub input: Input,
    /// How many actions' q-values come out.
    pub actions: usize,
    /// What lies between.
    pub torso: Torso,
}

/// Why a network cannot be built.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkError {
    /// The convolutions need an image.
    #[error(
        "the Nature network needs images [channels, height, width] of at least 36x36, not {shape:?}: choose the network \
         kind `mlp`, or image observations"
    )]
    NotAnImage {
        /// Shape of the input.
        shape: Vec<usize>,
    },
    /// A layer or the input has no elements.
    #[error("{what} is 0: a network needs at least 1")]
    Empty {
        /// Which size is zero.
        what: &'static str,
    },
}

#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "one network holds one torso; boxing would buy nothing")]
enum TorsoLayers {
    Nature(NatureTorso),
    Mlp(Vec<Linear>),
}

/// A network that gives the q-value of each action.
#[derive(Module, Debug)]
pub struct QNetwork {
    torso: TorsoLayers,
    head: Linear,
    #[module(skip)]
    image: Option<[usize; 3]>,
}

impl NetworkConfig {
    /// Builds the network with initial weights drawn from `rng`; make it on `device.autodiff()` to train it.
    ///
    /// # Errors
    /// When the sizes do not fit together.
    pub fn init(&self, rng: &mut impl Rng, device: &Device) -> Result<QNetwork, NetworkError> {
        let shape = &self.input.shape;
        for (what, size) in [("the number of inputs", self.input.elements()), ("the number of actions", self.actions)] {
            if size == 0 {
                return Err(NetworkError::Empty { what });
            }
        }
        let (torso, image, features) = match &self.torso {
            Torso::Nature { hidden: 0 } => return Err(NetworkError::Empty { what: "the size of the hidden layer" }),
            Torso::Nature { hidden } => {
                let image = <[usize; 3]>::try_from(shape.as_slice())
                    .ok()
                    .filter(|&[_, height, width]| NatureTorso::feature_map(height, width).is_some())
                    .ok_or_else(|| NetworkError::NotAnImage { shape: shape.clone() })?;
                (TorsoLayers::Nature(NatureTorso::new(image, *hidden, rng, device)), Some(image), *hidden)
            }
            Torso::Mlp { hidden } => {
                if hidden.contains(&0) {
                    return Err(NetworkError::Empty { what: "the size of a hidden layer" });
                }
                let mut inputs = self.input.elements();
                let mut layers = Vec::with_capacity(hidden.len());
                for &outputs in hidden {
                    layers.push(initialise::linear(inputs, outputs, rng, device));
                    inputs = outputs;
                }
                (TorsoLayers::Mlp(layers), None, inputs)
            }
        };
        Ok(QNetwork { torso, head: initialise::linear(features, self.actions, rng, device), image })
    }
}

impl QNetwork {
    /// Q-values of a batch of observations, as [`Input::upload`] gives them.
    ///
    /// # Shapes
    /// - `observations`: `[batch, elements]`
    /// - returns: `[batch, actions]`
    pub fn forward(&self, observations: Tensor<2>) -> Tensor<2> {
        let features = match &self.torso {
            TorsoLayers::Nature(torso) => {
                let [batch, _] = observations.dims();
                let [channels, height, width] = self.image.expect("a Nature torso is built with its image's shape");
                torso.forward(observations.reshape([batch, height, width, channels]))
            }
            TorsoLayers::Mlp(layers) => {
                layers.iter().fold(observations, |features, layer| relu(layer.forward(features)))
            }
        };
        self.head.forward(features)
    }
}
