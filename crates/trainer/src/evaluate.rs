//! Evaluation: scores of trained weights on environments and seeds of their own.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use prism_algorithms::Actor;
use prism_environment::{Seed, VectorEnvironment};
use prism_model::{Input, QNetwork, Weights};

use crate::environments::build_environments;
use crate::network::network_config;
use crate::{Config, EvaluationConfig, ScoreTracker};

/// Games that are played side by side, in one batch of the network.
const SIDE_BY_SIDE: NonZeroUsize = NonZeroUsize::new(8).expect("8 is not 0");

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

/// Plays `config.evaluation.episodes` whole games and gives their scores.
///
/// # Errors
/// When the device, the game or the weights cannot be had or do not fit each other.
pub fn evaluate(config: &Config, options: &EvaluateOptions) -> anyhow::Result<Vec<f64>> {
    let device = prism_model::open_device(&options.device)?;
    let weights = Weights::read(&options.weights)?;
    let mut stage = Stage::new(config, options.roms.as_deref(), options.seed)?;
    weights.check(&network_config(config, stage.environments.spec()))?;
    stage.play(&weights.network(&device)?, &device)
}

/// Environments on which weights are scored.
pub(crate) struct Stage<'a> {
    evaluation: &'a EvaluationConfig,
    environments: VectorEnvironment,
    input: Input,
    actor: Actor,
}

impl<'a> Stage<'a> {
    /// Environments of the configuration's kind, with random streams of their own.
    pub(crate) fn new(config: &'a Config, roms: Option<&Path>, seed: Seed) -> anyhow::Result<Self> {
        let evaluation = &config.evaluation;
        let count = evaluation.episodes.min(SIDE_BY_SIDE);
        let environments = build_environments(&config.environment, count, seed.derive("environment", 0), roms)?;
        let spec = environments.spec();
        let input = network_config(config, spec).input;
        let actor = Actor::new(spec.actions.len(), seed.derive("acting", 0));
        Ok(Self { evaluation, environments, input, actor })
    }

    /// Plays whole games with a network and gives their scores: of each environment in turn its first game, then its
    /// second, and so on, so that short games are not counted more often than long ones.
    pub(crate) fn play(&mut self, network: &QNetwork, device: &Device) -> anyhow::Result<Vec<f64>> {
        let count = self.environments.len();
        let mut tracker = ScoreTracker::new(count, NonZeroUsize::MIN);
        // Game g is the (g / count)-th game of environment g % count.
        let mut scores: Vec<Option<f64>> = vec![None; self.evaluation.episodes.get()];
        let mut played = vec![0; count];
        self.environments.reset()?;
        while scores.contains(&None) {
            let observations = self.environments.observations();
            let actions = self.actor.choose(network, &self.input, observations, self.evaluation.epsilon, device);
            for (index, step) in self.environments.step(&actions)?.iter().enumerate() {
                let Some(game) = tracker.observe(index, &step.time_step) else { continue };
                if let Some(score) = scores.get_mut(played[index] * count + index) {
                    *score = Some(game.score);
                }
                played[index] += 1;
            }
        }
        Ok(scores.into_iter().flatten().collect())
    }
}
