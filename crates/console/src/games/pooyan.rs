//! Pooyan: the score is decimal in 0x88 to 0x8A, the low bits of 0x96 count the spare lives, and the game ends when
//! none is left and 0x98 is 5.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;
use crate::tia::Window;

/// The game.
pub const GAME: Game = Game {
    name: "pooyan",
    md5: 0x4799a40b_6e889370_b7ee55c1_7ba65141,
    window: Window { top: 26, height: 220, ..Window::USUAL },
    actions: &[Action::Noop, Action::Fire, Action::Up, Action::Down, Action::UpFire, Action::DownFire],
    modes: &[10, 30, 50, 70],
    select: Some(Select::By(|atari, mode| {
        atari.press_select(2);
        atari.select_until(2, |ram| u32::from(ram.at(0xBD)) == mode);
        atari.press_reset();
    })),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x88, 0x89, 0x8A]));
    now.over = ram.at(0x96) == 0 && ram.at(0x98) == 5;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0x96) & 7) + 1 };
}
