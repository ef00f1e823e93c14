//! From the configuration of environments to environments.

use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Context;
use prism_environment::{CartPole, Catch, Chain, Environment, EnvironmentError, Seed, VectorEnvironment};

use crate::{EnvironmentConfig, EnvironmentKind, Threads};

/// Makes one environment.
type Make = Box<dyn Fn(Seed) -> Result<Box<dyn Environment>, EnvironmentError>>;

/// Builds `count` environments of `config.kind`, each with a seed derived from `seed`, to be stepped together.
///
/// `roms` is the folder searched first for ROM files.
///
/// # Errors
/// When a ROM is missing or wrong, or an emulator or a thread cannot be started.
pub fn build_environments(
    config: &EnvironmentConfig,
    count: NonZeroUsize,
    seed: Seed,
    roms: Option<&Path>,
) -> anyhow::Result<VectorEnvironment> {
    let threads = match config.threads {
        // Without an answer from the system, one core is certain.
        Threads::Useful => std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        Threads::Exactly(threads) => threads,
    };
    let make: Make = match &config.kind {
        EnvironmentKind::Atari { config, .. } => atari(config, roms)?,
        EnvironmentKind::Catch => Box::new(|seed| Ok(Box::new(Catch::new(seed)))),
        &EnvironmentKind::Chain { states, limit } => {
            Box::new(move |seed| Ok(Box::new(Chain::new(states, limit, seed))))
        }
        EnvironmentKind::CartPole => Box::new(|seed| Ok(Box::new(CartPole::new(seed)))),
    };
    VectorEnvironment::from_seed(count, threads, seed, make)
        .with_context(|| format!("cannot start {}", config.kind.name()))
}

#[cfg(feature = "ale")]
fn atari(config: &prism_environment::AtariConfig, roms: Option<&Path>) -> anyhow::Result<Make> {
    use prism_environment::{RomError, RomLibrary};
    let rom = RomLibrary::locate(roms).and_then(|library| library.rom(&config.options().game));
    let rom = rom.map_err(|error| match error {
        RomError::Missing { .. } | RomError::NoHome => anyhow::anyhow!(
            "{error}: run `prism roms install`, or name your own directory with --roms DIR or {}",
            prism_environment::ROMS_VARIABLE
        ),
        RomError::Truncated { .. } | RomError::Wrong { .. } => {
            anyhow::anyhow!("{error}; delete it and run `prism roms install`")
        }
        error => error.into(),
    })?;
    let config = config.clone();
    Ok(Box::new(move |seed| Ok(Box::new(prism_environment::AtariEnvironment::new(&config, &rom, seed)?))))
}

#[cfg(not(feature = "ale"))]
fn atari(config: &prism_environment::AtariConfig, _: Option<&Path>) -> anyhow::Result<Make> {
    anyhow::bail!("this build cannot play {}: build prism with feature `ale`", config.options().game)
}
