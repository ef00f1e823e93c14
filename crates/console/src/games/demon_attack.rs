//! Demon Attack: the score is at 81, 83 and 85, the spare bunkers at F2, and F1 is BD at the end.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// What stands in place of the score before the game.
const BLANK: [u8; 3] = [0xAB, 0xCD, 0xEA];

/// The game.
pub const GAME: Game = Game {
    name: "demon_attack",
    md5: 0xf0e0addc_07971561_ab80d9ab_e1b8d333,
    actions: &[Action::Noop, Action::Fire, Action::Right, Action::Left, Action::RightFire, Action::LeftFire],
    modes: &[1, 3, 5, 7],
    select: Some(Select::at(0xEA, 1)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let shown = [ram.at(0x81), ram.at(0x83), ram.at(0x85)];
    now.set_score(if shown == BLANK { 0 } else { ram.decimals(&[0x81, 0x83, 0x85]) });
    now.over = ram.at(0xF2) == 0 && ram.at(0xF1) == 0xBD;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0xF2)) + 1 };
}
