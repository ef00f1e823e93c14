//! Kaboom!: the score is decimal in 0xA3 to 0xA5, and 0xA1 is 0 once the game ends.

use super::Standing;
use crate::action::Action;
use crate::game::{Controllers, Game, Paddles, Press};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "kaboom",
    md5: 0x5428cdfa_da281c56_9c74c730_8c7f2c26,
    controllers: Controllers::Paddles(Paddles::USUAL),
    actions: &[Action::Noop, Action::Fire, Action::Right, Action::Left],
    opening: &[(Press::Player(Action::Fire), 1)],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xA3, 0xA4, 0xA5]));
    now.over = ram.at(0xA1) == 0;
    now.lives = if now.over { 0 } else { 1 };
}
