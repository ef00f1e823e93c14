//! Superman: the game ends when the hero enters the telephone booth after his work is done, which 0x80, 0x81 and a bit
//! of 0x9F show, and scores what is left of an hour and forty minutes by the clock in 0xE3 (minutes) and 0xE2
//! (seconds).

use super::Standing;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "superman",
    md5: 0xa9531c76_30774643_07086ec9_a1fd057d,
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.over = ram.at(0x80) == 0xAC && ram.at(0x81) == 0xF2 && ram.at(0x9F) & 0x40 != 0;
    if now.over {
        now.set_score(5999 - (60 * ram.decimal(0xE3) + ram.decimal(0xE2)));
        now.lives = 0;
    } else {
        now.reward = 0;
    }
}
