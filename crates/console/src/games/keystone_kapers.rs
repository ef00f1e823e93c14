//! Keystone Kapers: the score is decimal in 0x9B and 0x9C, 0x96 counts the lives, and the game ends when none is left
//! and 0x88 is 0.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "keystone_kapers",
    md5: 0x6c1f3f2e_359dbf55_df462ccb_cdd2f6bf,
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
        Action::UpFire,
        Action::RightFire,
        Action::LeftFire,
        Action::DownFire,
    ],
    opening: &[(Press::Reset, 1)],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x9B, 0x9C]));
    now.lives = i32::from(ram.at(0x96));
    now.over = now.lives == 0 && ram.at(0x88) == 0;
}
