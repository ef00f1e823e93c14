//! The description of a network, as prism's weights files carry it.

use serde::Deserialize;

use crate::error::PolicyError;

/// Everything that defines a network except its weights.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    pub(crate) input: Input,
    pub(crate) scaling: Scaling,
    pub(crate) actions: usize,
    pub(crate) torso: Torso,
    pub(crate) activation: Activation,
    pub(crate) streams: Streams,
    pub(crate) output: Output,
    pub(crate) layers: Layers,
}

/// Shape and encoding of an observation.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Input {
    /// `[channels, height, width]` for images, where channels are the stacked frames, `[len]` for vectors.
    pub(crate) shape: Vec<usize>,
    pub(crate) element: Element,
}

/// Encoding of one element of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Element {
    /// A byte, 0 to 255, divided by 255 for the network.
    U8,
    /// Four bytes, a native-endian `f32`, passed to the network unchanged.
    F32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scaling {
    Elements,
    UnitLength,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Torso {
    Nature { hidden: usize },
    Convolutional { convolutions: Vec<[usize; 3]>, hidden: Vec<usize> },
    Impala { channels: Vec<usize>, hidden: Vec<usize> },
    Mlp { hidden: Vec<usize> },
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Activation {
    Relu,
    Selu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Streams {
    Single,
    Dueling,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Output {
    QValues,
    Distribution { v_min: f32, v_max: f32, atoms: usize },
    Quantiles { count: usize },
}

/// Kind of the fully connected layers. A policy uses the means of noisy ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Layers {
    Plain,
    Noisy {},
}

impl Input {
    /// Elements of an observation, at least one.
    pub(crate) fn elements(&self) -> Result<usize, PolicyError> {
        let elements = self.shape.iter().try_fold(1_usize, |product, &axis| product.checked_mul(axis));
        let sound = elements.filter(|&elements| elements > 0 && elements.checked_mul(size_of::<f32>()).is_some());
        sound.ok_or_else(|| PolicyError::impossible(format!("observations of shape {:?}", self.shape)))
    }
}

impl Output {
    /// Values that the network gives for each action.
    pub(crate) fn values(self) -> usize {
        match self {
            Self::QValues => 1,
            Self::Distribution { atoms, .. } => atoms,
            Self::Quantiles { count } => count,
        }
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
    /// The fully connected hidden layers.
    pub(crate) fn hidden(&self) -> &[usize] {
        match self {
            Self::Nature { hidden } => std::slice::from_ref(hidden),
            Self::Convolutional { hidden, .. } | Self::Impala { hidden, .. } | Self::Mlp { hidden } => hidden,
        }
    }
}
