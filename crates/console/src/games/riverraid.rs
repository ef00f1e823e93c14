//! River Raid: every second byte from 0xCD to 0xD7 holds a digit of the score times 8, and 0xC0 counts the spare lives
//! in eights, apart from two values around the end.

use super::Standing;
use crate::game::Game;
use crate::ram::Ram;

/// What 0xC0 holds before a game begins and after it ends.
const BEFORE_A_GAME: u8 = 0x58;

/// What 0xC0 holds when no spare life is left.
const LAST_LIFE: u8 = 0x59;

/// The place in `memory` of 0xC0 in the frame before.
const SPARE: usize = 0;

/// The game.
pub const GAME: Game = Game {
    name: "riverraid",
    md5: 0x39394843_6d1f4cc3_192410bb_918f9724,
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(
        [0xCD, 0xCF, 0xD1, 0xD3, 0xD5, 0xD7].iter().fold(0, |score, place| 10 * score + digit(ram.at(*place))),
    );
    let spare = ram.at(0xC0);
    let before = now.memory[SPARE];
    now.memory[SPARE] = i32::from(spare);
    now.over = spare == BEFORE_A_GAME && before == i32::from(LAST_LIFE);
    now.lives = match spare {
        _ if now.over => 0,
        BEFORE_A_GAME => 4,
        LAST_LIFE => 1,
        _ => i32::from(spare / 8) + 1,
    };
}

/// The digit that a byte shows: 0 for those that show none.
fn digit(byte: u8) -> i32 {
    if byte.is_multiple_of(8) && byte <= 72 { i32::from(byte / 8) } else { 0 }
}
