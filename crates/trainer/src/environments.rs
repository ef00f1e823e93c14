//! From the configuration of environments to environments.

use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Context;
use prism_environment::{CartPole, Catch, Chain, Environment, Seed, VectorEnvironment};

use crate::{EnvironmentConfig, EnvironmentKind, Threads};

/// Makes one environment.
type Make = Box<dyn Fn(Seed) -> anyhow::Result<Box<dyn Environment>>>;

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
        Threads::Automatic => std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        Threads::Exactly(threads) => threads,
    };
    let make: Make = match &config.kind {
        EnvironmentKind::Atari { config, .. } => atari(config, roms)?,
        EnvironmentKind::Catch => Box::new(|seed| Ok(Box::new(Catch::new(seed)))),
        &EnvironmentKind::Chain { states, limit } => {
            Box::new(move |seed| Ok(Box::new(Chain::new(states, limit, seed))))
        }
        EnvironmentKind::CartPole => Box::new(|seed| Ok(Box::new(CartPole::new(seed)))),
        EnvironmentKind::Own { name } => {
            anyhow::bail!("only the program that brings the environment {name} can build it")
        }
    };
    VectorEnvironment::from_seed(count, threads, seed, make)
        .with_context(|| format!("cannot start {}", config.kind.name()))
}

#[cfg(feature = "ale")]
fn atari(config: &prism_environment::AtariConfig, roms: Option<&Path>) -> anyhow::Result<Make> {
    let rom = prism_environment::RomLibrary::locate(roms)?.rom(&config.options().game)?;
    let config = config.clone();
    Ok(Box::new(move |seed| Ok(Box::new(prism_environment::AtariEnvironment::new(&config, &rom, seed)?))))
}

#[cfg(not(feature = "ale"))]
fn atari(config: &prism_environment::AtariConfig, _: Option<&Path>) -> anyhow::Result<Make> {
    anyhow::bail!("this build cannot play {}: build prism with feature `ale`", config.options().game)
}
