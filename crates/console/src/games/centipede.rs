//! Centipede: the score is at F4 to F6, the lives less one at ED, and a bit of A6 ends the game.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "centipede",
    md5: 0x91c2098e_88a6b13f_977af8c0_03e0bca5,
    scheme: Scheme::F8,
    modes: &[22, 86],
    select: Some(Select::at(0xA7, 2)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xF4, 0xF5, 0xF6]));
    now.reward = now.reward.max(0);
    now.over = ram.at(0xA6) & 0x40 != 0;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0xED) >> 4 & 7) + 1 };
}
