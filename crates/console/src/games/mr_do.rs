//! Mr. Do!: the score in tens is decimal in 0x83 and 0x82, 0xDB counts the lives, and 0xDA is 0x40 once the game ends.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "mr_do",
    md5: 0xaa7bb54d_2c189a31_bb1fa200_99e42859,
    scheme: Scheme::F8,
    actions: &[
        Action::Noop,
        Action::Fire,
        Action::Up,
        Action::Right,
        Action::Left,
        Action::Down,
        Action::UpFire,
        Action::RightFire,
        Action::LeftFire,
        Action::DownFire,
    ],
    opening: &[(Press::Player(Action::Fire), 1)],
    modes: &[0, 1, 2, 3],
    select: Some(Select::at(0x80, 5)),
    ..Game::ruled_by(START, step)
};

/// The game in 2020.
pub const GAME_2020: Game = Game { modes: &[0], select: None, ..GAME };

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(10 * ram.decimals(&[0x83, 0x82]));
    now.over = ram.at(0xDA) == 0x40;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0xDB)) };
}
