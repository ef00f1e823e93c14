//! Video Checkers: the squares of the board are 0x80 to 0xA2 apart from three bytes between rows; whoever has no piece
//! left has lost, or has won in the modes from 11 on: a point for one, which the other loses.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// Where memory holds the dark squares: every other row leaves out a byte.
const SQUARES: [u8; 32] = [
    0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x89, 0x8A, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x92, 0x93, 0x94,
    0x95, 0x96, 0x97, 0x98, 0x99, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
];

/// The first of the modes in which whoever has no piece left has won.
const GIVEAWAY: u32 = 11;

/// The game.
pub const GAME: Game = Game {
    name: "video_checkers",
    md5: 0x539d26b6_e9df0da8_e7465f0f_5ad863b7,
    actions: &[Action::Fire, Action::UpRight, Action::UpLeft, Action::DownRight, Action::DownLeft],
    modes: &[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19],
    select: Some(Select::when(|ram, mode| ram.decimal(0xF6) == mode as i32, 1)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let own = SQUARES.iter().any(|square| matches!(ram.at(*square), 0x10 | 0x20));
    let other = SQUARES.iter().any(|square| matches!(ram.at(*square), 0x90 | 0xA0));
    let reward = match (own, other) {
        (true, true) => 0,
        (true, false) => 1,
        (false, _) => -1,
    };
    now.reward = if now.mode >= GIVEAWAY { -reward } else { reward };
    now.score += now.reward;
    now.over = now.reward != 0;
    now.lives = if now.over { 0 } else { 1 };
}
