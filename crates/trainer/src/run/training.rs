//! Environments and the agent that plays in them: a run without anything written down.

use prism_algorithms::{Agent, AgentState, Learned, Policy, Replay};
use prism_environment::{AgentSteps, Seed, StepType, VectorEnvironment, VectorError, VectorStep};
use prism_model::Device;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::config::Config;
use crate::error::{RunError, TrainingError};

/// An agent in its environments. Whoever steps it is told what happens, as it happens.
#[derive(Debug)]
pub(crate) struct Training {
    environments: VectorEnvironment,
    agent: Agent,
    order: Order,
    limit: AgentSteps,
}

/// The state of environments and agent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TrainingState {
    environments: ByteBuf,
    agent: AgentState,
}

/// Agent steps that each environment takes at most before the agent observes them: what they show is kept until then, and a
/// request to stop waits.
const LONGEST_STRETCH: u64 = 64;

/// Whether the environments wait while the network learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// They wait: the next actions come from the weights that have just been learned.
    InTurns,
    /// They go on, with the weights from before the updates under way.
    Pipelined,
}

/// What happens while an agent trains.
#[derive(Debug)]
pub(crate) enum TrainingEvent<'a> {
    /// An environment answered an action, and the agent has observed it.
    Stepped {
        /// The environment's number.
        environment: usize,
        /// What it answered.
        step: &'a VectorStep,
    },
    /// Learning has brought something worth recording.
    Learned(Learned),
}

/// What one environment answered to an action, with copies of what it showed.
struct PlayedStep {
    environment: usize,
    action: usize,
    step: VectorStep,
    /// After the end of an episode, the first observation of the next.
    observation: Vec<u8>,
    /// The observation that an episode ended with.
    last_observation: Option<Vec<u8>>,
}

impl Training {
    /// Starts an episode in every environment.
    ///
    /// # Errors
    /// That of the first environment that cannot start, and why an agent cannot be built for them.
    pub(crate) fn new(
        config: &Config,
        mut environments: VectorEnvironment,
        seed: Seed,
        device: &Device,
    ) -> Result<Self, RunError> {
        let mut agent = Agent::new(config.agent(), environments.spec(), environments.len(), seed, device)?;
        environments.reset()?;
        for stream in 0..environments.len() {
            agent.begin(stream, environments.observation(stream));
        }
        Ok(Self::of(config, environments, agent))
    }

    /// Continues where [`Training::state`] was taken, in environments and with an agent of the same configuration. `load`
    /// puts the replay together, for an agent whose replay is like the one it is given.
    ///
    /// # Errors
    /// Why the state cannot be used, and why an agent cannot be built for the environments.
    pub(crate) fn resume(
        config: &Config,
        mut environments: VectorEnvironment,
        seed: Seed,
        device: &Device,
        state: TrainingState,
        load: impl FnOnce(&Replay) -> Result<Replay, RunError>,
        refused: impl Fn(&dyn std::fmt::Display) -> RunError,
    ) -> Result<Self, RunError> {
        let mut agent = Agent::new(config.agent(), environments.spec(), environments.len(), seed, device)?;
        environments.load_state(&state.environments).map_err(|error| refused(&error))?;
        let replay = load(agent.replay())?;
        agent.restore(state.agent, replay).map_err(|error| refused(&error))?;
        let (unlearned, most) = (agent.unlearned(), AgentSteps(environments.len() as u64 * LONGEST_STRETCH));
        if unlearned > most {
            return Err(refused(&format!("it has not learned from {unlearned}, and {most} is the most that wait")));
        }
        Ok(Self::of(config, environments, agent))
    }

    fn of(config: &Config, environments: VectorEnvironment, agent: Agent) -> Self {
        let training = config.training();
        let order = if training.pipeline { Order::Pipelined } else { Order::InTurns };
        Self { environments, agent, order, limit: training.limit }
    }

    /// What another process needs to continue from here, beside the replay.
    ///
    /// # Errors
    /// When an environment cannot be saved, and when a loss of the last update is not finite.
    pub(crate) fn state(&mut self) -> Result<TrainingState, TrainingError> {
        let environments = ByteBuf::from(self.environments.save_state()?);
        Ok(TrainingState { environments, agent: self.agent.state()? })
    }

    /// The agent.
    pub(crate) fn agent(&self) -> &Agent {
        &self.agent
    }

    /// How many environments there are.
    pub(crate) fn environments(&self) -> usize {
        self.environments.len()
    }

    /// What each environment answered last: to the reset, before anything is played.
    pub(crate) fn steps(&self) -> &[VectorStep] {
        self.environments.steps()
    }

    /// Plays at least one agent step in every environment and makes the updates that are due.
    ///
    /// # Errors
    /// When an environment fails, a loss is not finite, or `record` refuses.
    pub(crate) fn step<E: From<TrainingError>>(
        &mut self,
        record: &mut impl FnMut(&Agent, TrainingEvent<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.order {
            Order::InTurns => self.play_then_learn(record),
            Order::Pipelined => self.play_while_learning(record),
        }
    }

    /// Makes the updates that are still due and waits for the last.
    ///
    /// # Errors
    /// As [`Training::step`].
    pub(crate) fn finish<E: From<TrainingError>>(
        &mut self,
        record: &mut impl FnMut(&Agent, TrainingEvent<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut learned = self.agent.learn().map_err(TrainingError::from)?;
        learned.extend(self.agent.finish().map_err(TrainingError::from)?);
        learned.into_iter().try_for_each(|learned| record(&self.agent, TrainingEvent::Learned(learned)))
    }

    fn play_then_learn<E: From<TrainingError>>(
        &mut self,
        record: &mut impl FnMut(&Agent, TrainingEvent<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { environments, agent, .. } = self;
        let mut policy = agent.policy();
        let actions = policy.act(environments.observations(), agent.position().epsilon);
        agent.retire(policy);
        environments.step(&actions).map_err(TrainingError::from)?;
        for (stream, &action) in actions.iter().enumerate() {
            let step = &environments.steps()[stream];
            let observation = environments.observation(stream);
            if step.time_step.step_type == StepType::Last {
                agent
                    .observe(stream, action, &step.time_step, environments.last_observation(stream))
                    .map_err(TrainingError::from)?;
                agent.begin(stream, observation);
            } else {
                agent.observe(stream, action, &step.time_step, observation).map_err(TrainingError::from)?;
            }
            record(agent, TrainingEvent::Stepped { environment: stream, step })?;
        }
        let learned = agent.learn().map_err(TrainingError::from)?;
        learned.into_iter().try_for_each(|learned| record(agent, TrainingEvent::Learned(learned)))
    }

    /// Learns from the steps observed so far while the environments go on, at most to where the next update falls due. Nothing
    /// that one side does depends on how far the other has come: actions come from the weights before these updates.
    fn play_while_learning<E: From<TrainingError>>(
        &mut self,
        record: &mut impl FnMut(&Agent, TrainingEvent<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let epsilons = self.epsilons_until_update();
        let Self { environments, agent, .. } = self;
        let mut policy = agent.policy();
        let (learned, played) = rayon::join(|| agent.learn(), || play_ahead(environments, &mut policy, &epsilons));
        agent.retire(policy);
        for learned in learned.map_err(TrainingError::from)? {
            record(agent, TrainingEvent::Learned(learned))?;
        }
        for played in played.map_err(TrainingError::from)?.iter().flatten() {
            let PlayedStep { environment, action, step, observation, last_observation } = played;
            let next = last_observation.as_ref().unwrap_or(observation);
            agent.observe(*environment, *action, &step.time_step, next).map_err(TrainingError::from)?;
            if last_observation.is_some() {
                agent.begin(*environment, observation);
            }
            record(agent, TrainingEvent::Stepped { environment: *environment, step })?;
        }
        Ok(())
    }

    /// ε for each agent step of all environments from now until one of them makes an update due or reaches the limit, but no
    /// more than [`LONGEST_STRETCH`]. During the warm-up it is one step at a time, so that a request to stop is noticed soon.
    fn epsilons_until_update(&self) -> Vec<f64> {
        let now = self.agent.position().agent_steps;
        let environments = self.environments.len() as u64;
        let plays = if self.agent.is_warming_up() {
            1
        } else {
            let left = self.limit.0.saturating_sub(now.0);
            self.agent.steps_until_update().0.min(left).div_ceil(environments).clamp(1, LONGEST_STRETCH)
        };
        (0..plays).map(|play| self.agent.epsilon_at(now + AgentSteps(play * environments))).collect()
    }
}

/// One agent step of every environment for each ε.
fn play_ahead(
    environments: &mut VectorEnvironment,
    policy: &mut Policy,
    epsilons: &[f64],
) -> Result<Vec<Vec<PlayedStep>>, VectorError> {
    epsilons.iter().map(|&epsilon| play(environments, policy, epsilon)).collect()
}

fn play(
    environments: &mut VectorEnvironment,
    policy: &mut Policy,
    epsilon: f64,
) -> Result<Vec<PlayedStep>, VectorError> {
    let actions = policy.act(environments.observations(), epsilon);
    environments.step(&actions)?;
    let played = actions.into_iter().zip(environments.steps()).enumerate().map(|(environment, (action, &step))| {
        let ended = step.time_step.step_type == StepType::Last;
        PlayedStep {
            environment,
            action,
            step,
            observation: environments.observation(environment).to_vec(),
            last_observation: ended.then(|| environments.last_observation(environment).to_vec()),
        }
    });
    Ok(played.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environments::Environments;

    #[test]
    fn a_long_way_to_the_next_update_is_gone_in_short_stretches() {
        let config = Config::preset("catch").unwrap();
        let config = config.with_all([("learning.period", 1000), ("replay.warm_up", 50)]).unwrap();
        let config = config.with("training.pipeline", true).unwrap();
        let environments = Environments::of(config.environment(), None).unwrap();
        let environments = environments.build(config.environment(), config.environment().count, Seed(1)).unwrap();
        let device = prism_model::open_device("flex").expect("tests are built with flex");
        let mut training = Training::new(&config, environments, Seed(1), &device).unwrap();
        let mut longest = 0;
        while training.agent().position().updates < 2 {
            let mut steps = 0;
            let mut count = |_: &Agent, event: TrainingEvent<'_>| {
                steps += u64::from(matches!(event, TrainingEvent::Stepped { .. }));
                Ok::<(), RunError>(())
            };
            training.step(&mut count).unwrap();
            longest = longest.max(steps);
            assert!(steps <= LONGEST_STRETCH * training.environments() as u64, "{steps} steps in one stretch");
        }
        assert!(longest > training.environments() as u64, "the environments go on for more than a step: {longest}");
        // The second update was due at agent step 2000.
        assert!((2000..2000 + 2 * LONGEST_STRETCH).contains(&training.agent().position().agent_steps.0));
    }
}
