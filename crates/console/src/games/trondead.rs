//! TRON: Deadly Discs: the score is decimal in 0xBD to 0xBF, and 0xC8 counts the hits taken, of which the fifth ends
//! the game.

use super::Standing;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "trondead",
    md5: 0xfb27afe8_96e7c928_089307b3_2e5642ee,
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// The game in 2020.
pub const GAME_2020: Game = Game { difficulties: &[0], ..GAME };

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(5);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xBD, 0xBE, 0xBF]));
    now.lives = 5 - i32::from(ram.at(0xC8));
    now.over = now.lives == 0;
}
