//! Berzerk: the score is at DD to DF, the lives less one at DA, which turns FF at the end.

use super::Standing;
use crate::action::Action;
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "berzerk",
    md5: 0x136f75c4_dd02c292_83752b7e_5799f978,
    modes: &[1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 18],
    select: Some(Select::By(|atari, mode| {
        for _ in 0..20 {
            atari.act(Action::Noop);
        }
        atari.select_until(2, |ram| u32::from(ram.at(0x80)) == mode);
        atari.press_reset();
    })),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xDD, 0xDE, 0xDF]));
    now.over = ram.at(0xDA) == 0xFF;
    now.lives = i32::from(ram.at(0xDA).wrapping_add(1));
}
