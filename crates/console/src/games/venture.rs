//! Venture: the score in hundreds is decimal in 0xC7 and 0xC8, the low bits of 0xC6 count the spare lives, and the game
//! ends when 0xC6 is 0, 0xCD is 0xFF and the top bit of 0xBF is set.

use super::Standing;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "venture",
    md5: 0x3e899eba_0ca8cd29_72da1ae5_479b4f0d,
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(100 * ram.decimals(&[0xC7, 0xC8]));
    now.over = ram.at(0xC6) == 0 && ram.at(0xCD) == 0xFF && ram.at(0xBF) & 0x80 != 0;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0xC6) & 7) + 1 };
}
