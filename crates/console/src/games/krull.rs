//! Krull: the score is decimal in 0x9C to 0x9E, the low bits of 0x9F count the spare lives, and the game ends when none
//! is left, 0xA2 is 3 and 0x80 is 0x80.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "krull",
    md5: 0x4baada22_435320d1_85c95b7d_d2bcdb24,
    scheme: Scheme::F8,
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x9C, 0x9D, 0x9E]));
    now.over = ram.at(0x9F) == 0 && ram.at(0xA2) == 3 && ram.at(0x80) == 0x80;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0x9F) & 7) + 1 };
}
