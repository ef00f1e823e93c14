//! Amidar: the score is at DB to D9, the lives in the low digit of D6, which is 80 at the end.

use super::Standing;
use crate::action::Action;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "amidar",
    md5: 0xacb7750b_4d0c4bd3_4969802a_7deb2990,
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
    difficulties: &[0, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xDB, 0xDA, 0xD9]));
    now.lives = i32::from(ram.at(0xD6) & 15);
    now.over = ram.at(0xD6) == 0x80;
}
