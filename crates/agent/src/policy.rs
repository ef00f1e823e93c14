//! The policy: a trained network with what it needs to choose actions.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use prism_kernels::Arch;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::buffers::Buffers;
use crate::card::Card;
use crate::description::{Description, Element, Output};
use crate::error::PolicyError;
use crate::file::PolicyFile;
use crate::network::Network;
use crate::observations::Observations;

/// An agent that acts: it takes observations as the environment of its training wrote them and gives actions.
///
/// Answers are slices of buffers that the policy reuses: after the first call with a number of observations, calls with as
/// many or fewer allocate nothing. A clone shares the weights and has buffers of its own, so that each thread can have one.
pub struct Policy {
    file: Arc<File>,
    arch: Arch,
    generator: Xoshiro256PlusPlus,
    buffers: Buffers,
}

/// What all clones of a policy share.
struct File {
    network: Network,
    card: Option<Card>,
    metadata: HashMap<String, String>,
}

/// Stands for an action that is not drawn but chosen.
const CHOSEN: usize = usize::MAX;

impl Clone for Policy {
    fn clone(&self) -> Self {
        let (file, generator) = (Arc::clone(&self.file), self.generator.clone());
        Self { file, arch: self.arch, generator, buffers: Buffers::default() }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("network", self.description()).finish_non_exhaustive()
    }
}

impl Policy {
    /// The policy in the bytes of a policy file, which every weights file of a run is, and which `prism export` writes. Random
    /// actions come from seed 0: see [`with_seed`](Self::with_seed).
    ///
    /// # Errors
    /// [`PolicyError`], for bytes of whatever kind: nothing panics.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PolicyError> {
        let tensors = PolicyFile::parse(bytes)?;
        // A file of a newer format is refused as such, whatever else is new in it.
        let card = tensors.card()?;
        let network = Network::take(&tensors)?;
        if let Some(card) = &card {
            card.check(network.description())?;
        }
        let file = Arc::new(File { network, card, metadata: tensors.metadata });
        let generator = Xoshiro256PlusPlus::seed_from_u64(0);
        Ok(Self { file, arch: Arch::new(), generator, buffers: Buffers::default() })
    }

    /// The same with this seed of its random actions.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { generator: Xoshiro256PlusPlus::seed_from_u64(seed), ..self }
    }

    /// The same computing with these instructions, instead of the widest that the processor has: to compare. The q-values
    /// of two sets of instructions differ by rounding.
    #[must_use]
    pub fn with_arch(self, arch: Arch) -> Self {
        Self { arch, ..self }
    }

    /// The network, without its weights.
    pub fn description(&self) -> &Description {
        self.file.network.description()
    }

    /// What the policy was trained for; `None` for files of the release 0.1.0 or older.
    pub fn card(&self) -> Option<&Card> {
        self.file.card.as_ref()
    }

    /// A text that the file carries, such as `prism.config`, the configuration of the run.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.file.metadata.get(key).map(String::as_str)
    }

    /// How many actions there are; an action is a number below.
    pub fn actions(&self) -> usize {
        self.description().actions
    }

    /// Values of an observation: bytes, or numbers of four bytes, as [`Description::input`] says.
    pub fn observation_len(&self) -> usize {
        self.file.network.elements()
    }

    /// Bytes of an observation.
    pub fn observation_bytes(&self) -> usize {
        match self.description().input.element {
            Element::U8 => self.observation_len(),
            Element::F32 => self.observation_len() * size_of::<f32>(),
        }
    }

    /// An action for each observation: a uniformly random one with probability `epsilon`, else the one of largest q-value
    /// (the first of equals).
    ///
    /// # Shapes
    /// - `observations`: `[batch, bytes]` or `[batch, values]`, one after the other
    /// - returns: `[batch]`
    ///
    /// # Panics
    /// When `epsilon` is not a probability, the last observation is cut short, or numbers are given to a network of bytes.
    pub fn act<'a>(&mut self, observations: impl Into<Observations<'a>>, epsilon: f64) -> &[usize] {
        let observations = observations.into();
        let (batch, actions) = (self.batch(observations), self.actions());
        assert!((0.0..=1.0).contains(&epsilon), "epsilon is {epsilon}, which is not a probability");
        let mut chosen = std::mem::take(&mut self.buffers.actions);
        chosen.clear();
        chosen.extend((0..batch).map(|_| match self.generator.random_bool(epsilon) {
            true => self.generator.random_range(0..actions),
            false => CHOSEN,
        }));
        if chosen.contains(&CHOSEN) {
            let values = self.values(observations);
            for (action, values) in chosen.iter_mut().zip(values.chunks_exact(actions)) {
                if *action == CHOSEN {
                    *action = best(values);
                }
            }
        }
        self.buffers.actions = chosen;
        &self.buffers.actions
    }

    /// Q-values of each observation, `[batch, actions]`.
    ///
    /// # Panics
    /// As [`act`](Self::act).
    pub fn values<'a>(&mut self, observations: impl Into<Observations<'a>>) -> &[f32] {
        self.look(observations.into());
        &self.buffers.q_values
    }

    /// Probabilities of the atoms of each action's return, `[batch, actions, atoms]`; `None` where the network has no
    /// distributions.
    ///
    /// # Panics
    /// As [`act`](Self::act).
    pub fn distributions<'a>(&mut self, observations: impl Into<Observations<'a>>) -> Option<&[f32]> {
        self.support()?;
        self.look(observations.into());
        Some(&self.buffers.outputs)
    }

    /// The returns that [`distributions`](Self::distributions) has probabilities of, rising, `[atoms]`.
    pub fn support(&self) -> Option<&[f32]> {
        Some(self.file.network.support()).filter(|support| !support.is_empty())
    }

    /// Quantiles of each action's return, `[batch, actions, quantiles]`; `None` where the network has none.
    ///
    /// # Panics
    /// As [`act`](Self::act).
    pub fn quantiles<'a>(&mut self, observations: impl Into<Observations<'a>>) -> Option<&[f32]> {
        let Output::Quantiles { .. } = self.description().output else { return None };
        self.look(observations.into());
        Some(&self.buffers.outputs)
    }

    /// Computes q-values and what they are means of.
    fn look(&mut self, observations: Observations<'_>) {
        self.batch(observations);
        self.file.network.outputs(self.arch, observations, &mut self.buffers);
        self.file.network.means(&mut self.buffers);
    }

    /// How many observations these are.
    fn batch(&self, observations: Observations<'_>) -> usize {
        let (given, one, unit) = match observations {
            Observations::Bytes(bytes) => (bytes.len(), self.observation_bytes(), "bytes"),
            Observations::Floats(floats) => {
                let element = self.description().input.element;
                assert!(element == Element::F32, "this network takes bytes, but numbers were given");
                (floats.len(), self.observation_len(), "numbers")
            }
        };
        assert!(given.is_multiple_of(one), "{given} {unit} are not whole observations of {one} {unit}");
        given / one
    }
}

/// The first of the largest values.
fn best(values: &[f32]) -> usize {
    (1..values.len()).fold(0, |best, action| if values[action] > values[best] { action } else { best })
}
