//! Flag Capture: the score is at EA, the clock at EB, and the game, which counts as one life, ends at 0.

use super::Standing;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "flag_capture",
    md5: 0x30512e0e_83903fc0_5541d2f6_a6a62654,
    modes: &[8, 9, 10],
    select: Some(Select::at(0xD6, 2)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimal(0xEA));
    now.over = ram.at(0xEB) == 0;
    now.lives = i32::from(!now.over);
}
