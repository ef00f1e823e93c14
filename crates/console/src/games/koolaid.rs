//! Kool-Aid Man: the score is decimal in 0x80 and 0x81, without the last two digits, and 0xD1 is 0x80 once the game
//! ends.

use super::Standing;
use crate::action::Action;
use crate::game::Game;
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "koolaid",
    md5: 0x534e2321_0dd1993c_828d944c_6ac4d9fb,
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
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(100 * ram.decimals(&[0x80, 0x81]));
    now.over = ram.at(0xD1) == 0x80;
}
