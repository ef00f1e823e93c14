//! E.T.: the score is at DF to E1, the lives less one at E5, and 80 is 8 when the last one is lost.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "et",
    md5: 0x615a3bf2_51a38eb6_638cdc7f_fbde5480,
    scheme: Scheme::F8,
    modes: &[0, 1, 2],
    select: Some(Select::when(|ram, mode| u32::from(ram.at(0xEA)) == mode + 1, 25)),
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xDF, 0xE0, 0xE1]));
    now.lives = i32::from((ram.at(0xE5) as i8).wrapping_add(1));
    now.over = now.lives == 0 && ram.at(0x80) == 8;
}
