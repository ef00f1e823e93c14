//! Dark Chambers: the score is at CF and CC, the strength in the low bits of CA, and D5 or the score falls at the end.

use super::Standing;
use crate::action::Action;
use crate::cartridge::Scheme;
use crate::game::{Game, Press};
use crate::ram::Ram;
use crate::tia::{Comb, Window};

/// Where memory keeps the byte at D5.
const LEVEL: usize = 0;

/// The game.
pub const GAME: Game = Game {
    name: "darkchambers",
    md5: 0x10685547_4c69d08c_8ffa308d_47337269,
    scheme: Scheme::F6WithRam,
    window: Window { comb: Comb::Hidden, ..Window::USUAL },
    opening: &[(Press::Player(Action::Noop), 486)],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let score = 10 * ram.decimals(&[0xCF, 0xCC]);
    let level = i32::from(ram.at(0xD5));
    if level < now.memory[LEVEL] || score < now.score {
        now.reward = 0;
        now.over = true;
    } else {
        now.set_score(score);
        now.memory[LEVEL] = level;
        now.over = ram.at(0xCA) & 0x1F == 0;
    }
    now.lives = i32::from(!now.over);
}
