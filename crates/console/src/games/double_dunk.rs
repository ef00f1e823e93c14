//! Double Dunk: the points are at F6 and F7, FE is E7 when a match stops, and there are no lives.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Press};
use crate::ram::Ram;

/// A side with this many points has won.
const POINTS_TO_WIN: i32 = 24;

/// The game.
pub const GAME: Game = Game {
    name: "double_dunk",
    md5: 0x368d88a6_c071caba_60b4f778_615aae94,
    scheme: Scheme::F6,
    opening: &[(Press::Player(Action::UpFire), 1)],
    modes: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let (own, other) = (ram.decimal(0xF6), ram.decimal(0xF7));
    now.set_score(own - other);
    now.over = own.max(other) >= POINTS_TO_WIN && ram.at(0xFE) == 0xE7;
}
