//! Tutankham: the score is decimal in 0x9A and 0x9C; the low bits of 0x9E count the lives, and the game ends when 0x9E
//! is 0, unless 0x81 is 0x84.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "tutankham",
    md5: 0x085322ba_e40d904f_53bdcc56_df0593fc,
    scheme: Scheme::E0,
    actions: &[
        Action::Noop,
        Action::Up,
        Action::Right,
        Action::Left,
        Action::Down,
        Action::UpFire,
        Action::RightFire,
        Action::LeftFire,
    ],
    modes: &[0, 4, 8, 12],
    select: Some(Select::at(0xAB, 2)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x9A, 0x9C]));
    now.lives = i32::from(ram.at(0x9E) & 3);
    now.over = ram.at(0x9E) == 0 && ram.at(0x81) != 0x84;
}
