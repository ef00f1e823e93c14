//! Ms. Pac-Man: the score is decimal in 0xFA, 0xF9 and 0xF8, 0xFB counts the spare lives, and the game ends when none
//! is left and 0xA7 is 0x53.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Select};
use crate::ram::Ram;
use crate::tia::{Comb, Window};

/// The game.
pub const GAME: Game = Game {
    name: "ms_pacman",
    md5: 0x87e79cd4_1ce136fd_4f72cc6e_2c161bee,
    scheme: Scheme::F8,
    window: Window { comb: Comb::Hidden, ..Window::USUAL },
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
    select: Some(Select::when(shows, 10)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xFA, 0xF9, 0xF8]));
    now.over = ram.at(0xFB) & 15 == 0 && ram.at(0xA7) == 0x53;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0xFB) & 7) + 1 };
}

/// Whether memory shows a mode: all but the first share a 0 at A1, and the first shares its 1 at 99 with the second.
fn shows(ram: &Ram, mode: u32) -> bool {
    u32::from(ram.at(0x99)) == mode.max(1) && ram.at(0xA1) == u8::from(mode == 0)
}
