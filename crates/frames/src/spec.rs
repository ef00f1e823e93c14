//! How an observation is made of screens.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::colour::Colour;

/// How an observation is made of screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameSpec {
    /// Rows of a frame.
    pub height: usize,
    /// Columns of a frame.
    pub width: usize,
    /// Its colours.
    pub colour: Colour,
    /// Frames of an observation, the oldest first.
    pub stack: usize,
    /// Screens for which an action is held.
    pub skip: usize,
    /// Screens at the end of them whose maximum makes a frame, from 1 to `skip`.
    pub pool: usize,
}

/// Why screens cannot be made observations of.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// Frames that cannot be.
    #[error(
        "frames of {0:?} cannot be made: sides, stack and skip must be at least 1, pool from 1 to skip, and an observation at \
         most 2^24 bytes"
    )]
    Spec(FrameSpec),
    /// A screen without pixels or with too many.
    #[error("a screen of {0} rows and {1} columns cannot be shown: both must be from 1 to 16384")]
    Size(usize, usize),
    /// A screen of another size than announced.
    #[error("a screen has {given} bytes, but {expected} were announced")]
    Screen {
        /// Its bytes.
        given: usize,
        /// Those of the announced size.
        expected: usize,
    },
}

impl FrameSpec {
    /// `[channels, height, width]` of an observation.
    pub fn observation(&self) -> [usize; 3] {
        [self.stack.saturating_mul(self.colour.channels()), self.height, self.width]
    }

    /// # Errors
    /// [`FrameError::Spec`] where there can be no such frames.
    pub fn check(&self) -> Result<(), FrameError> {
        let bytes = self.observation().into_iter().try_fold(1_usize, |bytes, axis| bytes.checked_mul(axis));
        let sound = bytes.is_some_and(|bytes| (1..=1 << 24).contains(&bytes));
        if sound && (1..=self.skip).contains(&self.pool) { Ok(()) } else { Err(FrameError::Spec(*self)) }
    }
}
