//! Gopher: the score is at B0 to B2, each low bit of B4 is a carrot, and the game ends when none are left.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "gopher",
    md5: 0xc16c79aa_d6272baf_fb8aae9a_7fff0864,
    actions: &[
        Action::Noop,
        Action::Fire,
        Action::Up,
        Action::Right,
        Action::Left,
        Action::UpFire,
        Action::RightFire,
        Action::LeftFire,
    ],
    opening: &[(Press::Player(Action::Fire), 1)],
    modes: &[0, 2],
    select: Some(Select::By(|atari, mode| {
        atari.press_reset();
        atari.select_until(5, |ram| u32::from(ram.at(0xD3)) == mode);
        atari.press_reset();
    })),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xB0, 0xB1, 0xB2]));
    now.lives = (ram.at(0xB4) & 7).count_ones() as i32;
    now.over = now.lives == 0;
}
