//! Kangaroo: the score in hundreds is decimal in 0xA7 and 0xA8; 0xAD counts the spare lives and is 0xFF once the game
//! ends.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "kangaroo",
    md5: 0x4326edb7_0ff20d0e_e5ba58fa_5cb09d60,
    scheme: Scheme::F8,
    modes: &[0, 1],
    select: Some(Select::when(|ram, mode| u32::from(ram.at(0xBA) & 0x7F) == mode, 2)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(100 * ram.decimals(&[0xA7, 0xA8]));
    now.over = ram.at(0xAD) == 0xFF;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0xAD) & 7) + 1 };
}
