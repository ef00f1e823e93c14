//! Yars' Revenge: the score is decimal in 0xE0 to 0xE2, and the high digit of 0x9E counts the lives, with none at the
//! end.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "yars_revenge",
    md5: 0xc5930d0e_8cdae3e0_37349bfa_08e871be,
    opening: &[(Press::Player(Action::Fire), 1)],
    modes: &[0, 32, 64, 96],
    select: Some(Select::By(|atari, mode| {
        atari.press_select(2);
        atari.select_until(1, |ram| u32::from(ram.at(0xE3)) == mode);
        atari.press_reset();
    })),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xE0, 0xE1, 0xE2]));
    now.lives = i32::from(ram.at(0x9E) >> 4);
    now.over = now.lives == 0;
}
