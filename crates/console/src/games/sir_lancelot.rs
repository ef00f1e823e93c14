//! Sir Lancelot: the score is decimal in 0x9E to 0xA0, 0xA9 counts the lives, and the game ends when none is left and
//! 0xA7 is 0xA0.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Press};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "sir_lancelot",
    md5: 0xdd0cbe53_51551a53_8414fb9e_37fc56e8,
    scheme: Scheme::F8,
    actions: &[Action::Noop, Action::Fire, Action::Right, Action::Left, Action::RightFire, Action::LeftFire],
    opening: &[(Press::Reset, 1), (Press::Player(Action::Left), 1)],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x9E, 0x9F, 0xA0]));
    now.lives = i32::from(ram.at(0xA9));
    now.over = now.lives == 0 && ram.at(0xA7) == 0xA0;
}
