//! The seam between an Atari 2600 emulator and everything built on it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::atari::palette::Palette;
use crate::seed::Seed;

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

/// What an emulator is told before it loads its game.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConsoleSettings {
    /// Game mode; 0 is every game's own default.
    pub mode: u32,
    /// Difficulty; 0 is every game's own default.
    pub difficulty: u32,
    /// Seed of what is random in the console itself: timers and memory at power-on.
    pub seed: Seed,
}

/// Why an emulator could not be started with a game.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// The ROM, or the emulator that was handed over, is not that of the game to be played.
    #[error("cannot play {wanted} with {given}")]
    OtherGame {
        /// Game to be played.
        wanted: String,
        /// Game of the ROM or the emulator.
        given: String,
    },
    /// The game has no such mode.
    #[error("{game} has no mode {mode}: it has {}", list(available))]
    UnknownMode {
        /// The game.
        game: String,
        /// What was asked for.
        mode: u32,
        /// What it has, in ascending order.
        available: Vec<u32>,
    },
    /// The game has no such difficulty.
    #[error("{game} has no difficulty {difficulty}: it has {}", list(available))]
    UnknownDifficulty {
        /// The game.
        game: String,
        /// What was asked for.
        difficulty: u32,
        /// What it has, in ascending order.
        available: Vec<u32>,
    },
    /// The emulator would take its settings from a file in the current directory.
    #[error("{} would change the emulator's settings behind your back: move it away or start in another directory", path.display())]
    ForeignSettings {
        /// The file.
        path: PathBuf,
    },
    /// The ROM could not be put where the emulator reads it.
    #[error("cannot hand the ROM of {game} to the emulator through the temporary directory {}: {source}", directory.display())]
    Handover {
        /// Game of the ROM.
        game: String,
        /// Where it was to be written.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// This build does not have the emulator.
    #[error(
        "this build cannot play {game} with ALE: it was made without the feature `ale`; environment.emulator = \"console\" plays \
         it with the console in Rust"
    )]
    NotInBuild {
        /// Game to be played.
        game: String,
    },
}

fn list(values: &[u32]) -> String {
    let values: Vec<String> = values.iter().map(u32::to_string).collect();
    values.join(", ")
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

    /// Whether the game has ended by its own rules, as far as the emulator notices: [`GameEnd`](crate::GameEnd) says more.
    fn game_over(&self) -> bool;

    /// Lives left, 0 in games that have none.
    fn lives(&self) -> u32;

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
