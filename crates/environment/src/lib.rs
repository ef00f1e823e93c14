#![doc = include_str!("../README.md")]

mod atari;
mod emulator;
mod environment;
mod frames;
mod picture;
#[cfg(feature = "roms")]
mod roms;
mod seed;
mod small;
mod state;
mod time_step;
mod vector;

pub use atari::environment::AtariEnvironment;
pub use atari::games::{GAMES, GameEnd, GameInfo, Restores, Spelling, UnknownGame};
pub use atari::groups::{GROUPS, GameGroup};
pub use atari::options::{
    ActionSet, AtariConfig, AtariConfigError, AtariOption, AtariOptions, EmulatorChoice, FireReset, LifeLoss, Points,
    Pooling, RewardTransform, View,
};
pub use atari::palette::Palette;
pub use atari::preprocessing::Preprocessing;
pub use atari::protocol::{Protocol, UnknownProtocol};
pub use emulator::HAS_EMULATOR;
#[cfg(feature = "ale")]
pub use emulator::ale::Ale;
#[cfg(feature = "roms")]
pub use emulator::console::{Console, Version};
pub use emulator::interface::{Action, BadSnapshot, ConsoleSettings, Emulator, EmulatorError, RAM_BYTES};
pub use environment::{Element, Environment, EnvironmentError, EnvironmentSpec, ObservationSpec};
pub use frames::{AgentSteps, Frames};
pub use picture::Picture;
pub use prism_frames::Colour;
#[cfg(feature = "roms")]
pub use roms::install::{InstallError, InstallProgress, Installed, WHEEL, install, roms_of_wheel};
#[cfg(feature = "roms")]
pub use roms::library::{ROMS_VARIABLE, Rom, RomError, RomLibrary, RomPlace, RomStatus, data_directory};
pub use seed::{Generator, Seed};
pub use small::cart_pole::CartPole;
pub use small::catch::Catch;
pub use small::chain::{Chain, TimeLimit};
pub use time_step::{Game, StepType, TimeStep};
pub use vector::VectorEnvironment;
pub use vector::step::{VectorError, VectorStep};
