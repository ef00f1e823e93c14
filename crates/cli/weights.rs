//! Weights that were named on the command line, and the configuration that they were trained under.

use std::path::Path;

use prism::{CONFIG_KEY, Config, RunPath, Source};
use prism_model::{Weights, WeightsError};

use crate::failure::Failure;

/// Reads weights. Those that are saved in a byte each become numbers again.
pub fn read(path: &Path) -> Result<Weights, Failure> {
    let bytes = std::fs::read(path).map_err(|source| WeightsError::Read { path: path.to_owned(), source })?;
    // What is no policy is refused below, in the words for weights.
    let bytes = prism_agent::to_f32(&bytes).unwrap_or(bytes);
    Ok(Weights::from_bytes(bytes, path.display().to_string())?)
}

/// The configuration that weights were trained under, as far as it is known: that of their run, else the one they carry.
/// `named` is what was typed.
pub fn source(named: &Path, path: &RunPath, weights: &Weights) -> Result<Source, Failure> {
    match (path.config(), weights.metadata(CONFIG_KEY)) {
        (Some(file), _) => Ok(Source::read(&file)?),
        (None, Some(text)) => of_weights(named, text),
        (None, None) => {
            let error = anyhow::anyhow!(
                "{} does not say what it plays, as weights of older versions do not: put it beside the config.toml of its run",
                named.display()
            );
            Err(Failure::outside(error))
        }
    }
}

/// The configuration that weights carry.
fn of_weights(file: &Path, text: &str) -> Result<Source, Failure> {
    let source = Source::text(&format!("the configuration inside {}", file.display()), text);
    // Nobody typed it: what is wrong with it is wrong with the file.
    Config::read(&source, &[]).map_err(|error| {
        Failure::outside(error).with_remedy("copy the file again, or put it beside the config.toml of its run")
    })?;
    Ok(source)
}
