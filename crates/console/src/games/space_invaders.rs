//! Space Invaders: the score is decimal in 0xE6 and 0xE8, 0xC9 counts the lives, and the top bit of 0x98 says that the
//! game has ended.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "space_invaders",
    md5: 0x72ffbef6_504b75e6_9ee1045a_f9075f66,
    actions: &[Action::Noop, Action::Fire, Action::Right, Action::Left, Action::RightFire, Action::LeftFire],
    modes: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    select: Some(Select::at(0xDC, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let before = now.score;
    now.set_score(ram.decimals(&[0xE6, 0xE8]));
    // The counter has four digits: a fall means that it has passed 9999.
    if now.score < before {
        now.reward += 10_000;
    }
    let ended = ram.at(0x98) & 0x80 != 0;
    now.lives = if ended { 0 } else { i32::from(ram.at(0xC9)) };
    now.over = now.lives == 0;
}
