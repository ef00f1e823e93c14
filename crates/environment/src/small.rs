//! Small exact environments, without an emulator.

pub mod cart_pole;
pub mod catch;
pub mod chain;
