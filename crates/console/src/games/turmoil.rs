//! Turmoil: the score in tens is decimal in 0x8A and 0x89, with the last digit in 0xD3; 0xB9 counts the spare lives,
//! and the game ends when none is left and 0xC5 is 1.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "turmoil",
    md5: 0x7a546354_5dfb2dcf_dafa6074_b2f2c15e,
    actions: &[
        Action::Noop,
        Action::Fire,
        Action::Up,
        Action::Right,
        Action::Left,
        Action::Down,
        Action::UpRight,
        Action::UpLeft,
        Action::DownRight,
        Action::DownLeft,
        Action::RightFire,
        Action::LeftFire,
    ],
    opening: &[(Press::Player(Action::Fire), 1)],
    modes: &[0, 1, 2, 3, 4, 5, 6, 7, 8],
    select: Some(Select::at(0xEA, 2)),
    ..Game::ruled_by(START, step)
};

/// The game in 2020.
pub const GAME_2020: Game = Game { modes: &[0], select: None, ..GAME };

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(10 * (ram.decimals(&[0x8A, 0x89]) + i32::from(ram.at(0xD3))));
    now.lives = i32::from(ram.at(0xB9));
    now.over = now.lives == 0 && ram.at(0xC5) == 1;
}
