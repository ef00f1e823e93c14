//! Human Cannonball: B6 counts hits and B7 misses, and the seventh of either ends the game, which counts as one life.

use super::Standing;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "human_cannonball",
    md5: 0x7972e510_1fa548b9_52d852db_24ad6060,
    modes: &[0, 1, 2, 3, 4, 5, 6, 7],
    select: Some(Select::when(|ram, mode| u32::from(ram.at(0xB6)) == mode + 1 && ram.at(0xB7) == 1, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimal(0xB6));
    now.over = ram.at(0xB6) == 7 || ram.at(0xB7) == 7;
    now.lives = i32::from(!now.over);
}
