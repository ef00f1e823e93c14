//! The side of a run that plays. It needs a network to choose with and nothing else of the learner, so that both can go on
//! at the same time.

use burn::tensor::Device;
use prism_algorithms::{Actor, Replay};
use prism_environment::{StepType, VectorEnvironment, VectorError, VectorStep};
use prism_model::{Input, QNetwork};

/// Environments and the one who acts in them.
pub(crate) struct Player {
    environments: VectorEnvironment,
    actor: Actor,
    input: Input,
    device: Device,
}

/// What one environment answered to an action, with copies of what it showed.
pub(crate) struct PlayedStep {
    action: usize,
    pub(crate) step: VectorStep,
    /// After the end of an episode, the first observation of the next.
    observation: Vec<u8>,
    /// The observation that an episode ended with.
    last_observation: Option<Vec<u8>>,
}

impl Player {
    /// Starts an episode in every environment.
    ///
    /// # Errors
    /// That of the first environment that cannot start.
    pub(crate) fn new(
        mut environments: VectorEnvironment,
        actor: Actor,
        input: Input,
        device: Device,
    ) -> Result<Self, VectorError> {
        environments.reset()?;
        Ok(Self { environments, actor, input, device })
    }

    /// The environments.
    pub(crate) fn environments(&self) -> &VectorEnvironment {
        &self.environments
    }

    /// One agent step of every environment, with what `network` and `epsilon` make of their observations.
    ///
    /// # Errors
    /// That of the first environment that failed.
    pub(crate) fn play(&mut self, network: &QNetwork, epsilon: f64) -> Result<Vec<PlayedStep>, VectorError> {
        let observations = self.environments.observations();
        let actions = self.actor.choose(network, &self.input, observations, epsilon, &self.device);
        self.environments.step(&actions)?;
        let played = actions.into_iter().zip(self.environments.steps()).enumerate().map(|(index, (action, &step))| {
            let ended = step.time_step.step_type == StepType::Last;
            PlayedStep {
                action,
                step,
                observation: self.environments.observation(index).to_vec(),
                last_observation: ended.then(|| self.environments.last_observation(index).to_vec()),
            }
        });
        Ok(played.collect())
    }
}

impl PlayedStep {
    /// Adds the step to the replay as the next of `stream`.
    pub(crate) fn remember(&self, stream: usize, replay: &mut Replay) {
        let next = self.last_observation.as_ref().unwrap_or(&self.observation);
        replay.add(stream, self.action, &self.step.time_step, next);
        if self.last_observation.is_some() {
            replay.begin(stream, &self.observation);
        }
    }
}
