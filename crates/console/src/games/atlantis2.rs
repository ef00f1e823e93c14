//! Atlantis II: the score is at A3 to A1, the bases left at F1, which turns FF at the end.

use super::Standing;
use crate::action::Action;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "atlantis2",
    md5: 0x826481f6_fc53ea47_c9f272f7_050eedf7,
    actions: &[Action::Noop, Action::Fire, Action::RightFire, Action::LeftFire],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.over = ram.at(0xF1) == 0xFF;
    if now.over {
        now.reward = 0;
        now.lives = 0;
    } else {
        now.set_score(ram.decimals(&[0xA3, 0xA2, 0xA1]));
        now.lives = i32::from(ram.at(0xF1));
    }
}
