//! The description of a network, as policy files carry it.

use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// Everything that defines a network except its weights. In a file it is JSON, under the key [`Description::KEY`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The observations that it takes.
    pub input: Input,
    /// What becomes of an observation before the first layer.
    pub scaling: Scaling,
    /// How many actions there are.
    pub actions: usize,
    /// The layers before the streams.
    pub torso: Torso,
    /// The activation after fully connected hidden layers. Convolutions are always followed by a rectifier.
    pub activation: Activation,
    /// How the last layers make the output.
    pub streams: Streams,
    /// What there is for each action.
    pub output: Output,
    /// Kind of the fully connected layers.
    pub layers: Layers,
}

/// Shape and encoding of an observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// `[channels, height, width]` for images, where channels are the stacked frames, oldest first; `[len]` for vectors.
    pub shape: Vec<usize>,
    /// Encoding of its elements.
    pub element: Element,
}

/// Encoding of one element of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Element {
    /// A byte, 0 to 255, divided by 255 for the network.
    U8,
    /// Four bytes, a native-endian `f32`, passed to the network unchanged.
    F32,
}

/// What becomes of an observation before the first layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Each element as [`Element`] says.
    Elements,
    /// In addition the observation is divided by its Euclidean length.
    UnitLength,
}

/// The layers before the streams. The last of the `hidden` layers belongs to the streams: each has its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Torso {
    /// The three convolutions of Nature DQN (Mnih et al. 2015, Methods) and a hidden layer.
    Nature {
        /// Width of the hidden layer.
        hidden: usize,
    },
    /// Any convolutions without padding.
    Convolutional {
        /// Size, stride and channels of each.
        convolutions: Vec<[usize; 3]>,
        /// Widths of the hidden layers.
        hidden: Vec<usize>,
    },
    /// The residual network of IMPALA (Espeholt et al. 2018).
    Impala {
        /// Channels of each stage.
        channels: Vec<usize>,
        /// Widths of the hidden layers.
        hidden: Vec<usize>,
    },
    /// The observation, flattened, and hidden layers.
    Mlp {
        /// Widths of the hidden layers.
        hidden: Vec<usize>,
    },
}

/// The activation after fully connected hidden layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// max(0, x).
    Relu,
    /// The self-normalising unit (Klambauer et al. 2017, equation 2).
    Selu,
}

/// How the last layers make the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Streams {
    /// One stream gives it.
    Single,
    /// Value and advantages, combined as in Wang et al. 2016, equation 9.
    Dueling,
}

/// What the network gives for each action.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Output {
    /// Its q-value.
    QValues,
    /// The logits of a distribution over returns (Bellemare et al. 2017).
    Distribution {
        /// The smallest atom.
        v_min: f32,
        /// The largest atom.
        v_max: f32,
        /// How many atoms there are, evenly spaced, at least 2.
        atoms: usize,
    },
    /// Quantiles of the return (Dabney et al. 2018).
    Quantiles {
        /// How many, at least 1.
        count: usize,
    },
}

/// Kind of the fully connected layers. A policy uses the means of noisy ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Layers {
    /// A weight and a bias.
    Plain,
    /// Means and spreads of weight and bias (Fortunato et al. 2017).
    Noisy {},
}

impl Description {
    /// Key of the description in a file's metadata.
    pub const KEY: &str = "prism.network";
}

impl Input {
    /// Elements of an observation, at least one.
    ///
    /// # Errors
    /// [`PolicyError::Impossible`] when there are none, or more than 2^24.
    pub fn elements(&self) -> Result<usize, PolicyError> {
        checked_size(&self.shape)
    }
}

impl Output {
    /// Values that the network gives for each action: atoms, quantiles, or 1.
    pub fn values(self) -> usize {
        match self {
            Self::QValues => 1,
            Self::Distribution { atoms, .. } => atoms,
            Self::Quantiles { count } => count,
        }
    }

    /// The atoms of distributions, rising; empty for other outputs.
    pub(crate) fn support(self) -> Vec<f32> {
        let Self::Distribution { v_min, v_max, atoms } = self else { return Vec::new() };
        let spacing = (f64::from(v_max) - f64::from(v_min)) / (atoms - 1) as f64;
        (0..atoms).map(|index| (f64::from(v_min) + index as f64 * spacing) as f32).collect()
    }

    pub(crate) fn check(self) -> Result<(), PolicyError> {
        let sound = match self {
            Self::QValues => true,
            Self::Distribution { v_min, v_max, atoms } => atoms >= 2 && v_min < v_max && (v_max - v_min).is_finite(),
            Self::Quantiles { count } => count >= 1,
        };
        if sound { Ok(()) } else { Err(PolicyError::impossible(format!("an output of {self:?}"))) }
    }
}

impl Torso {
    /// The convolutions of Nature DQN (Mnih et al. 2015, Methods): size, stride, channels.
    pub const NATURE: [[usize; 3]; 3] = [[8, 4, 32], [4, 2, 64], [3, 1, 64]];

    /// The fully connected hidden layers.
    pub fn hidden(&self) -> &[usize] {
        match self {
            Self::Nature { hidden } => std::slice::from_ref(hidden),
            Self::Convolutional { hidden, .. } | Self::Impala { hidden, .. } | Self::Mlp { hidden } => hidden,
        }
    }
}

/// Values of an image or a vector with these axes, at least one and at most 2^24, which a table of pixels can be made for.
pub(crate) fn checked_size(axes: &[usize]) -> Result<usize, PolicyError> {
    let size = axes.iter().try_fold(1_usize, |product, &axis| product.checked_mul(axis));
    let size = size.filter(|size| (1..=1 << 24).contains(size));
    size.ok_or_else(|| PolicyError::impossible(format!("{axes:?} is no shape of 1 to {} values", 1 << 24)))
}
