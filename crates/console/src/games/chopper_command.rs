//! Chopper Command: the score is at EC and EE, the lives at E4, and the game ends when none are left.

use super::Standing;
use crate::game::{Game, Rules, Select};
use crate::ram::Ram;

/// Where memory keeps whether the game has begun.
const STARTED: usize = 0;

/// The game.
pub const GAME: Game = Game {
    name: "chopper_command",
    md5: 0xc1cb2284_70a87beb_5f36e90a_c745da26,
    modes: &[0, 2],
    select: Some(Select::at(0xE0, 2)),
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// The game in 2020.
pub const GAME_2020: Game = Game { rules: Rules::Console(step_2020), ..GAME };

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(3);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    // Without a life before the first frame with a low bit in C2 the game has not begun.
    if ram.at(0xC2) & 1 != 0 {
        now.memory[STARTED] = 1;
    }
    read(ram, now, now.memory[STARTED] == 1);
}

/// The rules of 2020: only while C2 is 1 does the last life end the game.
pub fn step_2020(ram: &Ram, now: &mut Standing) {
    read(ram, now, ram.at(0xC2) == 1);
}

fn read(ram: &Ram, now: &mut Standing, started: bool) {
    now.set_score(100 * ram.decimals(&[0xEC, 0xEE]));
    now.lives = i32::from(ram.at(0xE4) & 15);
    now.over = started && now.lives == 0;
}
