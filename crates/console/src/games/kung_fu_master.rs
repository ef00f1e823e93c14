//! Kung-Fu Master: the score is decimal in 0x98 to 0x9A; 0x9D counts the spare lives and is 0xFF once the game ends.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "kung_fu_master",
    md5: 0x5b92a93b_23523ff1_6e2789b8_20e2a4c5,
    scheme: Scheme::F8,
    actions: &[
        Action::Noop,
        Action::Up,
        Action::Right,
        Action::Left,
        Action::Down,
        Action::DownRight,
        Action::DownLeft,
        Action::RightFire,
        Action::LeftFire,
        Action::DownFire,
        Action::UpRightFire,
        Action::UpLeftFire,
        Action::DownRightFire,
        Action::DownLeftFire,
    ],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(4);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0x98, 0x99, 0x9A]));
    now.over = ram.at(0x9D) == 0xFF;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0x9D) & 7) + 1 };
}
