//! Playing to be watched: whole games of a policy, one after the other, each known by its number.

use prism_agent::Policy;
use prism_environment::{Element, Environment, Game, Picture, Seed, StepType};

use crate::config::Config;
use crate::environments::Environments;
use crate::error::RunError;

/// A policy in the environment of its training.
///
/// Game `n` of a seed is always the same game, so that one can be chosen by its score and then be played again to be shown.
pub struct Player<'a> {
    config: &'a Config,
    environments: &'a Environments,
    policy: Policy,
    seed: Seed,
}

/// A moment of a game, before an action is taken.
pub struct PlayedStep<'a> {
    /// What the environment looks like; `None` where there is no picture of it.
    pub picture: Option<Picture>,
    /// The policy, which can be asked about `observation`.
    pub policy: &'a mut Policy,
    /// What the policy sees.
    pub observation: &'a [u8],
    /// The action that it takes; `None` at the end of the game.
    pub action: Option<usize>,
    /// Names of the actions.
    pub actions: &'a [String],
    /// The game's score so far.
    pub score: f64,
    /// Agent steps so far.
    pub steps: u64,
}

/// Whether a game goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watching {
    /// It does.
    GoesOn,
    /// Whoever watched has seen enough.
    Stops,
}

impl<'a> Player<'a> {
    /// Games of `policy` under a configuration, drawn from its seed.
    pub fn new(config: &'a Config, environments: &'a Environments, policy: Policy) -> Self {
        Self { config, environments, policy, seed: config.run().seed.derive("play", 0) }
    }

    /// Plays game `number` to its end and returns its score. `watch` is told of each step, the end included.
    ///
    /// # Errors
    /// When the environment cannot be made or fails, or the policy is for another one; and what `watch` says.
    pub fn play<E: From<RunError>>(
        &mut self,
        number: u64,
        watch: &mut dyn FnMut(PlayedStep<'_>) -> Result<Watching, E>,
    ) -> Result<f64, E> {
        let seed = self.seed.derive("game", number);
        let mut environment = self.environments.one(self.config.environment(), seed).map_err(RunError::from)?;
        let spec = environment.spec().clone();
        let fits = (spec.observation.bytes(), spec.actions.len());
        if fits != (self.policy.observation_bytes(), self.policy.actions()) {
            return Err(RunError::OtherPolicy { environment: spec.name.to_string() }.into());
        }
        let mut policy = self.policy.clone().with_seed(seed.derive("acting", 0).0);
        let epsilon = self.config.evaluation().epsilon;
        let mut observation = vec![0; spec.observation.bytes()];
        let mut step = environment.reset(&mut observation).map_err(RunError::from)?;
        let (mut score, mut steps) = (f64::from(step.raw_reward), 0);
        loop {
            let over = step.game != Game::Running;
            let action = (!over).then(|| policy.act(&observation, epsilon)[0]);
            let shown = PlayedStep {
                picture: environment.picture().or_else(|| newest_frame(environment.as_ref(), &observation)),
                policy: &mut policy,
                observation: &observation,
                action,
                actions: &spec.actions,
                score,
                steps,
            };
            if watch(shown)? == Watching::Stops {
                return Ok(score);
            }
            let Some(action) = action else { return Ok(score) };
            step = environment.step(action, &mut observation).map_err(RunError::from)?;
            score += f64::from(step.raw_reward);
            steps += 1;
            // Some protocols end an episode with a life, and go on with the game.
            if step.step_type == StepType::Last && step.game == Game::Running {
                step = environment.reset(&mut observation).map_err(RunError::from)?;
                score += f64::from(step.raw_reward);
            }
        }
    }
}

/// The newest frame of an observation, where it is an image of bytes.
fn newest_frame(environment: &dyn Environment, observation: &[u8]) -> Option<Picture> {
    let spec = &environment.spec().observation;
    let (&[.., height, width], Element::U8) = (spec.frame.as_slice(), spec.element) else { return None };
    let frame = &observation[observation.len() - height * width..];
    Some(Picture { width, pixel_aspect: 1.0, pixels: frame.iter().map(|&grey| [grey; 3]).collect() })
}
