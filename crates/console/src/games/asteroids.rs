//! Asteroids: the score is at BD and BE, the lives in the high digit of BC, and the game ends when none are left.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Select};
use crate::ram::Ram;
use crate::tia::{Comb, Window};

/// The game.
pub const GAME: Game = Game {
    name: "asteroids",
    md5: 0xccbd3674_6ed45258_21a8083b_0d6d2c2c,
    scheme: Scheme::F8,
    window: Window { comb: Comb::Hidden, ..Window::USUAL },
    actions: &[
        Action::Noop,
        Action::Fire,
        Action::Up,
        Action::Right,
        Action::Left,
        Action::Down,
        Action::UpRight,
        Action::UpLeft,
        Action::UpFire,
        Action::RightFire,
        Action::LeftFire,
        Action::DownFire,
        Action::UpRightFire,
        Action::UpLeftFire,
    ],
    modes: &[
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
        30, 31, 128,
    ],
    select: Some(Select::at(0x80, 2)),
    difficulties: &[0, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(10 * ram.decimals(&[0xBD, 0xBE]));
    // A score that falls has passed its last digit.
    if now.reward < 0 {
        now.reward += 100_000;
    }
    now.lives = i32::from(ram.at(0xBC) >> 4);
    now.over = now.lives == 0;
}
