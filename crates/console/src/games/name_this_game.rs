//! Name This Game: the score is decimal in 0xC4 to 0xC6, and the low bits of 0xC7 count the lives, with none at the
//! end.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "name_this_game",
    md5: 0x36306070_f0c90a72_461551a7_a4f3a209,
    actions: &[Action::Noop, Action::Fire, Action::Right, Action::Left, Action::RightFire, Action::LeftFire],
    modes: &[8, 24, 40],
    select: Some(Select::at(0xDE, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xC4, 0xC5, 0xC6]));
    now.lives = i32::from(ram.at(0xC7) & 7);
    now.over = now.lives == 0;
}
