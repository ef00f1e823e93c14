//! Weights that were named on the command line, and the configuration that they were trained under.

use std::path::Path;

use prism::{CONFIG_KEY, Config, RunPath, Source};
use prism_model::Weights;

use crate::failure::Failure;

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
