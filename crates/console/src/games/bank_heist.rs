//! Bank Heist: the score is at D8 to DA, the lives at D5, and the game ends with none left when CE is 1.

use super::Standing;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "bank_heist",
    md5: 0x00ce0bdd_43aed84a_983bef38_fe7f5ee3,
    modes: &[0, 4, 8, 12, 16, 20, 24, 28],
    select: Some(Select::at(0x80, 1)),
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(5);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xD8, 0xD9, 0xDA]));
    now.lives = i32::from(ram.at(0xD5));
    now.over = now.lives == 0 && ram.at(0xCE) == 1;
}
