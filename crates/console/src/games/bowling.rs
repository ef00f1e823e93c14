//! Bowling: the score is at A6 and A1, the frame at A4, which passes 10 at the end, and there are no lives.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "bowling",
    md5: 0xc9b7afad_3bfd922e_006a6bfc_1d4f3fe7,
    actions: &[Action::Noop, Action::Fire, Action::Up, Action::Down, Action::UpFire, Action::DownFire],
    modes: &[0, 2, 4],
    select: Some(Select::at(0x82, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xA6, 0xA1]));
    now.over = ram.at(0xA4) > 0x10;
}
