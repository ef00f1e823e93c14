//! How far a run has come.

use prism_environment::{AgentSteps, Frames};
use serde::{Deserialize, Serialize};

/// Counts of a run's steps, frames and updates, and its current ε.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Agent steps taken.
    pub agent_steps: AgentSteps,
    /// Frames shown.
    pub frames: Frames,
    /// Updates made.
    pub updates: u64,
    /// Probability of a random action, 0 to 1.
    pub epsilon: f64,
}
