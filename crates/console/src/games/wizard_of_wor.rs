//! Wizard of Wor: the score in hundreds is decimal in 0x88 and 0x86; the low digit of 0x8D counts the lives while 0xD7
//! is even, and the game ends when none is left and 0xF4 is 0xF8.

use super::Standing;
use crate::action::Action;
use crate::game::{Controllers, Game};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "wizard_of_wor",
    md5: 0x7e8aa18b_c9502eb5_7daaf5e7_c1e94da7,
    controllers: Controllers::StickAtTheRight,
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
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let score = ram.decimals(&[0x88, 0x86]);
    // The top bit of 0x88 belongs to no digit.
    now.set_score(100 * if score >= 8000 { score - 8000 } else { score });
    let lives = i32::from(ram.at(0x8D) & 15);
    now.over = lives == 0 && ram.at(0xF4) == 0xF8;
    if now.over || ram.at(0xD7) & 1 == 0 {
        now.lives = lives;
    }
}
