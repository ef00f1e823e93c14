//! Video Pinball: the score is decimal in 0xB4, 0xB2 and 0xB0; 0x99 counts the balls used, the low bit of 0xA8 is an
//! extra ball, and the low bit of 0xAF says that the game has ended.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "video_pinball",
    md5: 0x107cc025_334211e6_d29da0b6_be46aec7,
    actions: &[
        Action::Noop,
        Action::Fire,
        Action::Up,
        Action::Right,
        Action::Left,
        Action::Down,
        Action::UpFire,
        Action::RightFire,
        Action::LeftFire,
    ],
    modes: &[0, 2],
    select: Some(Select::at(0xC1, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xB4, 0xB2, 0xB0]));
    now.over = ram.at(0xAF) & 1 != 0;
    now.lives = if now.over { 0 } else { 4 + i32::from(ram.at(0xA8) & 1) - i32::from(ram.at(0x99) & 7) };
}
