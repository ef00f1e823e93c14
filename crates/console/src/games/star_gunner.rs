//! Stargunner: the low halves of 0x83 to 0x86 hold the digits of the score in hundreds, lowest first; 0x87 counts the
//! lives once it has shown the five that a game begins with, and the game ends when it is 0.

use super::Standing;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The place in `memory` of 1 once all lives have been seen.
const STARTED: usize = 0;

/// The game.
pub const GAME: Game = Game {
    name: "star_gunner",
    md5: 0xa3c1c700_24d7aabb_41381adb_fb6d3b25,
    modes: &[0, 1, 2, 3],
    select: Some(Select::at(0xF4, 15)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(5);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(100 * [0x86, 0x85, 0x84, 0x83].iter().fold(0, |score, place| 10 * score + digit(ram.at(*place))));
    let lives = ram.at(0x87);
    now.over = lives == 0;
    if lives == 5 {
        now.memory[STARTED] = 1;
    }
    now.lives = if now.over || now.memory[STARTED] == 1 { i32::from(lives & 15) } else { 5 };
}

/// The digit in a byte's low half, where 10 is a blank.
fn digit(byte: u8) -> i32 {
    match byte & 15 {
        10 => 0,
        digit => i32::from(digit),
    }
}
