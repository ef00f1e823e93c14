//! Montezuma's Revenge: the score is decimal in 0x93 to 0x95, the low bits of 0xBA count the spare lives, and the game
//! ends when none is left and 0xFE says that the player is lost.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "montezuma_revenge",
    md5: 0x3347a6dd_59049b15_a38394aa_2dafa585,
    scheme: Scheme::E0,
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(6);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x93, 0x94, 0x95]));
    now.over = ram.at(0xBA) == 0 && ram.at(0xFE) == 0x60;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0xBA) & 7) + 1 };
}
