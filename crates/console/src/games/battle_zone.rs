//! Battlezone: the score is at 9E and 9D, the lives at BA, and the game ends when none are left.

use super::Standing;
use crate::cartridge::Scheme;
use crate::game::{Game, Select};
use crate::ram::Ram;
use crate::tia::{Comb, Window};

/// The game.
pub const GAME: Game = Game {
    name: "battle_zone",
    md5: 0x41f252a6_6c6301f1_e8ab3612_c19bc5d4,
    scheme: Scheme::F8,
    window: Window { comb: Comb::Hidden, ..Window::USUAL },
    modes: &[1, 2, 3],
    select: Some(Select::at(0xA1, 2)),
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(5);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let [high, low] = [ram.at(0x9E), ram.at(0x9D)];
    let digits = [high >> 4, high & 15, low >> 4].map(|digit| if digit == 10 { 0 } else { i32::from(digit) });
    now.set_score(1000 * digits.iter().fold(0, |number, digit| 10 * number + digit));
    now.lives = i32::from(ram.at(0xBA) & 15);
    now.over = now.lives == 0;
}
