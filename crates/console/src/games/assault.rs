//! Assault: the score is at 80 to 82, the lives at E5, and the game ends when none are left.

use super::Standing;
use crate::action::Action;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "assault",
    md5: 0xde78b3a0_64d37439_0ac0710f_95edde92,
    actions: &[
        Action::Noop,
        Action::Fire,
        Action::Up,
        Action::Right,
        Action::Left,
        Action::RightFire,
        Action::LeftFire,
    ],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x80, 0x81, 0x82]));
    now.lives = i32::from(ram.at(0xE5));
    now.over = now.lives == 0;
}
