//! How a game stands by its rules.

use serde::{Deserialize, Serialize};

/// What a game's rules have read from memory so far: they are asked once after each frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Points since the game began.
    pub score: i32,
    /// Points of the last frame.
    pub reward: i32,
    /// Whether the game has ended.
    pub over: bool,
    /// Lives left; 0 in games that count none.
    pub lives: i32,
    /// The mode that is played.
    pub mode: u32,
    /// What else the rules of this game remember from frame to frame; 0 when a game begins.
    pub memory: [i32; 2],
}

impl Standing {
    /// A game that begins with so many lives.
    pub const fn with_lives(lives: i32) -> Self {
        Self { score: 0, reward: 0, over: false, lives, mode: 0, memory: [0; 2] }
    }

    /// Takes the score that memory shows now; what it has changed by is the reward.
    pub fn set_score(&mut self, score: i32) {
        self.reward = score - self.score;
        self.score = score;
    }
}
