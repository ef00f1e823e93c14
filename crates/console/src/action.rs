//! What a player can do.

use serde::{Deserialize, Serialize};

/// What one player does with stick and button, in the Arcade Learning Environment's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it: directions of the stick, with or without the button")]
pub enum Action {
    Noop,
    Fire,
    Up,
    Right,
    Left,
    Down,
    UpRight,
    UpLeft,
    DownRight,
    DownLeft,
    UpFire,
    RightFire,
    LeftFire,
    DownFire,
    UpRightFire,
    UpLeftFire,
    DownRightFire,
    DownLeftFire,
}

use Action::*;

impl Action {
    /// All 18 actions; an action's index here is its number in the Arcade Learning Environment.
    pub const ALL: [Self; 18] = [
        Noop,
        Fire,
        Up,
        Right,
        Left,
        Down,
        UpRight,
        UpLeft,
        DownRight,
        DownLeft,
        UpFire,
        RightFire,
        LeftFire,
        DownFire,
        UpRightFire,
        UpLeftFire,
        DownRightFire,
        DownLeftFire,
    ];

    /// Those that press the button.
    pub const FIRING: [Self; 9] =
        [Fire, UpFire, RightFire, LeftFire, DownFire, UpRightFire, UpLeftFire, DownRightFire, DownLeftFire];

    /// This action's number in the Arcade Learning Environment, 0 to 17.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Whether the stick leans up.
    pub fn up(self) -> bool {
        matches!(self, Up | UpRight | UpLeft | UpFire | UpRightFire | UpLeftFire)
    }

    /// Whether the stick leans down.
    pub fn down(self) -> bool {
        matches!(self, Down | DownRight | DownLeft | DownFire | DownRightFire | DownLeftFire)
    }

    /// Whether the stick leans to the left.
    pub fn left(self) -> bool {
        matches!(self, Left | UpLeft | DownLeft | LeftFire | UpLeftFire | DownLeftFire)
    }

    /// Whether the stick leans to the right.
    pub fn right(self) -> bool {
        matches!(self, Right | UpRight | DownRight | RightFire | UpRightFire | DownRightFire)
    }

    /// Whether the button is pressed.
    pub fn fire(self) -> bool {
        Self::FIRING.contains(&self)
    }
}
