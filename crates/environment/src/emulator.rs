//! The seam between an Atari 2600 emulator and everything built on it.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Palette;

/// Bytes of RAM in the console.
pub const RAM_BYTES: usize = 128;

/// What one player can do with the console's joystick and its button, in ALE's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
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

impl Action {
    /// All 18 actions; an action's index here is its number in ALE.
    pub const ALL: [Self; 18] = [
        Self::Noop,
        Self::Fire,
        Self::Up,
        Self::Right,
        Self::Left,
        Self::Down,
        Self::UpRight,
        Self::UpLeft,
        Self::DownRight,
        Self::DownLeft,
        Self::UpFire,
        Self::RightFire,
        Self::LeftFire,
        Self::DownFire,
        Self::UpRightFire,
        Self::UpLeftFire,
        Self::DownRightFire,
        Self::DownLeftFire,
    ];

    /// ALE's number of this action, 0 to 17.
    pub fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_uppercase())
    }
}

/// A snapshot that an emulator cannot continue from.
#[derive(Debug, Error)]
#[error("{reason}")]
pub struct BadSnapshot {
    /// What does not fit.
    pub reason: String,
}

/// A console with a game in it, driven one frame at a time.
///
/// Implementations draw randomness, if any, from a seed given when they were made.
pub trait Emulator: Send {
    /// Name of the game.
    fn game(&self) -> &str;

    /// Rows and columns of the screen.
    fn screen_size(&self) -> (usize, usize);

    /// Colours of the bytes that [`Emulator::read_screen`] gives.
    fn palette(&self) -> &'static Palette;

    /// The actions that do something in this game, in ascending order of their numbers.
    fn minimal_actions(&self) -> &[Action];

    /// Starts a game from the console's reset switch.
    fn reset(&mut self);

    /// Emulates one frame, in which the player does `action` and nothing else, and returns the points it gave. After the
    /// game's end it gives nothing.
    fn act(&mut self, action: Action) -> i32;

    /// Whether the game has ended by its own rules.
    fn game_over(&self) -> bool;

    /// Lives left, 0 in games that have none.
    fn lives(&self) -> u32;

    /// Frames since the emulator was made.
    fn frame_number(&self) -> u32;

    /// Frames since the last reset.
    fn episode_frame_number(&self) -> u32;

    /// Writes the screen of the last frame, one palette byte for each pixel, row by row.
    ///
    /// # Panics
    /// When the buffer does not have the screen's size.
    fn read_screen(&self, screen: &mut [u8]);

    /// Writes the console's RAM.
    fn read_ram(&self, ram: &mut [u8; RAM_BYTES]);

    /// Everything that decides the frames to come, random draws included.
    fn snapshot(&self) -> Vec<u8>;

    /// Continues from a snapshot taken of an emulator of the same game and settings. The screen and the RAM may read as
    /// before until the next frame.
    ///
    /// # Errors
    /// When the bytes are not such a snapshot; the emulator is then unchanged.
    fn restore(&mut self, snapshot: &[u8]) -> Result<(), BadSnapshot>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_numbered_and_named_as_in_ale() {
        for (number, action) in Action::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(action.number()), number);
        }
        assert_eq!(Action::UpRightFire.to_string(), "UPRIGHTFIRE");
        assert_eq!(Action::Noop.to_string(), "NOOP");
    }
}
