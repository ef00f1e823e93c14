//! Othello: 0xCE and 0xD0 count in decimal the player's and the opponent's discs, and the game ends when 0xC0 has been
//! 0, which is neither side's turn, for more than 50 frames.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The place in `memory` of the frames since a side last had its turn.
const IDLE_FRAMES: usize = 0;

/// The game.
pub const GAME: Game = Game {
    name: "othello",
    md5: 0x113cd09c_9771ac27_8544b7e9_0efe7df2,
    actions: &[
        Action::Noop,
        Action::Fire,
        Action::Up,
        Action::Right,
        Action::Left,
        Action::Down,
        Action::UpRight,
        Action::UpLeft,
        Action::DownRight,
        Action::DownLeft,
    ],
    modes: &[0, 1, 2],
    select: Some(Select::when(|ram, mode| u32::from(ram.at(0xDE)) == mode + 1, 2)),
    difficulties: &[0, 2],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimal(0xCE) - ram.decimal(0xD0));
    now.memory[IDLE_FRAMES] = if ram.at(0xC0) == 0 { now.memory[IDLE_FRAMES] + 1 } else { 0 };
    now.over = now.memory[IDLE_FRAMES] > 50;
    now.lives = if now.over { 0 } else { 1 };
}
