//! Boxing: the punches landed are at 92 and 93, the clock at 90 and 91, and there are no lives.

use super::Standing;
use crate::game::Game;
use crate::ram::Ram;

/// Punches that end the fight.
const KNOCKOUT: i32 = 100;

/// The punches at an address, where the byte C0 shows a knockout.
fn punches(ram: &Ram, address: u8) -> i32 {
    if ram.at(address) == 0xC0 { KNOCKOUT } else { ram.decimal(address) }
}

/// The game.
pub const GAME: Game = Game {
    name: "boxing",
    md5: 0xc3ef5c46_53212088_eda54dc9_1d787870,
    difficulties: &[0, 1, 2, 3],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(0);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let (own, other) = (punches(ram, 0x92), punches(ram, 0x93));
    now.set_score(own - other);
    let time_is_up = ram.at(0x90) < 0x10 && ram.at(0x91) == 0;
    now.over = own == KNOCKOUT || other == KNOCKOUT || time_is_up;
}
