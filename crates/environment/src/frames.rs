//! The two units of time, and the one place where one becomes the other.

use std::fmt;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// A number of emulator frames. Papers state periods, warm-ups and budgets in these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Frames(pub u64);

/// A number of agent steps, summed over all environments. One agent step is one action: `frame_skip` frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentSteps(pub u64);

impl Frames {
    /// How many whole agent steps fit in this many frames.
    ///
    /// # Panics
    /// When `frame_skip` is 0.
    pub fn agent_steps(self, frame_skip: u32) -> AgentSteps {
        assert!(frame_skip > 0, "a frame skip of 0 has no agent steps: it must be at least 1");
        AgentSteps(self.0 / u64::from(frame_skip))
    }
}

impl AgentSteps {
    /// The frames of this many full agent steps. An episode's last step may take fewer: `TimeStep::frames` has the exact
    /// number.
    ///
    /// # Panics
    /// When the product exceeds `u64::MAX`.
    pub fn frames(self, frame_skip: u32) -> Frames {
        let frames = self.0.checked_mul(u64::from(frame_skip));
        Frames(
            frames.unwrap_or_else(|| panic!("{self} with frame skip {frame_skip} are more frames than u64 can count")),
        )
    }
}

impl fmt::Display for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} frames", self.0)
    }
}

impl fmt::Display for AgentSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} agent steps", self.0)
    }
}

impl Add for Frames {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Frames {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Add for AgentSteps {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for AgentSteps {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_agent_step_is_frame_skip_frames() {
        assert_eq!(AgentSteps(250_000).frames(4), Frames(1_000_000));
        assert_eq!(Frames(1_000_000).agent_steps(4), AgentSteps(250_000));
        assert_eq!(Frames(7).agent_steps(1), AgentSteps(7));
    }

    #[test]
    fn an_unfinished_agent_step_does_not_count() {
        assert_eq!(Frames(7).agent_steps(4), AgentSteps(1));
    }

    #[test]
    #[should_panic(expected = "more frames than u64 can count")]
    fn too_many_frames_are_refused() {
        AgentSteps(u64::MAX).frames(4);
    }
}
