//! Atari games as environments: what can be chosen about them, and the way from a console's screens to observations.

pub mod environment;
pub mod games;
pub mod groups;
pub mod options;
pub mod palette;
pub mod preprocessing;
pub mod protocol;
