//! The trait that every environment implements, and what it says about itself.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::emulator::interface::EmulatorError;
use crate::picture::Picture;
use crate::time_step::TimeStep;

/// How the elements of an observation are encoded in its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Element {
    /// One byte per element, 0 to 255; networks divide by 255.
    U8,
    /// Four bytes per element, a native-endian `f32`; networks take it as it is.
    F32,
}

impl Element {
    /// Bytes per element.
    pub fn size(self) -> usize {
        match self {
            Element::U8 => 1,
            Element::F32 => 4,
        }
    }
}

/// Shape and encoding of an observation: a stack of frames, oldest first, newest last.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObservationSpec {
    /// Frames in the stack; replay stores each frame once and rebuilds the stack. Missing frames at an episode's
    /// start are zeros.
    pub stack: usize,
    /// Shape of one frame, row-major: `[height, width]` for grey images, `[3, height, width]` for RGB, `[len]` for vectors.
    pub frame: Vec<usize>,
    /// Encoding of one element.
    pub element: Element,
}

impl ObservationSpec {
    /// Elements in one frame.
    pub fn frame_elements(&self) -> usize {
        self.frame.iter().product()
    }

    /// Bytes in one frame.
    pub fn frame_bytes(&self) -> usize {
        self.frame_elements() * self.element.size()
    }

    /// Bytes in a whole observation.
    pub fn bytes(&self) -> usize {
        self.stack * self.frame_bytes()
    }
}

impl fmt::Display for ObservationSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{:?} {:?}", self.stack, self.frame, self.element)
    }
}

/// What an environment offers to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentSpec {
    /// Name to show, such as `pong` or `catch`.
    pub name: String,
    /// Shape and encoding of observations.
    pub observation: ObservationSpec,
    /// Name of each action; an action is an index into this list.
    pub actions: Vec<String>,
}

impl EnvironmentSpec {
    /// An environment without an emulator whose observations are single frames of shape `frame`.
    pub fn single_frame(name: &str, frame: Vec<usize>, element: Element, actions: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            observation: ObservationSpec { stack: 1, frame, element },
            actions: actions.iter().map(|&action| action.to_owned()).collect(),
        }
    }

    /// The error about an action that is not in the list.
    pub fn unknown_action(&self, action: usize) -> EnvironmentError {
        EnvironmentError::UnknownAction { environment: self.name.clone(), action, count: self.actions.len() }
    }

    /// Refuses a kind of environment that no agent can play.
    ///
    /// # Errors
    /// [`EnvironmentError::Contract`] without actions, and where an observation has no bytes.
    pub fn check(&self) -> Result<(), EnvironmentError> {
        if self.actions.is_empty() {
            return Err(self.contract("it has no actions, and needs at least one"));
        }
        if self.observation.bytes() == 0 {
            return Err(self.contract(format!("its observations ({}) have no bytes", self.observation)));
        }
        Ok(())
    }

    fn no_state(&self) -> EnvironmentError {
        EnvironmentError::NoState { environment: self.name.clone() }
    }

    /// The error about an environment that does not do what it must.
    pub(crate) fn contract(&self, reason: impl Into<String>) -> EnvironmentError {
        EnvironmentError::Contract { environment: self.name.clone(), reason: reason.into() }
    }

    /// The error about a step outside an episode.
    pub fn needs_reset(&self) -> EnvironmentError {
        EnvironmentError::NeedsReset { environment: self.name.clone() }
    }
}

/// Why an environment could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// The action is not one of the environment's.
    #[error("action {action} does not exist in {environment}: it has {count}, counted from 0")]
    UnknownAction {
        /// Environment that was stepped.
        environment: String,
        /// What was asked for.
        action: usize,
        /// How many actions there are.
        count: usize,
    },
    /// `step` was called before `reset` or after the episode's last step.
    #[error("{environment} has no running episode: call reset first")]
    NeedsReset {
        /// Environment that was stepped.
        environment: String,
    },
    /// A saved state does not belong to this environment or is damaged.
    #[error("this saved state does not fit {environment}: {reason}")]
    BadState {
        /// Environment that was to be restored.
        environment: String,
        /// What does not fit.
        reason: String,
    },
    /// The environment cannot be saved.
    #[error("the state of {environment} can neither be saved nor loaded")]
    NoState {
        /// The environment.
        environment: String,
    },
    /// The environment would not go on from a saved state as it would have without.
    #[error("{environment} would not go on from a saved state as it would have: {reason}")]
    Inexact {
        /// The environment.
        environment: String,
        /// What would differ, and what to do about it.
        reason: &'static str,
    },
    /// The environment does not do what [`Environment`] says of it: a mistake in its program.
    #[error("{environment} does not do what an environment must: {reason}")]
    Contract {
        /// The environment.
        environment: String,
        /// What it did, and what it must do.
        reason: String,
    },
    /// An emulator could not be started.
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    /// A failure of the environment's own, such as a file or a connection that its game needs.
    #[error(transparent)]
    Own {
        /// What went wrong.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl EnvironmentError {
    /// A failure of the environment's own: any error, or a sentence.
    pub fn own(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Own { source: source.into() }
    }
}

/// One environment, stepped one action at a time. Implement it for your own game: a page of code.
///
/// Randomness comes from the seed given to the implementation's constructor and from nothing else, so that equal seeds
/// and equal actions give equal episodes.
pub trait Environment: Send {
    /// Shape of observations, names of actions.
    fn spec(&self) -> &EnvironmentSpec;

    /// Starts an episode and writes its first observation (`spec().observation.bytes()` bytes). The time step is First.
    ///
    /// # Errors
    /// When the environment cannot start: [`EnvironmentError::own`].
    fn reset(&mut self, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError>;

    /// Takes one agent step and writes the observation that follows it: the previous one shifted by one frame, where
    /// observations are stacks. The time step is Mid or Last, Last where the game has ended; its rewards are finite and its
    /// discount lies between 0 and 1.
    ///
    /// # Errors
    /// [`EnvironmentError::UnknownAction`], [`EnvironmentError::NeedsReset`] outside an episode, and
    /// [`EnvironmentError::own`] for a failure of the environment's own.
    fn step(&mut self, action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError>;

    /// What the environment looks like now, for people who watch: a game's screen. Without it, watchers are shown the newest
    /// frame of the observation where that is an image of bytes.
    fn picture(&self) -> Option<Picture> {
        None
    }

    /// Everything that decides this environment's future, for [`Environment::load_state`] of an environment built with
    /// the same configuration. An implementation may leave both out.
    ///
    /// # Errors
    /// When the state cannot be taken; [`EnvironmentError::NoState`] where this is left out.
    fn save_state(&self) -> Result<Vec<u8>, EnvironmentError> {
        Err(self.spec().no_state())
    }

    /// Continues from a state of [`Environment::save_state`].
    ///
    /// # Errors
    /// [`EnvironmentError::BadState`] when the bytes are not such a state; the environment is then unchanged.
    /// [`EnvironmentError::NoState`] where this is left out.
    fn load_state(&mut self, state: &[u8]) -> Result<(), EnvironmentError> {
        let _ = state;
        Err(self.spec().no_state())
    }
}
