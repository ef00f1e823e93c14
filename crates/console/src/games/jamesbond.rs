//! James Bond 007: the score is decimal in 0xDE, 0xDD and 0xDC, the low digit of 0x86 counts the spare lives, and the
//! game ends when none is left and 0x8C is 0x68.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "jamesbond",
    md5: 0xe5103025_1e440cff_aab1ac63_438b44ae,
    scheme: Scheme::E0,
    modes: &[0, 1],
    select: Some(Select::when(|ram, mode| [mode, mode + 0x48].contains(&u32::from(ram.at(0x8C))), 20)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(6);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xDE, 0xDD, 0xDC]));
    let spare = i32::from(ram.at(0x86) & 15);
    now.over = spare == 0 && ram.at(0x8C) == 0x68;
    now.lives = if now.over { 0 } else { spare + 1 };
}
