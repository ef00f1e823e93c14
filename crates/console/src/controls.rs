//! What is plugged in and switched: sticks, paddles, and the switches of the console.

use serde::{Deserialize, Serialize};

/// All that the players' hands do, as the chips see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controls {
    /// Port A: the sticks' directions, and the paddles' triggers; a bit is 0 while it is pressed. From the highest: right,
    /// left, down and up of the left stick, then of the right one.
    pub sticks: u8,
    /// Port B, the switches: bit 0 is 0 while RESET is pressed, bit 1 while SELECT is; bit 3 is 1 for colours; bits 6 and 7
    /// are 1 where the left and the right player play the difficult game.
    pub switches: u8,
    /// The triggers of left and right stick.
    pub trigger_pressed: [bool; 2],
    /// Ohm of the four paddles; none where no paddle is plugged in.
    pub resistance: [Option<u32>; 4],
}

/// SWCHB's bit of the reset switch.
pub const RESET: u8 = 0x01;
/// SWCHB's bit of the select switch.
pub const SELECT: u8 = 0x02;
/// SWCHB's bit of the left player's difficulty.
pub const LEFT_DIFFICULT: u8 = 0x40;
/// SWCHB's bit of the right player's difficulty.
pub const RIGHT_DIFFICULT: u8 = 0x80;

impl Default for Controls {
    /// Nothing is pressed; both players play the easy game, in colours.
    fn default() -> Self {
        Self { sticks: 0xFF, switches: 0x3F, trigger_pressed: [false; 2], resistance: [None; 4] }
    }
}
