//! Weights that were named on the command line, and the configuration that they were trained under.

use std::path::Path;

use prism::{CONFIG_KEY, Config, Override, RunPath, Source};
use prism_agent::Policy;
use prism_model::{Weights, WeightsError};

use crate::failure::Failure;

/// Reads weights that can act. Those that are saved in a byte each become numbers again.
pub fn read(path: &Path) -> Result<Weights, Failure> {
    let bytes = std::fs::read(path).map_err(|source| WeightsError::Read { path: path.to_owned(), source })?;
    let origin = path.display().to_string();
    match prism_agent::to_f32(&bytes) {
        Ok(bytes) => Ok(Weights::from_bytes(bytes, origin)?),
        Err(error) => {
            // The same fault in the words for weights, where there are any.
            let weights = Weights::from_bytes(bytes, origin.clone())?;
            if !weights.are_finite() {
                return Err(WeightsError::NotFinite { origin }.into());
            }
            Err(cannot_act(path, error))
        }
    }
}

/// The policy of weights.
pub fn policy(path: &Path, weights: &Weights) -> Result<Policy, Failure> {
    Policy::from_bytes(weights.bytes()).map_err(|error| cannot_act(path, error))
}

/// Why nothing can be done with a policy.
pub fn cannot_act(path: &Path, error: impl Into<anyhow::Error>) -> Failure {
    Failure::outside(error.into().context(format!("{} cannot act", path.display())))
}

/// What was typed over the configuration of weights: --set, --seed and --epsilon. The games of whoever watches or scores
/// have a seed of their own, not that of the run.
pub fn overrides(settings: &[String], seed: Option<&str>, epsilon: Option<f64>) -> Result<Vec<Override>, Failure> {
    let mut overrides: Vec<Override> = settings.iter().map(|text| Override::parse(text)).collect::<Result<_, _>>()?;
    let seed = seed.or((!gives(&overrides, "run.seed")).then_some("0"));
    overrides.extend(seed.map(|seed| Override::typed("--seed", "run.seed", seed)));
    overrides.extend(epsilon.map(|epsilon| Override::flag("--epsilon", "evaluation.epsilon", epsilon)));
    Ok(overrides)
}

/// Whether one of them gives this setting.
pub fn gives(overrides: &[Override], key: &str) -> bool {
    overrides.iter().any(|given| given.key() == key)
}

/// The configuration with what was typed over it. Settings that only training reads are refused: these weights are trained.
pub fn config(source: &Source, overrides: &[Override]) -> Result<Config, Failure> {
    let config = Config::read(source, overrides)?;
    let trains = |given: &&Override| {
        !["environment.", "evaluation.", "run."].iter().any(|section| given.key().starts_with(section))
    };
    match overrides.iter().find(trains) {
        Some(given) => Err(Failure::usage(anyhow::anyhow!(
            "{} is a setting of training, and these weights are trained: expected one of environment, evaluation or run",
            given.key()
        ))),
        None => Ok(config),
    }
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
