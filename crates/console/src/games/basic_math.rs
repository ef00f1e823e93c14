//! Basic Math: the problems solved are at 84, and the game, which counts as one life, ends when 86 is not 0.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "basic_math",
    md5: 0x819aeeb9_a2e11deb_54e6de33_4f843894,
    actions: &[Action::Noop, Action::Fire, Action::Up, Action::Right, Action::Left, Action::Down],
    modes: &[5, 6, 7, 8],
    select: Some(Select::at(0xC5, 2)),
    difficulties: &[0, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimal(0x84));
    now.over = ram.at(0x86) != 0;
    now.lives = i32::from(!now.over);
}
