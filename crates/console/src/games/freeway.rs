//! Freeway: the score is at E7, 96 turns 1 at the end, and there are no lives.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "freeway",
    md5: 0x8e0ab801_b1705a74_0b476b7f_588c6d16,
    actions: &[Action::Noop, Action::Up, Action::Down],
    modes: &[0, 1, 2, 3, 4, 5, 6, 7],
    select: Some(Select::at(0x80, 1)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimal(0xE7));
    // However much the score has risen, that is one chicken across; a fall of it costs nothing.
    now.reward = now.reward.clamp(0, 1);
    now.over = ram.at(0x96) == 1;
}
