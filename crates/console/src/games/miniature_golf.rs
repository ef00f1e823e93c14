//! Miniature Golf: 0xAF is the hole in play, with 0 after the last; 0x88 shows its par in decimal before the first
//! stroke and 0x87 the strokes from then on. A finished hole scores its par less its strokes.

use super::Standing;
use crate::game::Game;
use crate::ram::Ram;

/// The places in `memory` of the strokes in this hole, and of the hole, the strokes last shown and the par, a byte each.
const STROKES: usize = 0;
const HOLE: usize = 1;

/// The game.
pub const GAME: Game = Game {
    name: "miniature_golf",
    md5: 0xdf62a658_496ac98a_3aa4a6ee_5719c251,
    difficulties: &[0, 1],
    ..Game::ruled_by(START, step)
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, now: &mut Standing) {
    let [before, mut shown, mut par, _] = now.memory[HOLE].to_le_bytes();
    let (hole, strokes) = (ram.at(0xAF), ram.at(0x87));
    now.reward = 0;
    if decimal(hole) != decimal(before) {
        if now.memory[STROKES] != 0 {
            now.reward = decimal(par) - now.memory[STROKES];
            now.memory[STROKES] = 0;
        }
        now.over = hole == 0;
    }
    now.score += now.reward;
    now.lives = if now.over { 0 } else { 1 };
    if ram.at(0x88) != 0 {
        par = ram.at(0x88);
    } else {
        // A fall is a new count.
        let (count, count_before) = (decimal(strokes), decimal(shown));
        now.memory[STROKES] += if count < count_before { count } else { count - count_before };
        shown = strokes;
    }
    now.memory[HOLE] = i32::from_le_bytes([hole, shown, par, 0]);
}

/// The two decimal digits in a byte as a number.
fn decimal(byte: u8) -> i32 {
    i32::from(10 * (byte >> 4)) + i32::from(byte & 15)
}
