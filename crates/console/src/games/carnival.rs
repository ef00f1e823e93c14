//! Carnival: the score is at AD and AE, the bullets at 83, and the game ends when none are left.

use super::Standing;
use crate::action::Action;
use crate::game::Game;
use crate::ram::Ram;
use crate::tia::Window;

/// The game.
pub const GAME: Game = Game {
    name: "carnival",
    md5: 0x028024fb_8e5e5f18_ea586652_f9799c96,
    window: Window { top: 26, height: 214, ..Window::USUAL },
    actions: &[Action::Noop, Action::Fire, Action::Right, Action::Left, Action::RightFire, Action::LeftFire],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(10 * ram.decimals(&[0xAD, 0xAE]));
    now.over = ram.at(0x83) == 0;
}
