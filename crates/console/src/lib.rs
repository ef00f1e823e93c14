//! The Atari 2600.

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
pub use cartridge::*;
pub use console::Console;
pub use controls::*;
pub use game::*;
pub use ram::*;
pub use random::Random;
pub use state::{State, WrongState};
pub use tia::{Comb, Television, WIDTH, Window};
