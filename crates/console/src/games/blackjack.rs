//! Blackjack: the chips are at 86 and 89, and the game, which counts as one life, ends at a thousand or none.

use super::Standing;
use crate::action::Action;
use crate::game::{Controllers, Game, Paddles};
use crate::ram::Ram;

/// What stands in place of the chips when the player has none.
const BROKE: [u8; 2] = [0x0B, 0xBB];

/// The game.
pub const GAME: Game = Game {
    name: "blackjack",
    md5: 0x0a981c03_204ac2b2_78ba3926_74682560,
    controllers: Controllers::Paddles(Paddles { largest: 795_000, ..Paddles::USUAL }),
    actions: &[Action::Noop, Action::Fire, Action::Up, Action::Down],
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let broke = [ram.at(0x86), ram.at(0x89)] == BROKE;
    now.set_score(if broke { 0 } else { ram.decimals(&[0x86, 0x89]) });
    now.over = broke || now.score >= 1000;
    now.lives = i32::from(!now.over);
}
