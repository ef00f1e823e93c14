//! Lost Luggage: the score is decimal in 0x94 to 0x96, 0xCA counts the lives, and the game ends when none is left, 0xC8
//! is 10 and both 0xA5 and 0xA9 are 0.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "lost_luggage",
    md5: 0x2d76c5d1_aad50644_2b9e9fb6_7765e051,
    actions: &[
        Action::Noop,
        Action::Up,
        Action::Right,
        Action::Left,
        Action::Down,
        Action::UpRight,
        Action::UpLeft,
        Action::DownRight,
        Action::DownLeft,
    ],
    illegal: &Action::FIRING,
    opening: &[(Press::Player(Action::Fire), 1)],
    modes: &[0, 1],
    select: Some(Select::when(|ram, mode| u32::from(ram.at(0x94)) == 1 + 3 * mode, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// The game in 2020.
pub const GAME_2020: Game =
    Game { modes: &[0], select: None, difficulties: &[0], opening: &[(Press::Reset, 1)], ..GAME };

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x94, 0x95, 0x96]));
    now.lives = i32::from(ram.at(0xCA));
    now.over = now.lives == 0 && ram.at(0xC8) == 10 && ram.at(0xA5) == 0 && ram.at(0xA9) == 0;
}
