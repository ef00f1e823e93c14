//! Evaluation: scores of trained weights on environments and seeds of their own.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use prism_algorithms::Actor;
use prism_environment::{Seed, VectorEnvironment};
use prism_model::{Input, QNetwork, Weights};

use crate::environments::build_environments;
use crate::network::network_config;
use crate::{Config, EvaluationConfig, Interrupt, ScoreTracker};

/// Games that are played side by side, in one batch of the network.
const SIDE_BY_SIDE: NonZeroUsize = NonZeroUsize::new(8).expect("8 is not 0");

/// What an evaluation needs beside the configuration of its run.
#[derive(Clone, Debug)]
pub struct EvaluateOptions {
    /// The weights to score.
    pub weights: PathBuf,
    /// Device of the network, a name for [`prism_model::find_device`].
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
    let scores = stage.play(&weights.network(&device)?, &device, &Interrupt::default())?;
    Ok(scores.expect("nobody can request this interrupt"))
}

/// Environments on which weights are scored.
pub(crate) struct Stage<'a> {
    evaluation: &'a EvaluationConfig,
    environments: VectorEnvironment,
    input: Input,
    actor: Actor,
}

impl<'a> Stage<'a> {
    /// Environments of the configuration's kind. Their random streams are none of those that training derives from the
    /// same seed.
    pub(crate) fn new(config: &'a Config, roms: Option<&Path>, seed: Seed) -> anyhow::Result<Self> {
        let evaluation = &config.evaluation;
        let count = evaluation.episodes.min(SIDE_BY_SIDE);
        let seed = seed.derive("evaluation", 0);
        let environments = build_environments(&config.environment, count, seed.derive("environment", 0), roms)?;
        let spec = environments.spec();
        let input = network_config(config, spec).input;
        let actor = Actor::new(spec.actions.len(), evaluation.noise, seed.derive("acting", 0));
        Ok(Self { evaluation, environments, input, actor })
    }

    /// Plays whole games with a network and gives their scores: of each environment in turn its first game, then its
    /// second, and so on, so that short games are not counted more often than long ones. `None` when the interrupt came
    /// before all had ended.
    pub(crate) fn play(
        &mut self,
        network: &QNetwork,
        device: &Device,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<Vec<f64>>> {
        let count = self.environments.len();
        let mut tracker = ScoreTracker::new(count, NonZeroUsize::MIN);
        // Game g is the (g / count)-th game of environment g % count.
        let mut scores: Vec<Option<f64>> = vec![None; self.evaluation.episodes.get()];
        let mut played = vec![0; count];
        self.environments.reset()?;
        while scores.contains(&None) {
            if interrupt.requested() {
                return Ok(None);
            }
            let observations = self.environments.observations();
            let actions = self.actor.choose(network, &self.input, observations, self.evaluation.epsilon, device);
            for (index, step) in self.environments.step(&actions)?.iter().enumerate() {
                let Some(game) = tracker.observe(index, step) else { continue };
                if let Some(score) = scores.get_mut(played[index] * count + index) {
                    *score = Some(game.score);
                }
                played[index] += 1;
            }
        }
        Ok(Some(scores.into_iter().flatten().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    #[test]
    fn no_game_of_an_evaluation_starts_like_one_of_training_with_the_same_seed() {
        let config = Config::read(&Source::find("cartpole").unwrap(), &[]).unwrap();
        let seed = Seed(7);
        let training = seed.derive("environment", 0);
        let mut training = build_environments(&config.environment, SIDE_BY_SIDE, training, None).unwrap();
        let mut stage = Stage::new(&config, None, seed).unwrap();
        training.reset().unwrap();
        stage.environments.reset().unwrap();
        for evaluated in 0..SIDE_BY_SIDE.get() {
            for trained in 0..SIDE_BY_SIDE.get() {
                assert_ne!(stage.environments.observation(evaluated), training.observation(trained));
            }
        }
    }
}
