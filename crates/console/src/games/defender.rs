//! Defender: the six digits of the score are at A1 to 9C, the ships at C2, and the game ends when none are left.

use super::Standing;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The digit in the low half of a byte, where 10 is the empty one.
fn digit(byte: u8) -> i32 {
    match byte & 15 {
        10 => 0,
        digit => i32::from(digit),
    }
}

/// The game.
pub const GAME: Game = Game {
    name: "defender",
    md5: 0x0f643c34_e40e3f1d_aafd9c52_4d3ffe64,
    modes: &[1, 2, 3, 4, 5, 6, 7, 8, 9, 16],
    select: Some(Select::at(0x9B, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let digits = [0xA1, 0xA0, 0x9F, 0x9E, 0x9D, 0x9C].map(|address| digit(ram.at(address)));
    now.set_score(digits.iter().fold(0, |number, digit| 10 * number + digit));
    now.lives = i32::from(ram.at(0xC2));
    now.over = now.lives == 0;
}
