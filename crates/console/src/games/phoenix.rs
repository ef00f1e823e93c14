//! Phoenix: the score is decimal in 0xC9, 0xC8 and the high digit of 0xC7, the low bits of 0xCB count the lives, and
//! 0xCC is 0x80 once the game ends.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "phoenix",
    md5: 0x7e52a950_74a66640_fcfde124_fffd491a,
    scheme: Scheme::F8,
    actions: &[
        Action::Noop,
        Action::Fire,
        Action::Right,
        Action::Left,
        Action::Down,
        Action::RightFire,
        Action::LeftFire,
        Action::DownFire,
    ],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(5);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(10 * (10 * ram.decimals(&[0xC9, 0xC8]) + i32::from(ram.at(0xC7) >> 4)));
    now.over = ram.at(0xCC) == 0x80;
    now.lives = if now.over { 0 } else { i32::from(ram.at(0xCB) & 7) };
}
