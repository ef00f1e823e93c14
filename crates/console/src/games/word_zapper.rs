//! Word Zapper: 0xDC counts the words to go, which are what the player owes; the game ends when it falls below 0 or the
//! time in 0xDE is 0. All this holds only while 0xCF is not 0.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "word_zapper",
    md5: 0xec3beb6d_8b5689e8_67bafb5d_5f507491,
    opening: &[(Press::Player(Action::Noop), 486), (Press::Player(Action::Fire), 1), (Press::Player(Action::Noop), 2)],
    modes: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23],
    select: Some(Select::at(0xDB, 2)),
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing { score: -2, ..Standing::with_lives(1) };

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    if ram.at(0xCF) == 0 {
        // The reward of the frame before stands, whatever it was.
        return;
    }
    let words = ram.at(0xDC) as i8;
    now.set_score(-i32::from(words));
    now.over = words == -1 || ram.at(0xDE) == 0;
    now.lives = if now.over { 0 } else { 1 };
}
