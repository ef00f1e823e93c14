//! Adventure: the game ends with a point when B9, the room of the chalice, is 12, or without one when E0 is 2.

use super::Standing;
use crate::action::Action;
use crate::atari::{Atari, Profile};
use crate::game::{Game, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "adventure",
    md5: 0x4b27f539_7c442d25_f0c418cc_dacf1926,
    modes: &[0, 1, 2],
    select: Some(Select::By(choose_mode)),
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let brought_home = ram.at(0xB9) == 0x12;
    let eaten = ram.at(0xE0) == 2;
    now.reward = i32::from(brought_home);
    now.score += now.reward;
    now.over = brought_home || eaten;
}

/// Presses the select switch until DD shows the mode; since 2020 for a while that nobody can foresee.
fn choose_mode(atari: &mut Atari, mode: u32) {
    let shown = |ram: &Ram| u32::from(ram.at(0xDD) & 6) == 2 * mode;
    atari.repeat_until(shown, |atari| {
        let longer = match atari.profile() {
            Profile::Ale2020 { .. } => 0,
            Profile::Ale012 { .. } => atari.chance() % 256,
        };
        atari.press_select(2 + longer);
        atari.act(Action::Noop);
    });
    atari.press_reset();
}
