//! H.E.R.O.: the score is at B7 to B9, the lives at B3, and the game ends when none are left.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "hero",
    md5: 0xfca4a5be_12519270_27f2c247_74a02160,
    scheme: Scheme::F8,
    modes: &[0, 1, 2, 3, 4],
    select: Some(Select::at(0x80, 1)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xB7, 0xB8, 0xB9]));
    now.lives = i32::from(ram.at(0xB3));
    now.over = now.lives == 0;
}
