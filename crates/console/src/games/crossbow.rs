//! Crossbow: the score is at 8B to 8D, and the game, which counts as one life, ends when E7 is 82.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "crossbow",
    md5: 0x8cd26dcf_249456fe_4aeb8db4_2d49df74,
    scheme: Scheme::F6,
    modes: &[0, 2, 4, 6],
    select: Some(Select::when(|ram, mode| u32::from(ram.at(0x8D)) == mode + 1, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x8B, 0x8C, 0x8D]));
    now.over = ram.at(0xE7) == 0x82;
    now.lives = i32::from(!now.over);
}
