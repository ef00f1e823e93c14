//! Asterix: the score is at DE to E0, the lives at D3, and the game ends with the last life when C7 is 1.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Press};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "asterix",
    md5: 0x89a68746_eff7f266_bbf08de2_483abe55,
    scheme: Scheme::F8,
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
    opening: &[(Press::Player(Action::Fire), 1)],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    now.set_score(ram.decimals(&[0xDE, 0xDF, 0xE0]));
    now.lives = i32::from(ram.at(0xD3) & 15);
    now.over = now.lives == 1 && ram.at(0xC7) == 1;
    if now.over {
        now.lives = 0;
    }
}
