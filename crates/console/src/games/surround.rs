//! Surround: 0xF7 and 0xF6 count in decimal the points of player and opponent; the match ends when either has 10.

use super::Standing;
use crate::action::Action;
use crate::game::{Controllers, Game, Select};
use crate::ram::Ram;

const POINTS_TO_WIN: i32 = 10;

/// The game.
pub const GAME: Game = Game {
    name: "surround",
    md5: 0x4d7517ae_69f95cfb_c053be01_312b7dba,
    controllers: Controllers::StickAtTheRight,
    actions: &[Action::Noop, Action::Up, Action::Right, Action::Left, Action::Down],
    modes: &[0, 2],
    select: Some(Select::when(|ram, mode| u32::from(ram.at(0xF9)) == mode + 1, 2)),
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let (own, other) = (ram.decimal(0xF7), ram.decimal(0xF6));
    now.set_score(own - other);
    now.over = own == POINTS_TO_WIN || other == POINTS_TO_WIN;
    now.lives = if now.over { 0 } else { 1 };
}
