//! Pac-Man: the score is decimal in 0xD0, 0xCE and 0xCC, 0x98 counts the spare lives, and the game ends when none is
//! left and 0xE4 is 0x3F.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "pacman",
    md5: 0xfc2233fc_116faef0_d3c31541_717ca2db,
    actions: &[Action::Noop, Action::Up, Action::Right, Action::Left, Action::Down],
    modes: &[0, 1, 2, 3, 4, 5, 6, 7],
    select: Some(Select::when(|ram, mode| u32::from(ram.at(0xCC)) == mode + 1 && ram.at(0xE6) == 0, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xD0, 0xCE, 0xCC]));
    now.over = ram.at(0x98) == 0 && ram.at(0xE4) == 0x3F;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0x98)) + 1 };
}
