//! Breakout: the score is at CC and CD, the lives at B9, and the game ends when none are left.

use super::Standing;
use crate::action::Action;
use crate::game::{Controllers, Game, Paddles, Select};
use crate::ram::Ram;

/// Where memory keeps whether the game has begun.
const STARTED: usize = 0;

/// The game.
pub const GAME: Game = Game {
    name: "breakout",
    md5: 0xf34f08e5_eb96e500_e851a80b_e3277a56,
    controllers: Controllers::Paddles(Paddles::USUAL),
    actions: &[Action::Noop, Action::Fire, Action::Right, Action::Left],
    modes: &[0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44],
    select: Some(Select::at(0xB2, 1)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(5);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    // Of CC only the low digit counts.
    now.set_score(100 * i32::from(ram.at(0xCC) & 15) + ram.decimal(0xCD));
    now.lives = i32::from(ram.at(0xB9));
    // Until all five lives have been seen, none left means that the game has not begun.
    if now.lives == 5 {
        now.memory[STARTED] = 1;
    }
    now.over = now.memory[STARTED] == 1 && now.lives == 0;
}
