//! Atlantis: the score is at A1, A3 and A2, the bases left at F1, which turns FF at the end.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "atlantis",
    md5: 0x9ad36e69_9ef6f45d_9eb6c4cf_90475c9f,
    actions: &[Action::Noop, Action::Fire, Action::RightFire, Action::LeftFire],
    modes: &[0, 1, 2, 3],
    select: Some(Select::at(0x8D, 2)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(6);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.over = ram.at(0xF1) == 0xFF;
    if now.over {
        now.reward = 0;
        now.lives = 0;
    } else {
        now.set_score(100 * ram.decimals(&[0xA1, 0xA3, 0xA2]));
        now.lives = i32::from(ram.at(0xF1));
    }
}
