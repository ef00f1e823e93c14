//! Evaluation: scores of trained weights on environments and seeds of their own.

use std::num::NonZeroUsize;

use prism_algorithms::Policy;
use prism_environment::{AgentSteps, Seed, VectorEnvironment};
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
    let mut evaluation = Evaluation::new(config, environments)?;
    let policy = evaluation.policy_of(config, weights)?;
    evaluation.play(policy, interrupt, watch)
}

/// Scores weights with whole games, one after the other, until these have taken `steps` agent steps: a game that has begun is
/// played to its end (Machado et al. 2018; Dopamine's evaluation phase). `watch` is told of each game as it ends.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_phase(
    config: &Config,
    environments: &Environments,
    weights: &Weights,
    steps: AgentSteps,
    interrupt: &Interrupt,
    watch: &mut dyn FnMut(EvaluatedGame),
) -> Result<Games, RunError> {
    // Side by side, the short games of a phase would be over before the long ones, and count more often.
    let mut evaluation = Evaluation::of(config, environments, NonZeroUsize::MIN)?;
    let policy = evaluation.policy_of(config, weights)?;
    evaluation.play_phase(policy, steps, interrupt, watch)
}

/// How long an evaluation lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvaluationLength {
    /// So many whole games.
    Games(NonZeroUsize),
    /// Whole games until they have taken so many agent steps.
    Phase(AgentSteps),
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
    /// Agent steps that they took.
    pub steps: AgentSteps,
}

/// The games of an evaluation: of each environment in turn its first game, then its second, and so on, so that short games
/// are not counted more often than long ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Games {
    /// The score of each game, none of those that were interrupted.
    scores: Vec<Option<f64>>,
    planned: EvaluationLength,
    ending: Option<Ending>,
}

impl Games {
    /// Whether every game was played to its end.
    pub fn are_complete(&self) -> bool {
        self.ending.is_none()
    }

    /// Scores of the games that ended.
    pub fn scores(&self) -> Vec<f64> {
        self.scores.iter().copied().flatten().collect()
    }

    /// How many were to be played.
    pub fn planned(&self) -> EvaluationLength {
        self.planned
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
        Self::of(config, environments, config.evaluation().episodes.min(SIDE_BY_SIDE))
    }

    fn of(config: &'a Config, environments: &Environments, count: NonZeroUsize) -> Result<Self, RunError> {
        let seed = config.run().seed.derive("evaluation", 0);
        let environments = environments.build(config.environment(), count, seed.derive("environment", 0))?;
        Ok(Self { config: config.evaluation(), environments, seed })
    }

    /// What plays with a network, with the random stream of this evaluation.
    pub(crate) fn policy(&self, network: QNetwork, config: NetworkConfig, device: &Device) -> Policy {
        Policy::new(network, config, self.config.noise, self.seed.derive("acting", 0), device.clone())
    }

    /// What plays with saved weights, on the device of the configuration.
    fn policy_of(&self, config: &Config, weights: &Weights) -> Result<Policy, RunError> {
        let device = device_of(config)?.device.open();
        weights.check(&config.agent().network(self.environments.spec()))?;
        Ok(self.policy(weights.network(&device)?, weights.config().clone(), &device))
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
        let planned = EvaluationLength::Games(self.config.episodes);
        let (mut played, mut ended, mut steps) = (vec![0; count], 0, AgentSteps(0));
        for (environment, step) in self.environments.reset()?.iter().enumerate() {
            tracker.begin(environment, &step.time_step);
        }
        while ended < scores.len() {
            if let Some(ending) = interrupt.ending() {
                return Ok(Games { scores, planned, ending: Some(ending) });
            }
            let actions = policy.act(self.environments.observations(), self.config.epsilon);
            for (index, step) in self.environments.step(&actions)?.iter().enumerate() {
                let Some(game) = tracker.observe(index, step) else { continue };
                let number = played[index] * count + index;
                played[index] += 1;
                if let Some(score) = scores.get_mut(number) {
                    *score = Some(game.score);
                    ended += 1;
                    steps += game.steps;
                    watch(EvaluatedGame { number, score: game.score, ended, steps });
                }
            }
        }
        Ok(Games { scores, planned, ending: None })
    }

    /// Plays whole games one after the other in the only environment, until they have taken so many agent steps.
    ///
    /// # Errors
    /// When the environment fails.
    fn play_phase(
        &mut self,
        mut policy: Policy,
        planned: AgentSteps,
        interrupt: &Interrupt,
        watch: &mut dyn FnMut(EvaluatedGame),
    ) -> Result<Games, RunError> {
        assert_eq!(self.environments.len(), 1, "the games of a phase follow one another");
        let mut tracker = ScoreTracker::new(1, NonZeroUsize::MIN);
        let (mut scores, mut steps) = (Vec::new(), AgentSteps(0));
        tracker.begin(0, &self.environments.reset()?[0].time_step);
        let games = |scores, ending| Games { scores, planned: EvaluationLength::Phase(planned), ending };
        while steps < planned {
            if let Some(ending) = interrupt.ending() {
                return Ok(games(scores, Some(ending)));
            }
            let actions = policy.act(self.environments.observations(), self.config.epsilon);
            let Some(game) = tracker.observe(0, &self.environments.step(&actions)?[0]) else { continue };
            steps += game.steps;
            scores.push(Some(game.score));
            watch(EvaluatedGame { number: scores.len() - 1, score: game.score, ended: scores.len(), steps });
        }
        Ok(games(scores, None))
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
        assert!(told.len() >= 3 && told.len() < config.evaluation().episodes.get(), "{told:?}");
        assert_eq!(games.scores().len(), told.len());
    }

    #[test]
    fn a_phase_ends_with_the_game_in_which_its_steps_are_taken() {
        let (config, environments) = cartpole();
        let device = prism_model::open_device("flex").unwrap();
        let mut evaluation = Evaluation::of(&config, &environments, NonZeroUsize::MIN).unwrap();
        let network = config.agent().network(evaluation.environments.spec());
        let (policy, mut told) = (evaluation_policy(&evaluation, &network, &device), Vec::new());
        let games = evaluation.play_phase(policy, AgentSteps(100), &Interrupt::default(), &mut |game| told.push(game));
        let games = games.unwrap();
        // A step of CartPole scores 1: lengths are scores.
        let steps: f64 = games.scores().iter().sum();
        let before = steps - games.scores().last().unwrap();
        assert!(before < 100.0 && steps >= 100.0, "{:?}", games.scores());
        assert_eq!((told.len(), told.last().unwrap().steps), (games.scores().len(), AgentSteps(steps as u64)));
        assert!(games.are_complete() && games.planned() == EvaluationLength::Phase(AgentSteps(100)));
    }

    fn evaluation_policy(evaluation: &Evaluation<'_>, network: &NetworkConfig, device: &Device) -> Policy {
        let built = network.init(&mut Seed(1).generator(), device).unwrap();
        evaluation.policy(built, network.clone(), device)
    }
}
