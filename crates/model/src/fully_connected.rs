//! Fully connected layers, plain or noisy.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::initialise;
use crate::kernels::linear::linear;
use crate::noisy::{Noise, NoisyLinear};

/// Kind of a network's fully connected layers, hidden and output layers alike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Layers {
    /// Weights and biases, initially uniform in ±1/√inputs.
    Plain,
    /// Weights and biases with learned noise.
    Noisy {
        /// How the noise is drawn.
        noise: Noise,
        /// σ₀, the initial size of the noise; see [`Noise`].
        sigma: f64,
    },
}

/// One layer.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a network holds a handful of layers; boxing would buy nothing")]
pub(crate) enum FullyConnected {
    Plain(Linear),
    Noisy(NoisyLinear),
}

impl Layers {
    /// A layer `[inputs] -> [outputs]`.
    pub(crate) fn init(self, inputs: usize, outputs: usize, rng: &mut impl Rng, device: &Device) -> FullyConnected {
        match self {
            Layers::Plain => FullyConnected::Plain(initialise::linear(inputs, outputs, rng, device)),
            Layers::Noisy { noise, sigma } => {
                FullyConnected::Noisy(NoisyLinear::new(inputs, outputs, noise, sigma, rng, device))
            }
        }
    }
}

impl FullyConnected {
    /// `[batch, inputs]` to `[batch, outputs]`.
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Plain(layer) => {
                let bias = layer.bias.as_ref().expect("every layer here has a bias");
                linear(x, layer.weight.val(), bias.val())
            }
            Self::Noisy(layer) => layer.forward(x),
        }
    }

    /// The same weights with fresh noise; a plain layer as it is.
    pub(crate) fn with_noise(self, rng: &mut impl Rng) -> Self {
        match self {
            Self::Plain(layer) => Self::Plain(layer),
            Self::Noisy(layer) => Self::Noisy(layer.with_noise(rng)),
        }
    }

    /// The same weights without noise.
    pub(crate) fn without_noise(self) -> Self {
        match self {
            Self::Plain(layer) => Self::Plain(layer),
            Self::Noisy(layer) => Self::Noisy(layer.without_noise()),
        }
    }
}
