//! Haunted House: each change of the number at 82 costs a point, 99 is 44 at the escape, and the lives are at 96.

use super::Standing;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// Where memory keeps the number at 82.
const MATCHES: usize = 0;

/// The game.
pub const GAME: Game = Game {
    name: "haunted_house",
    md5: 0xf0a6e99f_58758912_46c3dbec_bf2d2cea,
    modes: &[0, 1, 2, 3, 4, 5, 6, 7, 8],
    select: Some(Select::at(0xCC, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(9);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let matches = ram.decimal(0x82);
    now.reward = -i32::from(matches != now.memory[MATCHES]);
    now.memory[MATCHES] = matches;
    let escaped = ram.at(0x99) == 0x44;
    if escaped {
        now.reward += 100;
    }
    now.score += now.reward;
    now.lives = if escaped { 0 } else { i32::from(ram.at(0x96)) };
    now.over = now.lives == 0;
}
