//! What work is done to: agents, games, ways of drawing transitions.

use std::path::Path;

use prism_algorithms::Sampling;
use prism_environment::{HAS_EMULATOR, RomError, RomLibrary};

use crate::config::{Config, SettingsError};
use crate::environments::BuildError;
use crate::presets::{self, Preset};

/// An agent as a preset configures it.
#[derive(Clone, Copy, Debug)]
pub struct Agent(&'static Preset);

impl PartialEq for Agent {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Agent {}

impl Agent {
    /// Presets that are measured unless others are asked for.
    pub const USUAL: [&str; 3] = ["dqn", "c51", "rainbow"];

    /// The agent of the preset called `name`.
    pub fn find(name: &str) -> Option<Self> {
        presets::find(name).map(Self)
    }

    /// Those of [`Agent::USUAL`].
    pub fn usual() -> Vec<Self> {
        Self::USUAL.map(Self::preset).to_vec()
    }

    /// # Panics
    /// When there is no such preset.
    pub(super) fn preset(name: &str) -> Self {
        Self::find(name).unwrap_or_else(|| panic!("there is no preset {name}"))
    }

    /// The preset's name.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    pub(super) fn config(self) -> Result<Config, SettingsError> {
        Config::preset(self.name())
    }
}

/// What is played, as its preset says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Game {
    /// Preset `pong`.
    Pong,
    /// Preset `catch`, which needs no ROM.
    Catch,
}

impl Game {
    /// Pong where its ROM is, else Catch.
    ///
    /// # Errors
    /// When the ROM is there and cannot be used.
    pub(super) fn find(roms: Option<&Path>) -> Result<Self, BuildError> {
        Ok(if has_rom("pong", roms)? { Self::Pong } else { Self::Catch })
    }

    /// The agent that plays it.
    pub(super) fn agent(self) -> Agent {
        Agent::preset(self.name())
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pong => "pong",
            Self::Catch => "catch",
        }
    }

    pub(super) fn config(self) -> Result<Config, SettingsError> {
        Config::preset(self.name())
    }
}

fn has_rom(game: &str, roms: Option<&Path>) -> Result<bool, BuildError> {
    if !HAS_EMULATOR {
        return Ok(false);
    }
    match RomLibrary::locate(roms).and_then(|library| library.rom(game)) {
        Ok(_) => Ok(true),
        Err(RomError::Missing { .. } | RomError::NoHome) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// How transitions are drawn from the replay that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// As the preset `dqn` draws.
    Uniform,
    /// As the preset `rainbow` draws.
    Proportional,
}

impl Scheme {
    pub(super) const ALL: [Self; 2] = [Self::Uniform, Self::Proportional];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Proportional => "proportional",
        }
    }

    /// The agent whose preset says how.
    pub(super) fn agent(self) -> Agent {
        match self {
            Self::Uniform => Agent::preset("dqn"),
            Self::Proportional => Agent::preset("rainbow"),
        }
    }

    /// Whether `sampling` is what the name promises.
    pub(super) fn is(self, sampling: Sampling) -> bool {
        match self {
            Self::Uniform => sampling == Sampling::Uniform,
            Self::Proportional => matches!(sampling, Sampling::Proportional { .. }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_draw_as_the_schemes_are_called() {
        for scheme in Scheme::ALL {
            let sampling = scheme.agent().config().unwrap().agent().replay.sampling;
            assert!(scheme.is(sampling), "{} draws {sampling:?}", scheme.agent().name());
        }
    }

    #[test]
    fn the_usual_agents_are_presets() {
        assert_eq!(Agent::usual().len(), Agent::USUAL.len());
        assert_eq!(Agent::find("no-such-preset"), None);
    }
}
