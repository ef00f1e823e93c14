//! Donkey Kong: the score is at 87 and 88, the lives at A3, and 8F and 8B tell that the last one is lost.

use super::Standing;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game =
    Game { name: "donkey_kong", md5: 0x36b20c42_7975760c_b9cf4a47_e41369e4, ..Game::ruled_by(START, step) };

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(2);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(100 * ram.decimals(&[0x87, 0x88]));
    now.lives = i32::from(ram.at(0xA3));
    now.over = now.lives == 0 && ram.at(0x8F) == 3 && ram.at(0x8B) == 0x1F;
}
