//! Pitfall!: the score is decimal in 0xD5 to 0xD7, the high digit of 0x80 shows the lives, and the game ends when none
//! is shown and 0x9E is not 0.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "pitfall",
    md5: 0x3e90cf23_106f2e08_b2781e41_299de556,
    opening: &[(Press::Player(Action::Up), 1)],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xD5, 0xD6, 0xD7]));
    let marks = ram.at(0x80) >> 4;
    now.over = marks == 0 && ram.at(0x9E) != 0;
    now.lives = match marks {
        _ if now.over => 0,
        0xA => 3,
        0x8 => 2,
        _ => 1,
    };
}
