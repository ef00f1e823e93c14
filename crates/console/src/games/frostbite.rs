//! Frostbite: the score is at C8 to CA, the lives less one at CC, and the game ends with the last when F1 is high.

use super::Standing;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "frostbite",
    md5: 0x4ca73eb9_59299471_788f0b68_5c3ba0b5,
    modes: &[0, 2],
    select: Some(Select::at(0x80, 1)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xC8, 0xC9, 0xCA]));
    let spare = i32::from(ram.at(0xCC) & 15);
    now.over = spare == 0 && ram.at(0xF1) & 0x80 != 0;
    now.lives = if now.over { 0 } else { spare + 1 };
}
