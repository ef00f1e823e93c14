//! Mario Bros.: the score in hundreds is decimal in 0x89 and 0x8A, and 0x87 counts the lives, with none at the end.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "mario_bros",
    md5: 0xe908611d_99890733_be31733a_979c62d8,
    scheme: Scheme::F8,
    opening: &[(Press::Player(Action::Noop), 10), (Press::Player(Action::Fire), 7)],
    modes: &[0, 2, 4, 6],
    select: Some(Select::at(0x80, 5)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(5);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(100 * ram.decimals(&[0x89, 0x8A]));
    now.lives = i32::from(ram.at(0x87));
    now.over = now.lives == 0;
}
