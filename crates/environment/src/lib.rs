//! Environments for value-based reinforcement learning.
//!
//! An [`Environment`] turns actions into [`TimeStep`]s and writes its observations as bytes into a buffer of the
//! caller's.

#[cfg(feature = "ale")]
mod ale;
mod area;
mod atari;
mod atari_config;
mod cart_pole;
mod catch;
mod chain;
mod crew;
mod emulator;
mod environment;
mod frames;
mod games;
mod palette;
mod preprocessing;
mod protocol;
#[cfg(feature = "ale")]
mod roms;
mod seed;
mod state;
mod time_step;
mod vector;

#[cfg(feature = "ale")]
pub use ale::{Ale, AleError, AleSettings};
pub use area::AreaResize;
pub use atari::AtariEnvironment;
pub use atari_config::{
    ActionSet, AtariConfig, AtariConfigError, AtariOptions, FireReset, LifeLoss, Points, Pooling, RewardTransform, View,
};
pub use cart_pole::CartPole;
pub use catch::Catch;
pub use chain::{Chain, TimeLimit};
pub use emulator::{Action, BadSnapshot, Emulator, RAM_BYTES};
pub use environment::{Element, Environment, EnvironmentError, EnvironmentSpec, ObservationSpec};
pub use frames::{AgentSteps, Frames};
pub use games::{GAMES, GameInfo, UnknownGame};
pub use palette::Palette;
pub use preprocessing::{Colour, Preprocessing};
pub use protocol::{Protocol, UnknownProtocol};
#[cfg(feature = "ale")]
pub use roms::{
    InstallProgress, Installed, ROMS_VARIABLE, Rom, RomError, RomLibrary, RomStatus, WHEEL, data_directory, install,
};
pub use seed::{Generator, Seed};
pub use time_step::{Game, StepType, TimeStep};
pub use vector::{ReadyStep, VectorEnvironment, VectorError, VectorStep};
