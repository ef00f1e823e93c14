//! Galaxian: the score is at AC to AE, the lives less one at B9, and the high bit of BF ends the game.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "galaxian",
    md5: 0x211774f4_c5739042_618be8ff_67351177,
    scheme: Scheme::F8,
    actions: &[Action::Noop, Action::Fire, Action::Right, Action::Left, Action::RightFire, Action::LeftFire],
    modes: &[1, 2, 3, 4, 5, 6, 7, 8, 9],
    select: Some(Select::at(0xB3, 1)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xAC, 0xAD, 0xAE]));
    // A score that falls has passed its last digit.
    if now.reward < 0 {
        now.reward += 1_000_000;
    }
    now.over = ram.at(0xBF) & 0x80 != 0;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0xB9)) + 1 };
}
