//! Enduro: the day is at AD, the cars still to pass at AC and AB, AF turns FF at the end, and there are no lives.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "enduro",
    md5: 0x94b92a88_2f6dbaa6_993a46e2_dcc58402,
    actions: &[
        Action::Noop,
        Action::Fire,
        Action::Right,
        Action::Left,
        Action::Down,
        Action::DownRight,
        Action::DownLeft,
        Action::RightFire,
        Action::LeftFire,
    ],
    opening: &[(Press::Player(Action::Fire), 1)],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let day = i32::from(ram.at(0xAD));
    // The first day asks for 200 cars, each later one for 300.
    let asked = 200 + 300 * (day - 1);
    now.set_score(if day == 0 { 0 } else { asked - ram.decimals(&[0xAC, 0xAB]) });
    now.over = ram.at(0xAF) == 0xFF;
}
