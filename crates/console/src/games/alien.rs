//! Alien: five digits of the score are at 83 to 8B, the lives at C0, and the game ends when none are left.

use super::Standing;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The digit that a byte shows. Each picture of a digit takes eight bytes, and 80 is the empty one.
fn digit(picture: u8) -> i32 {
    if picture == 0x80 { 0 } else { i32::from(picture >> 3) }
}

/// The game.
pub const GAME: Game = Game {
    name: "alien",
    md5: 0xf1a0a23e_6464d954_e3a9579c_4ccd01c8,
    modes: &[0, 1, 2, 3],
    select: Some(Select::at(0x81, 1)),
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let digits = [0x83, 0x85, 0x87, 0x89, 0x8B].map(|address| digit(ram.at(address)));
    now.set_score(10 * digits.iter().fold(0, |number, digit| 10 * number + digit));
    now.lives = i32::from(ram.at(0xC0) & 15);
    now.over = now.lives == 0;
}
