//! Entombed: the sections passed are at E3; the game, one life in all, ends when the low bits of C7 are 0.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "entombed",
    md5: 0x6b683be6_9f92958a_be0e2a99_45157ad5,
    opening: &[(Press::Player(Action::Fire), 1), (Press::Player(Action::Noop), 5)],
    difficulties: &[0, 2],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(i32::from(ram.at(0xE3)));
    now.over = ram.at(0xC7) & 3 == 0;
    now.lives = i32::from(!now.over);
}
