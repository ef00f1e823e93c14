//! Up 'n Down: the score is decimal in 0x80 to 0x82, the low digit of 0x86 counts the spare lives, and the game ends
//! when none is left and 0x94 is above 0x40.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Press};
use crate::ram::Ram;
use crate::tia::Window;

/// The game.
pub const GAME: Game = Game {
    name: "up_n_down",
    md5: 0xa499d720_e7ee35c6_2424de88_2a3351b6,
    scheme: Scheme::F8,
    window: Window { top: 30, ..Window::USUAL },
    actions: &[Action::Noop, Action::Fire, Action::Up, Action::Down, Action::UpFire, Action::DownFire],
    opening: &[(Press::Player(Action::Fire), 1)],
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(5);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x80, 0x81, 0x82]));
    let spare = i32::from(ram.at(0x86) & 15);
    now.over = spare == 0 && ram.at(0x94) > 0x40;
    now.lives = if now.over { 0 } else { spare + 1 };
}
