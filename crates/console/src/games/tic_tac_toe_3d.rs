//! 3-D Tic-Tac-Toe: the 64 cells of the board are 0x9A to 0xD9, and the game ends in a draw when all are taken; the
//! stack in 0xFE and 0xFF shows that a row of four was found, which is the player's if 0xE1 is 8.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "tic_tac_toe_3d",
    md5: 0x0db4f415_0fecf77e_4ce72ca4_d04c052f,
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
    modes: &[0, 1, 2, 3, 4, 5, 6, 7, 8],
    select: Some(Select::at(0x88, 2)),
    difficulties: &[0, 2],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let board_full = (0x9A..=0xD9).all(|cell| ram.at(cell) != 0);
    let row_found = ram.at(0xFE) == 0x10 && ram.at(0xFF) == 0xF3;
    now.reward = match row_found {
        true if ram.at(0xE1) == 8 => 1,
        true => -1,
        false => 0,
    };
    now.score += now.reward;
    now.over = row_found || board_full;
    now.lives = if now.over { 0 } else { 1 };
}
