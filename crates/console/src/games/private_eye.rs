//! Private Eye: the score is decimal in 0xC8 to 0xCA, and the game ends when 0xC2 is neither 0 nor 1.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "private_eye",
    md5: 0xef3a4f64_b6494ba7_70862768_caf04b86,
    scheme: Scheme::F8,
    opening: &[(Press::Player(Action::Up), 1)],
    modes: &[0, 1, 2, 3, 4],
    select: Some(Select::at(0x80, 2)),
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xC8, 0xC9, 0xCA]));
    now.over = ram.at(0xC2) > 1;
}
