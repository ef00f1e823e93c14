//! Road Runner: the low halves of 0xC9 to 0xCC hold the digits of the score in hundreds, lowest first; the low bits of
//! 0xC4 count the spare lives, and the game ends when none is left and 0xB9 or 0xBD is not 0.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "road_runner",
    md5: 0xce5cc626_08be2cd3_ed8abd84_4efb8919,
    scheme: Scheme::F6,
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(100 * [0xCC, 0xCB, 0xCA, 0xC9].iter().fold(0, |score, place| 10 * score + digit(ram.at(*place))));
    let spare = i32::from(ram.at(0xC4) & 7);
    now.over = spare == 0 && (ram.at(0xB9) != 0 || ram.at(0xBD) != 0);
    now.lives = if now.over { 0 } else { spare + 1 };
}

/// The digit in a byte's low half, where 10 is a blank.
fn digit(byte: u8) -> i32 {
    match byte & 15 {
        10 => 0,
        digit => i32::from(digit),
    }
}
