//! Crazy Climber: four digits of the score are at 85 to 82, the lives at AA, and the game ends when none are left.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "crazy_climber",
    md5: 0x55ef7b65_06642836_7844342e_d59f956c,
    scheme: Scheme::F8,
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
    modes: &[0, 1, 2, 3],
    select: Some(Select::at(0x80, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(5);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let digits = [0x85, 0x84, 0x83, 0x82].map(|address| i32::from(ram.at(address)));
    now.set_score(100 * digits.iter().fold(0, |number, digit| 10 * number + digit));
    now.reward = now.reward.max(0);
    now.lives = i32::from(ram.at(0xAA));
    now.over = now.lives == 0;
}
