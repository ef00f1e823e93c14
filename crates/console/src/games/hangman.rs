//! Hangman: EB counts words found and EC words missed; the first of either, or the clock at F1, ends the one life.

use super::Standing;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// Where memory keeps the byte at F1.
const CLOCK: usize = 0;

/// The game.
pub const GAME: Game = Game {
    name: "hangman",
    md5: 0xf16c709d_f0a6c52f_47ff52b9_d95b7d8d,
    modes: &[0, 1, 2, 3],
    select: Some(Select::at(0xEE, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimal(0xEB) - ram.decimal(0xEC));
    let clock = i32::from(ram.at(0xF1));
    let time_is_up = now.memory[CLOCK] == 0xFF && clock == 0;
    now.memory[CLOCK] = clock;
    now.over = now.reward != 0 || time_is_up;
    now.lives = i32::from(!now.over);
}
