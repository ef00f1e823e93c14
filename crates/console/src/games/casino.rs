//! Casino: the chips are at 8C and 95, the game at D4, and what ends it, which counts as one life, is at D3 and 9E.

use super::Standing;
use crate::action::Action;
use crate::game::{Controllers, Game, Paddles, Press, Select};
use crate::ram::Ram;

/// The number of poker solitaire among the games.
const SOLITAIRE: u8 = 3;

/// The game.
pub const GAME: Game = Game {
    name: "casino",
    md5: 0xb8162963_11019ab6_9a21cb9e_9e235d12,
    controllers: Controllers::Paddles(Paddles::USUAL),
    actions: &[Action::Noop, Action::Fire, Action::Up, Action::Down],
    opening: &[(Press::Player(Action::Noop), 60), (Press::Player(Action::Fire), 2)],
    modes: &[0, 2, 3],
    select: Some(Select::at(0xD4, 2)),
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let chips = ram.decimals(&[0x8C, 0x95]);
    let reward = now.reward;
    now.set_score(chips);
    if ram.at(0xD4) == SOLITAIRE {
        now.over = chips != 0 && ram.at(0x9E) == 0xAA;
    } else {
        let idle = ram.at(0xD3) & 0x80 != 0;
        // Between games the last reward is paid again in each frame.
        if idle {
            now.reward = reward;
        }
        now.over = chips == 0 || (idle && ram.at(0x9E) != 0);
    }
    now.lives = i32::from(!now.over);
}
