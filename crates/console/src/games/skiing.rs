//! Skiing: the run's time is in 0xE8 (minutes) and decimal in 0xE9 (seconds) and 0xEA (hundredths), and every hundredth
//! costs a point; 0x91 is 0xFF once the run ends.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "skiing",
    md5: 0xb76fbadc_8ffb1f83_e2ca08b6_fb4d6c9f,
    actions: &[Action::Noop, Action::Right, Action::Left],
    illegal: &Action::FIRING,
    opening: &[(Press::Player(Action::Down), 16)],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(-(6000 * i32::from(ram.at(0xE8)) + ram.decimals(&[0xE9, 0xEA])));
    now.over = ram.at(0x91) == 0xFF;
}
