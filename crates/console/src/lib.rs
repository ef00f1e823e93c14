#![doc = include_str!("../README.md")]

mod action;
mod atari;
mod cartridge;
mod console;
mod controls;
pub mod cpu;
mod game;
pub mod games;
mod ram;
mod random;
mod riot;
mod state;
mod tia;

pub use action::Action;
pub use atari::{Atari, Profile};
pub use cartridge::{CARTRIDGE_RAM, Cartridge, CartridgeState, Scheme, WrongSize};
pub use console::Console;
pub use controls::{Controls, LEFT_DIFFICULT, RESET, RIGHT_DIFFICULT, SELECT};
pub use game::*;
pub use ram::{RAM_BYTES, Ram};
pub use random::Random;
pub use state::{State, WrongState};
pub use tia::{Comb, Television, WIDTH, Window};
