//! Gravitar: the score is at 87 to 89, the lives less one at 84, and 81 is 0 before the game and 1 after it.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "gravitar",
    md5: 0x8ac18076_d01a6b63_acf6e2ca_b4968940,
    scheme: Scheme::F8,
    opening: &[(Press::Player(Action::Fire), 16)],
    modes: &[0, 1, 2, 3, 4],
    select: Some(Select::at(0x80, 10)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(6);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x87, 0x88, 0x89]));
    now.over = ram.at(0x81) == 1;
    now.lives = match ram.at(0x81) {
        0 => 6,
        1 => 0,
        _ => i32::from(ram.at(0x84)) + 1,
    };
}
