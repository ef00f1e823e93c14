//! Seaquest: the score is decimal in 0xB8 to 0xBA, 0xBB counts the spare lives, and 0xA3 is not 0 once the game ends.

use super::Standing;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "seaquest",
    md5: 0x240bfbac_5163af4d_f5ae7139_85386f92,
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xB8, 0xB9, 0xBA]));
    now.over = ram.at(0xA3) != 0;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0xBB)) + 1 };
}
