//! The training loop.

use std::path::PathBuf;

use prism_environment::Seed;

use crate::{Config, Interrupt, Summary};

/// What a run needs beside its configuration.
#[derive(Clone, Debug)]
pub struct TrainOptions {
    /// Preset, or stem of the configuration file: the first part of the run's name.
    pub name: String,
    /// Device of the networks, one of [`prism_model::device_names`].
    pub device: String,
    /// Seed of every random stream.
    pub seed: Seed,
    /// Where ROMs are looked for first.
    pub roms: Option<PathBuf>,
    /// The run folder, instead of a new one under `runs`.
    pub out: Option<PathBuf>,
    /// How somebody asks the run to end.
    pub interrupt: Interrupt,
}

/// Trains an agent and writes its run folder.
///
/// # Errors
/// When the device, the game or the folder cannot be had, or the run cannot go on.
pub fn train(config: &Config, options: TrainOptions) -> anyhow::Result<Summary> {
    prism_model::open_device(&options.device)?;
    anyhow::bail!("this build cannot train {} yet", config.environment.kind.name())
}
