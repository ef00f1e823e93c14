//! Time Pilot: the score in hundreds is decimal in 0x8F and 0x8D; the low bits of 0x8B count the spare lives while the
//! low digit of 0x80 is 2, and 0xA0 is not 0 once the game ends.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "time_pilot",
    md5: 0xfc2104dd_2dadf9a6_176c1c1c_8f87ced9,
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
    difficulties: &[0, 1, 2],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(5);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(100 * ram.decimals(&[0x8F, 0x8D]));
    now.over = ram.at(0xA0) != 0;
    if now.over {
        now.lives = 0;
    } else if ram.at(0x80) & 15 == 2 {
        now.lives = i32::from(ram.at(0x8B) & 7) + 1;
    }
}
