//! Space War: 0xA7 counts the points in decimal; the game ends at 10 of them or when the time in 0x80 is 0.

use super::Standing;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "space_war",
    md5: 0xb702641d_698c60bc_dc922dbd_8c9dd49c,
    modes: &[6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
    select: Some(Select::when(|ram, mode| ram.decimal(0xA7) == mode as i32, 2)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimal(0xA7));
    now.over = now.score == 10 || ram.at(0x80) == 0;
    now.lives = if now.over { 0 } else { 1 };
}
