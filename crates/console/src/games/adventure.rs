//! Adventure: the game ends with a point when B9, the room of the chalice, is 12, or without one when E0 is 2.

use super::Standing;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "adventure",
    md5: 0x4b27f539_7c442d25_f0c418cc_dacf1926,
    modes: &[0, 1, 2],
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let brought_home = ram.at(0xB9) == 0x12;
    let eaten = ram.at(0xE0) == 2;
    now.reward = i32::from(brought_home);
    now.score += now.reward;
    now.over = brought_home || eaten;
}
