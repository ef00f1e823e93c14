//! Fishing Derby: the weights caught are at BD and BE, the first with 99 pounds ends the game, and there are no lives.

use super::Standing;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "fishing_derby",
    md5: 0xb8865f05_676e64f3_bec72b9d_efdacfa7,
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimal(0xBD) - ram.decimal(0xBE));
    now.over = ram.at(0xBD) == 0x99 || ram.at(0xBE) == 0x99;
}
