//! Beamrider: the score is at 8B to 89, the lives less one at 85, which turns FF at the end.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Press};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "beam_rider",
    md5: 0x79ab4123_a83dc11d_468fb210_8ea09e2e,
    scheme: Scheme::F8,
    actions: &[
        Action::Noop,
        Action::Fire,
        Action::Up,
        Action::Right,
        Action::Left,
        Action::UpRight,
        Action::UpLeft,
        Action::RightFire,
        Action::LeftFire,
    ],
    opening: &[(Press::Player(Action::Right), 1)],
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x8B, 0x8A, 0x89]));
    now.over = ram.at(0x85) == 0xFF;
    let shown = i32::from(ram.at(0x85).wrapping_add(1));
    // A life is lost only once 8C turns 1.
    if shown != now.lives - 1 || ram.at(0x8C) == 1 || now.over {
        now.lives = shown;
    }
}
