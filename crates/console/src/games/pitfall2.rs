//! Pitfall II: the score is decimal in 0xC7 to 0xC9; the game never ends.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Press};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "pitfall2",
    md5: 0x6d842c96_d5a01967_be968008_0dd5be54,
    scheme: Scheme::Dpc,
    opening: &[(Press::Player(Action::Up), 1)],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xC7, 0xC8, 0xC9]));
}
