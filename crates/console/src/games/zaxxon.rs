//! Zaxxon: the score in hundreds is decimal in 0xE8 and 0xE9, and the low bits of 0xEA count the lives, with none at
//! the end.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "zaxxon",
    md5: 0xeea0da9b_987d6612_64cce69a_7c13c3bd,
    scheme: Scheme::F8,
    modes: &[0, 8, 16, 24],
    select: Some(Select::at(0x82, 10)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(5);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(100 * ram.decimals(&[0xE8, 0xE9]));
    now.lives = i32::from(ram.at(0xEA) & 7);
    now.over = now.lives == 0;
}
