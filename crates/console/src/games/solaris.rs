//! Solaris: the score in tens is decimal in 0xDE, 0xDD and 0xDC; the low digit of 0xD9 counts the lives, and the game
//! ends when 0xD9 is 0.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "solaris",
    md5: 0xe72eb8d4_410152bd_cb69e7fb_a327b420,
    scheme: Scheme::F6,
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(10 * ram.decimals(&[0xDE, 0xDD, 0xDC]));
    now.lives = i32::from(ram.at(0xD9) & 15);
    now.over = ram.at(0xD9) == 0;
}
