//! Q*bert: the score is decimal in 0xD9 to 0xDB; 0x88 counts the spare lives down, and beyond zero when the game ends.

use super::Standing;
use crate::action::Action;
use crate::game::Game;
use crate::ram::Ram;
use crate::tia::Window;

/// The place in `memory` of the spare lives of the frame before.
const SPARE: usize = 0;

/// The game.
pub const GAME: Game = Game {
    name: "qbert",
    md5: 0x484b0076_816a1048_75e00467_d431c2d2,
    window: Window { top: 40, ..Window::USUAL },
    actions: &[Action::Noop, Action::Fire, Action::Up, Action::Right, Action::Left, Action::Down],
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing { memory: [2, 0], ..Standing::with_lives(4) };

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let spare = i32::from(ram.at(0x88) as i8);
    let before = now.memory[SPARE];
    now.memory[SPARE] = spare;
    // From -1 the counter may go straight back to 2, where a new game begins.
    now.over = spare == -2 || (spare == 2 && before == -1);
    if now.over {
        now.lives = 0;
        // What the last frame scores is lost.
        now.reward = 0;
        return;
    }
    now.set_score(ram.decimals(&[0xD9, 0xDA, 0xDB]));
    if spare == before - 1 {
        now.lives -= 1;
    }
}
