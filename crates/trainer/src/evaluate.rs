//! Evaluation: scores of trained weights on environments and seeds of their own.

use std::path::PathBuf;

use prism_environment::Seed;

use crate::Config;

/// What an evaluation needs beside the configuration of its run.
#[derive(Clone, Debug)]
pub struct EvaluateOptions {
    /// The weights to score.
    pub weights: PathBuf,
    /// Device of the network, one of [`prism_model::device_names`].
    pub device: String,
    /// Seed of the evaluation's random streams.
    pub seed: Seed,
    /// Where ROMs are looked for first.
    pub roms: Option<PathBuf>,
}

/// Plays `config.evaluation.episodes` whole games and gives their scores, in the order of play.
///
/// # Errors
/// When the device, the game or the weights cannot be had or do not fit each other.
pub fn evaluate(config: &Config, options: &EvaluateOptions) -> anyhow::Result<Vec<f64>> {
    prism_model::open_device(&options.device)?;
    anyhow::bail!("this build cannot evaluate {} yet", config.environment.kind.name())
}
