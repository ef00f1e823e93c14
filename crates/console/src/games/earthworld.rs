//! Swordquest Earthworld: A7 counts the clues found, and the tenth ends the game, which counts as one life.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "earthworld",
    md5: 0x5aea9974_b975a6a8_44e6df10_d2b861c4,
    scheme: Scheme::F8,
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimal(0xA7));
    now.over = now.score == 10;
    now.lives = i32::from(!now.over);
}
