//! Tetris: the score is decimal in 0xF2 and 0xF1, and the top bit of 0xF3 says that the game has ended.

use super::Standing;
use crate::action::Action;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "tetris",
    md5: 0xb0e1ee07_fbc73493_eac5651a_52f90f00,
    actions: &[Action::Noop, Action::Fire, Action::Right, Action::Left, Action::Down],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xF2, 0xF1]));
    // The score can only grow: a fall is a new count.
    now.reward = now.reward.max(0);
    now.over = ram.at(0xF3) & 0x80 != 0;
}
