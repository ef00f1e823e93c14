//! Klax: the score is in the cartridge's own memory, at B4 to B6 of what is read there, and the game ends when the level is
//! lost or won, or when a full bin has no room.

use super::Standing;
use crate::action::Action;
use crate::atari::Atari;
use crate::cartridge::CARTRIDGE_RAM;
use crate::cartridge::Scheme;
use crate::game::{Game, Press, Rules, Select};
use crate::ram::Ram;

/// The game.
pub const GAME: Game = Game {
    name: "klax",
    md5: 0xeed9eaf1_a0b6a2b9_bc4c8032_cb43e3fb,
    scheme: Scheme::F6WithRam,
    opening: &[(Press::Player(Action::Fire), 1), (Press::Player(Action::Noop), 1)],
    modes: &[0, 1, 2],
    select: Some(Select::By(choose_mode)),
    rules: Rules::ConsoleAndCartridge(step),
    ..Game::ruled_by(START, |_, _| {})
};

/// How the game stands when it begins.
pub const START: Standing = Standing::with_lives(1);

/// Reads score, lives and the game's end after a frame.
pub fn step(ram: &Ram, cartridge: &[u8; CARTRIDGE_RAM], now: &mut Standing) {
    let decimal = |index: usize| 10 * i32::from(cartridge[index] >> 4) + i32::from(cartridge[index] & 15);
    now.set_score([0x36, 0x35, 0x34].into_iter().fold(0, |score, index| 100 * score + decimal(index)));
    let no_drops_left = cartridge[0x69] != 0 && cartridge[0x69] == cartridge[0x6E];
    // Fifteen, or the low bits alone, are what an empty place holds.
    let bin_is_full = (0xB3..=0xCB).all(|place| !matches!(ram.at(place), 0 | 2 | 6 | 0xA | 0xE));
    now.over = cartridge[0x1D] == 0x99 || no_drops_left || ram.at(0xA8) == 4 && bin_is_full;
    now.lives = i32::from(!now.over);
}

/// Presses the select switch as often as the mode's number says.
fn choose_mode(atari: &mut Atari, mode: u32) {
    for _ in 0..mode {
        atari.press_select(2);
    }
    atari.press_reset();
}
