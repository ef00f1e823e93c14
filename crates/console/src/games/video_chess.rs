//! Video Chess: the game ends when 0xE1 is 0x82 and 0xEE is 0 or 1, which is a point for or against the player.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "video_chess",
    md5: 0xf0b7db93_0ca0e548_c41a9716_0b9f6275,
    actions: &[
        Action::Noop,
        Action::Fire,
        Action::Up,
        Action::Right,
        Action::Left,
        Action::Down,
        Action::UpRight,
        Action::UpLeft,
        Action::DownRight,
        Action::DownLeft,
    ],
    modes: &[0, 1, 2, 3, 4],
    select: Some(Select::at(0xEA, 1)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.reward = match (ram.at(0xE1), ram.at(0xEE)) {
        (0x82, 0) => 1,
        (0x82, 1) => -1,
        _ => 0,
    };
    now.score += now.reward;
    now.over = now.reward != 0;
    now.lives = if now.over { 0 } else { 1 };
}
