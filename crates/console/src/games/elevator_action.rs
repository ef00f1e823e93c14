//! Elevator Action: the score is at 87 to 89, the lives at 83, and the game ends with none left when 81 is not 0.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Press};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "elevator_action",
    md5: 0x71f8bacf_bdca0191_13f3f080_1849057e,
    scheme: Scheme::F8WithRam,
    opening: &[(Press::Player(Action::Fire), 16)],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x87, 0x88, 0x89]));
    now.lives = i32::from(ram.at(0x83));
    now.over = now.lives == 0 && ram.at(0x81) != 0;
}
