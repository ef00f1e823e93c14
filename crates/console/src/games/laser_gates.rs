//! Laser Gates: the score is decimal in 0x80 to 0x82, and the game ends when the energy in 0x83 is 0.

use super::Standing;
use crate::game::{Game, Press};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "laser_gates",
    md5: 0x8e4cd60d_93fcde80_65c1a2b9_72a26377,
    opening: &[(Press::Reset, 1)],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x80, 0x81, 0x82]));
    now.over = ram.at(0x83) == 0;
}
