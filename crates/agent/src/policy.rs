//! The policy: a trained network with what it needs to choose actions.

use std::collections::HashMap;
use std::fmt;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::description::{Element, Output};
use crate::error::PolicyError;
use crate::network::{Network, softmax};
use crate::tensors::Tensors;

/// An agent that acts: it takes observations as the environment of its training wrote them and gives actions.
pub struct Policy {
    network: Network,
    metadata: HashMap<String, String>,
    generator: Xoshiro256PlusPlus,
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("network", self.network.description()).finish_non_exhaustive()
    }
}

impl Policy {
    /// The policy in the bytes of a weights file that prism saved. Random actions come from seed 0: see
    /// [`with_seed`](Self::with_seed).
    ///
    /// # Errors
    /// [`PolicyError`], for bytes of whatever kind: nothing panics.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PolicyError> {
        let tensors = Tensors::parse(bytes)?;
        let network = Network::take(&tensors)?;
        Ok(Self { network, metadata: tensors.metadata, generator: Xoshiro256PlusPlus::seed_from_u64(0) })
    }

    /// The same with this seed of its random actions.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { generator: Xoshiro256PlusPlus::seed_from_u64(seed), ..self }
    }

    /// How many actions there are; an action is a number below.
    pub fn actions(&self) -> usize {
        self.network.description().actions
    }

    /// Axes of an observation: `[channels, height, width]` for images, where channels are the stacked frames, oldest first;
    /// `[len]` for vectors.
    pub fn observation_shape(&self) -> &[usize] {
        &self.network.description().input.shape
    }

    /// Encoding of an observation's elements.
    pub fn observation_element(&self) -> Element {
        self.network.description().input.element
    }

    /// Bytes of an observation.
    pub fn observation_bytes(&self) -> usize {
        self.network.observation_bytes()
    }

    /// A text that the file carries, such as `prism.config`, the configuration of the run.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// An action for each observation: a uniformly random one with probability `epsilon`, else the one of largest q-value
    /// (the first of equals).
    ///
    /// # Shapes
    /// - `observations`: `[batch, bytes]`, one after the other
    /// - returns: `[batch]`
    ///
    /// # Panics
    /// When `epsilon` is not a probability or the last observation is cut short.
    pub fn act(&mut self, observations: &[u8], epsilon: f64) -> Vec<usize> {
        let (batch, actions) = (self.batch(observations), self.actions());
        let explored: Vec<Option<usize>> = (0..batch)
            .map(|_| self.generator.random_bool(epsilon).then(|| self.generator.random_range(0..actions)))
            .collect();
        if explored.iter().all(Option::is_some) {
            return explored.into_iter().flatten().collect();
        }
        let values = self.values(observations);
        let greedy = values.chunks_exact(actions).map(best);
        explored.into_iter().zip(greedy).map(|(explored, greedy)| explored.unwrap_or(greedy)).collect()
    }

    /// Q-values of each observation, `[batch, actions]`.
    ///
    /// # Panics
    /// When the last observation is cut short.
    pub fn values(&self, observations: &[u8]) -> Vec<f32> {
        self.batch(observations);
        self.network.means(self.network.outputs(observations))
    }

    /// Probabilities of the atoms of each action's return, `[batch, actions, atoms]`; `None` where the network has no
    /// distributions.
    ///
    /// # Panics
    /// When the last observation is cut short.
    pub fn distributions(&self, observations: &[u8]) -> Option<Vec<f32>> {
        self.batch(observations);
        let Output::Distribution { atoms, .. } = self.network.description().output else { return None };
        let mut probabilities = self.network.outputs(observations);
        softmax(&mut probabilities, atoms);
        Some(probabilities)
    }

    /// The returns that [`distributions`](Self::distributions) has probabilities of, rising, `[atoms]`.
    pub fn support(&self) -> Option<Vec<f32>> {
        self.network.support()
    }

    /// Quantiles of each action's return, `[batch, actions, quantiles]`; `None` where the network has none.
    ///
    /// # Panics
    /// When the last observation is cut short.
    pub fn quantiles(&self, observations: &[u8]) -> Option<Vec<f32>> {
        self.batch(observations);
        matches!(self.network.description().output, Output::Quantiles { .. })
            .then(|| self.network.outputs(observations))
    }

    fn batch(&self, observations: &[u8]) -> usize {
        let bytes = self.observation_bytes();
        let whole = observations.len().is_multiple_of(bytes);
        assert!(whole, "{} bytes are not whole observations of {bytes} bytes", observations.len());
        observations.len() / bytes
    }
}

/// The first of the largest values.
fn best(values: &[f32]) -> usize {
    (1..values.len()).fold(0, |best, action| if values[action] > values[best] { action } else { best })
}
