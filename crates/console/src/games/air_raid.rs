//! Air Raid: the score is at A8 to AA, and A7 turns FF at the end, until which the game counts as one life.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Press, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "air_raid",
    md5: 0x35be5542_6c1fec32_dfb503b4_f0651572,
    actions: &[Action::Noop, Action::Fire, Action::Right, Action::Left, Action::RightFire, Action::LeftFire],
    opening: &[(Press::Player(Action::Fire), 1)],
    modes: &[1, 2, 3, 4, 5, 6, 7, 8],
    select: Some(Select::By(|atari, mode| {
        atari.press_select(20);
        atari.select_until(10, |ram| u32::from(ram.at(0xAA)) == mode);
        atari.press_reset();
    })),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xA8, 0xA9, 0xAA]));
    now.over = ram.at(0xA7) == 0xFF;
    now.lives = i32::from(!now.over);
}
