//! Backgammon: the board is at 80 to 9B, and the game, which counts as one life, ends when a side has left it.

use super::Standing;
use crate::action::Action;
use crate::game::{Controllers, Game, Paddles, Select};
use crate::ram::Ram;

/// Men of each side.
const MEN: i8 = 15;

/// Where the men that have left the board are counted: below zero, as on the board, those of the one side.
const NEGATIVE_OFF: u8 = 0x80;
const POSITIVE_OFF: u8 = 0x8E;

/// The game.
pub const GAME: Game = Game {
    name: "backgammon",
    md5: 0x8556b42a_a05f94bc_29ff39c3_9b11bff4,
    controllers: Controllers::Paddles(Paddles { largest: 1_000_000, ..Paddles::USUAL }),
    actions: &[Action::Fire, Action::Right, Action::Left],
    select: Some(Select::when(|ram, _| ram.at(0xDC) == 3, 1)),
    difficulties: &[3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    // While men move, some are missing.
    let complete = men(ram, -1, NEGATIVE_OFF) == -MEN && men(ram, 1, POSITIVE_OFF) == MEN;
    let won = complete && ram.at(NEGATIVE_OFF) as i8 == -MEN;
    let lost = complete && ram.at(POSITIVE_OFF) as i8 == MEN;
    now.reward = if won { 1 } else { -i32::from(lost) };
    now.score += now.reward;
    now.over = won || lost;
    now.lives = i32::from(!now.over);
}

/// The men of one side, on the points and off the board.
fn men(ram: &Ram, sign: i8, off: u8) -> i8 {
    (0x80..=0x9B)
        .filter(|address| ![NEGATIVE_OFF, POSITIVE_OFF].contains(address))
        .map(|address| ram.at(address) as i8)
        .filter(|men| men.signum() == sign)
        .fold(ram.at(off) as i8, i8::wrapping_add)
}
