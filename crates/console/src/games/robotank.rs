//! Robot Tank: 0xB6 counts destroyed squadrons of twelve and 0xB5 the tanks beyond them; the low digit of 0xA8 counts
//! the spare tanks, and the game ends when 0xA8 is 0 and 0xB4 is 0xFF.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "robotank",
    md5: 0x4f618c24_29138e02_80969193_ed6c107e,
    scheme: Scheme::Fe,
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(12 * i32::from(ram.at(0xB6)) + i32::from(ram.at(0xB5)));
    now.over = ram.at(0xA8) == 0 && ram.at(0xB4) == 0xFF;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0xA8) & 15) + 1 };
}
