//! Policy files: weights with a card that says what they were trained for.

use std::num::NonZeroUsize;

use prism_agent::{Card, FrameSpec, Scores};
use prism_environment::{EnvironmentSpec, Pooling, VectorEnvironment, View};
use prism_model::{NetworkConfig, Weights};

use crate::config::{Config, EnvironmentKind};
use crate::environments::Environments;
use crate::error::RunError;

/// Metadata key of a weights file under which the run's configuration stands.
pub const CONFIG_KEY: &str = "prism.config";

/// Metadata key of a weights file whose value is the run's [`Position`](prism_runs::Position) when the weights were taken, as JSON.
pub const POSITION_KEY: &str = "prism.position";

/// The card of weights that are trained on an environment of this kind.
pub(crate) fn card(kind: &EnvironmentKind, spec: &EnvironmentSpec) -> Card {
    Card {
        version: Card::VERSION,
        environment: kind.name().to_owned(),
        protocol: kind.protocol().to_owned(),
        actions: spec.actions.clone(),
        frames: frames(kind),
        scores: None,
    }
}

/// How observations are made of screens, where they are.
fn frames(kind: &EnvironmentKind) -> Option<FrameSpec> {
    let EnvironmentKind::Atari { config, .. } = kind else { return None };
    let options = config.options();
    let View::Image { colour, height, width } = options.view else { return None };
    let skip = options.frame_skip as usize;
    let pool = match options.pooling {
        Pooling::Last => 1,
        Pooling::LastTwo => skip.min(2),
    };
    Some(FrameSpec { height, width, colour, stack: options.stack, skip, pool })
}

/// The policy file of weights: the weights themselves, with a card that has these scores. Weights that were saved without a
/// card, by the release 0.1.0 or older, get one whose actions are named by their numbers.
pub fn policy_file(weights: Weights, kind: &EnvironmentKind, scores: Option<Scores>) -> Weights {
    let saved = weights.metadata(Card::KEY).and_then(|text| serde_json::from_str(text).ok());
    let card = saved.unwrap_or_else(|| Card {
        version: Card::VERSION,
        environment: kind.name().to_owned(),
        protocol: kind.protocol().to_owned(),
        actions: (0..weights.config().actions).map(|action| action.to_string()).collect(),
        frames: frames(kind),
        scores: None,
    });
    with_card(weights, &Card { scores: scores.or(card.scores), ..card })
}

/// The network of weights that another program trained, under this configuration.
///
/// # Errors
/// When the environments cannot be made or are not those of the configuration.
pub fn imported_network(config: &Config, environments: &Environments) -> Result<NetworkConfig, RunError> {
    Ok(config.agent().network(one(config, environments)?.spec()))
}

/// The policy file of weights that another program trained: they are scored and shown as if a run of this configuration had
/// saved them.
///
/// # Errors
/// As [`imported_network`], and when the weights are those of another network.
pub fn imported_policy_file(
    config: &Config,
    environments: &Environments,
    weights: Weights,
) -> Result<Weights, RunError> {
    let environment = one(config, environments)?;
    weights.check(&config.agent().network(environment.spec()))?;
    let card = card(&config.environment().kind, environment.spec());
    Ok(with_card(weights.with_metadata(CONFIG_KEY, &config.to_toml()), &card))
}

fn one(config: &Config, environments: &Environments) -> Result<VectorEnvironment, RunError> {
    Ok(environments.build(config.environment(), NonZeroUsize::MIN, config.run().seed)?)
}

pub(crate) fn with_card(weights: Weights, card: &Card) -> Weights {
    weights.with_metadata(Card::KEY, &serde_json::to_string(card).expect("a card is plain data"))
}
