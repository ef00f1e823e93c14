//! Evaluation: scores of trained weights on environments and seeds of their own.

use std::num::NonZeroUsize;

use prism_algorithms::Policy;
use prism_environment::{Seed, VectorEnvironment};
use prism_model::{Device, NetworkConfig, QNetwork, Weights};
use prism_runs::{Ending, ScoreTracker};

use crate::config::{Config, EvaluationConfig};
use crate::device::device_of;
use crate::environments::Environments;
use crate::error::RunError;
use crate::interrupt::Interrupt;

/// Games that are played side by side, in one batch of the network.
const SIDE_BY_SIDE: NonZeroUsize = NonZeroUsize::new(8).expect("8 is not 0");

/// Scores weights with `config.evaluation().episodes` whole games. `watch` is told of each game as it ends.
///
/// # Errors
/// When the device or the environments cannot be had, or the weights do not fit them.
pub fn evaluate(
    config: &Config,
    environments: &Environments,
    weights: &Weights,
    interrupt: &Interrupt,
    watch: &mut dyn FnMut(EvaluatedGame),
) -> Result<Games, RunError> {
    let device = device_of(config)?.device.open();
    let mut evaluation = Evaluation::new(config, environments)?;
    weights.check(&config.agent().network(evaluation.environments.spec()))?;
    let policy = evaluation.policy(weights.network(&device)?, weights.config().clone(), &device);
    evaluation.play(policy, interrupt, watch)
}

/// A game of an evaluation that has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvaluatedGame {
    /// Its number, from 0, in the order in which scores are listed.
    pub number: usize,
    /// Its score.
    pub score: f64,
    /// How many games have ended.
    pub ended: usize,
    /// How many there are to be.
    pub planned: usize,
}

/// The games of an evaluation: of each environment in turn its first game, then its second, and so on, so that short games
/// are not counted more often than long ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Games {
    /// The score of each game, none of those that were interrupted.
    scores: Vec<Option<f64>>,
    ending: Option<Ending>,
}

impl Games {
    /// Whether every game was played to its end.
    pub fn are_complete(&self) -> bool {
        !self.scores.contains(&None)
    }

    /// Scores of the games that ended.
    pub fn scores(&self) -> Vec<f64> {
        self.scores.iter().copied().flatten().collect()
    }

    /// How many were to be played.
    pub fn planned(&self) -> usize {
        self.scores.len()
    }

    /// Why not all ended, where that is so.
    pub fn interruption(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }
}

/// Environments on which weights are scored.
pub(crate) struct Evaluation<'a> {
    config: &'a EvaluationConfig,
    environments: VectorEnvironment,
    seed: Seed,
}

impl<'a> Evaluation<'a> {
    /// Environments whose random streams are none of those that training derives from the same seed.
    ///
    /// # Errors
    /// When the environments cannot be made or are not those of the configuration.
    pub(crate) fn new(config: &'a Config, environments: &Environments) -> Result<Self, RunError> {
        let seed = config.run().seed.derive("evaluation", 0);
        let count = config.evaluation().episodes.min(SIDE_BY_SIDE);
        let environments = environments.build(config.environment(), count, seed.derive("environment", 0))?;
        Ok(Self { config: config.evaluation(), environments, seed })
    }

    /// What plays with a network, with the random stream of this evaluation.
    pub(crate) fn policy(&self, network: QNetwork, config: NetworkConfig, device: &Device) -> Policy {
        Policy::new(network, config, self.config.noise, self.seed.derive("acting", 0), device.clone())
    }

    /// Plays whole games, all of them unless the interrupt comes before.
    ///
    /// # Errors
    /// When an environment fails.
    pub(crate) fn play(
        &mut self,
        mut policy: Policy,
        interrupt: &Interrupt,
        watch: &mut dyn FnMut(EvaluatedGame),
    ) -> Result<Games, RunError> {
        let count = self.environments.len();
        let mut tracker = ScoreTracker::new(count, NonZeroUsize::MIN);
        // Game g is the (g / count)-th game of environment g % count.
        let mut scores: Vec<Option<f64>> = vec![None; self.config.episodes.get()];
        let (mut played, mut ended) = (vec![0; count], 0);
        for (environment, step) in self.environments.reset()?.iter().enumerate() {
            tracker.begin(environment, &step.time_step);
        }
        while ended < scores.len() {
            if let Some(ending) = interrupt.ending() {
                return Ok(Games { scores, ending: Some(ending) });
            }
            let actions = policy.act(self.environments.observations(), self.config.epsilon);
            for (index, step) in self.environments.step(&actions)?.iter().enumerate() {
                let Some(game) = tracker.observe(index, step) else { continue };
                let number = played[index] * count + index;
                played[index] += 1;
                let planned = scores.len();
                if let Some(score) = scores.get_mut(number) {
                    *score = Some(game.score);
                    ended += 1;
                    watch(EvaluatedGame { number, score: game.score, ended, planned });
                }
            }
        }
        Ok(Games { scores, ending: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cartpole() -> (Config, Environments) {
        let config = Config::preset("cartpole").unwrap();
        let environments = Environments::of(config.environment(), None).unwrap();
        (config, environments)
    }

    #[test]
    fn no_game_of_an_evaluation_starts_like_one_of_training_with_the_same_seed() {
        let (config, environments) = cartpole();
        let seed = config.run().seed.derive("environment", 0);
        let mut training = environments.build(config.environment(), SIDE_BY_SIDE, seed).unwrap();
        let mut evaluation = Evaluation::new(&config, &environments).unwrap();
        training.reset().unwrap();
        evaluation.environments.reset().unwrap();
        for evaluated in 0..SIDE_BY_SIDE.get() {
            for trained in 0..SIDE_BY_SIDE.get() {
                assert_ne!(evaluation.environments.observation(evaluated), training.observation(trained));
            }
        }
    }

    #[test]
    fn an_interrupt_leaves_the_games_that_ended() {
        let (config, environments) = cartpole();
        let device = prism_model::open_device("flex").unwrap();
        let mut evaluation = Evaluation::new(&config, &environments).unwrap();
        let network = config.agent().network(evaluation.environments.spec());
        let policy = || evaluation_policy(&evaluation, &network, &device);
        let policy = policy();
        let interrupt = Interrupt::default();
        let (requested, mut told) = (interrupt.clone(), Vec::new());
        let games = evaluation.play(policy, &interrupt, &mut |game| {
            told.push(game);
            if game.ended == 3 {
                requested.request(crate::interrupt::Request::Interrupt);
            }
        });
        let games = games.unwrap();
        assert!(!games.are_complete() && games.interruption() == Some(&Ending::Interrupted));
        assert!(told.len() >= 3 && told.len() < games.planned(), "{told:?}");
        assert_eq!(games.scores().len(), told.len());
    }

    fn evaluation_policy(evaluation: &Evaluation<'_>, network: &NetworkConfig, device: &Device) -> Policy {
        let built = network.init(&mut Seed(1).generator(), device).unwrap();
        evaluation.policy(built, network.clone(), device)
    }
}
