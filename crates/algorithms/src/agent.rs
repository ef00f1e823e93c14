//! An agent: what remembers, learns and says which policy to act with.

pub(crate) mod config;
mod diagnostics;

use burn::tensor::Device;
use prism_environment::{AgentSteps, EnvironmentSpec, Frames, Generator, Seed, TimeStep};
use prism_model::{NetworkConfig, NetworkError, Output, QNetwork, Weights};
use thiserror::Error;

use self::config::AgentConfig;
use self::diagnostics::Diagnostics;
use crate::actor::{ActingNoise, Actor};
use crate::batch::Batch;
use crate::learner::{Learner, Measure, UpdateOutput};
use crate::policy::Policy;
use crate::probe::Probe;
use crate::replay::{Replay, ReplayError};
use crate::transition::TransitionId;

/// Why an agent cannot be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AgentError {
    /// Its network cannot be built for these observations.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Its replay cannot be built.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

/// Why an agent cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum LearningError {
    /// A loss is infinite or not a number, and so the weights are, or will be.
    #[error("learning has blown up: a loss of update {update} is {loss}")]
    NotFinite {
        /// The update, from 1.
        update: u64,
        /// The loss.
        loss: f32,
    },
}

/// Where an agent stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AgentPosition {
    /// Agent steps observed, over all environments together.
    pub agent_steps: AgentSteps,
    /// Frames they took.
    pub frames: Frames,
    /// Updates made.
    pub updates: u64,
    /// Probability of a random action.
    pub epsilon: f64,
}

/// What learning has brought that is worth recording.
#[derive(Clone, Debug, PartialEq)]
pub enum Learned {
    /// The updates since the last such summary.
    Updates(UpdateSummary),
    /// The distributions of held-out observations.
    Distributions(ObservedDistributions),
}

/// Several updates in numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateSummary {
    /// Mean loss.
    pub loss: f64,
    /// Mean q-value of the actions in the batches.
    pub mean_q: f64,
    /// Norm of the whole gradient in the last of these updates, before it was bounded.
    pub gradient_norm: f64,
    /// Transitions in replay.
    pub replay: usize,
    /// What was measured after the last of these updates, in the order of [`Agent::diagnostics`].
    pub diagnostics: Vec<f64>,
    /// Where the agent stood at the last of these updates.
    pub at: AgentPosition,
}

/// Distributions of the returns that a categorical network expects from the held-out observations.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedDistributions {
    /// Points of the support, `[atoms]`.
    pub support: Vec<f64>,
    /// How many observations these are of.
    pub observations: usize,
    /// Their probabilities, `[observations, actions, atoms]`, row-major.
    pub probabilities: Vec<f32>,
    /// Updates made.
    pub updates: u64,
}

/// An agent owns everything that decides what it will do: networks, optimiser, replay, counters and random streams. It is
/// shown what its environments answered ([`begin`](Self::begin), [`observe`](Self::observe)), learns what falls due
/// ([`learn`](Self::learn)) and gives the policy to act with ([`policy`](Self::policy)). It writes nothing: what there is to
/// record it returns.
#[derive(Debug)]
pub struct Agent {
    config: AgentConfig,
    device: Device,
    actor: Actor,
    learner: Learner,
    replay: Replay,
    sampling: Generator,
    batch: Batch,
    diagnostics: Diagnostics,
    /// Draws the held-out observations.
    held_out: Seed,
    /// The last update, whose result is read while the next is computed.
    unread: Option<UnreadUpdate>,
    window: UpdateWindow,
    /// Agent steps observed.
    agent_steps: AgentSteps,
    frames: Frames,
    /// Agent steps whose updates are made.
    learned: AgentSteps,
}

/// An update whose result is still on the device.
#[derive(Debug)]
struct UnreadUpdate {
    output: UpdateOutput,
    /// The transitions it learned from.
    ids: Vec<TransitionId>,
    /// Where the agent stood.
    at: AgentPosition,
    /// What was measured, if this update completes a summary.
    diagnostics: Option<Vec<f64>>,
}

/// Sums over the updates since the last summary.
#[derive(Clone, Copy, Debug, Default)]
struct UpdateWindow {
    updates: u64,
    loss: f64,
    q_value: f64,
}

impl Agent {
    /// An agent for `streams` environments of this kind. All its random streams come from `seed`.
    ///
    /// # Errors
    /// When the network does not fit the environments or the replay cannot be built.
    pub fn new(
        config: &AgentConfig,
        spec: &EnvironmentSpec,
        streams: usize,
        seed: Seed,
        device: &Device,
    ) -> Result<Self, AgentError> {
        let learner = Learner::new(config.learner(), config.network(spec), seed.derive("network", 0), device)?;
        Ok(Self {
            actor: Actor::new(spec.actions.len(), ActingNoise::Fresh, seed.derive("acting", 0)),
            replay: Replay::new(config.replay(&spec.observation, streams))?,
            sampling: seed.derive("replay", 0).generator(),
            batch: Batch::new(config.learning.batch_size, spec.observation.bytes()),
            diagnostics: Diagnostics::new(config, &learner.online(), device),
            held_out: seed.derive("held-out", 0),
            config: config.clone(),
            device: device.clone(),
            learner,
            unread: None,
            window: UpdateWindow::default(),
            agent_steps: AgentSteps(0),
            frames: Frames(0),
            learned: AgentSteps(0),
        })
    }

    /// What it was made from.
    pub fn config(&self) -> &AgentConfig {
        &self.config
    }

    /// What its network was made from.
    pub fn network_config(&self) -> &NetworkConfig {
        self.learner.network_config()
    }

    /// Where it stands.
    pub fn position(&self) -> AgentPosition {
        AgentPosition {
            agent_steps: self.agent_steps,
            frames: self.frames,
            updates: self.learner.updates(),
            epsilon: self.epsilon_at(self.agent_steps),
        }
    }

    /// Probability of a random action once `agent_steps` have been taken.
    pub fn epsilon_at(&self, agent_steps: AgentSteps) -> f64 {
        self.config.exploration.value(agent_steps)
    }

    /// Names of the measurements in every [`UpdateSummary`].
    pub fn diagnostics(&self) -> Vec<String> {
        self.diagnostics.names()
    }

    /// The policy of now: it shares the weights, and its random stream begins where the agent's stands. Hand it back to
    /// [`retire`](Self::retire) when it has acted, and before the next [`learn`](Self::learn) where that can be: weights that
    /// nobody else holds are changed in place.
    pub fn policy(&self) -> Policy {
        let network = self.learner.online();
        Policy::with_actor(network, self.network_config().clone(), self.actor.clone(), self.device.clone())
    }

    /// Takes a policy of [`policy`](Self::policy) back: the random stream goes on from where the policy has come.
    pub fn retire(&mut self, policy: Policy) {
        self.actor = policy.into_actor();
    }

    /// The weights of now.
    pub fn weights(&self) -> Weights {
        Weights::of(&self.network(), self.network_config())
    }

    /// The network of now, for acting: it shares the weights and has no noise.
    pub fn network(&self) -> QNetwork {
        self.learner.online()
    }

    /// Observations that are held out to measure on, once learning has begun: `[observations, bytes]`, as the network takes
    /// them.
    pub fn held_out_observations(&self) -> Option<&[u8]> {
        self.diagnostics.observations()
    }

    /// An environment starts an episode with this observation.
    ///
    /// # Panics
    /// When there is no such environment or the observation has the wrong size.
    pub fn begin(&mut self, stream: usize, observation: &[u8]) {
        self.replay.begin(stream, observation);
    }

    /// An environment answered an action with this time step and the observation that came with it. After a step of type
    /// Last, [`begin`](Self::begin) the next episode.
    ///
    /// # Panics
    /// When there is no such environment, no episode runs on it, or the step or observation is not one that can follow.
    pub fn observe(&mut self, stream: usize, action: usize, step: &TimeStep, observation: &[u8]) {
        self.replay.add(stream, action, step, observation);
        self.agent_steps += AgentSteps(1);
        self.frames += Frames(u64::from(step.frames));
    }

    /// Makes the updates and target replacements that fall due with the steps observed since the last call. Periods count
    /// agent steps, however many environments took them.
    ///
    /// # Errors
    /// When a loss is not finite: the weights are then of no use any more.
    pub fn learn(&mut self) -> Result<Vec<Learned>, LearningError> {
        let mut learned = Vec::new();
        let (before, now) = (self.learned.0, self.agent_steps.0);
        self.learned = self.agent_steps;
        for step in before + 1..=now {
            if AgentSteps(step) <= self.config.replay.warm_up {
                continue;
            }
            // With n-step returns the first transition is complete only after n steps.
            if step.is_multiple_of(self.config.learning.period.0) && !self.replay.is_empty() {
                learned.extend(self.update()?.map(Learned::Updates));
                learned.extend(self.observed_distributions().map(Learned::Distributions));
            }
            if step.is_multiple_of(self.config.learning.target_period.0) {
                self.learner.replace_target();
            }
        }
        Ok(learned)
    }

    /// Waits for the last update, whose result is otherwise read during the next.
    ///
    /// # Errors
    /// As [`learn`](Self::learn).
    pub fn finish(&mut self) -> Result<Vec<Learned>, LearningError> {
        Ok(self.read_update()?.map(Learned::Updates).into_iter().collect())
    }

    /// Agent steps until the next update falls due.
    pub fn steps_until_update(&self) -> AgentSteps {
        let (now, period) = (self.agent_steps.0, self.config.learning.period.0);
        AgentSteps((now / period + 1) * period - now)
    }

    /// Whether no update has been due yet.
    pub fn is_warming_up(&self) -> bool {
        self.agent_steps < self.config.replay.warm_up
    }

    /// Makes one update; gives the summary that the update before completes.
    fn update(&mut self) -> Result<Option<UpdateSummary>, LearningError> {
        if self.learner.updates() == 0 {
            self.hold_out();
        }
        let importance_exponent = self.importance_exponent();
        self.replay.sample_into(&mut self.batch, importance_exponent, &mut self.sampling);
        let completes = (self.learner.updates() + 1).is_multiple_of(self.config.diagnostics.record_period);
        let measure = if completes { Measure::GradientNorm } else { Measure::Losses };
        let output = self.learner.update(&self.batch, measure);
        let diagnostics = completes.then(|| self.diagnostics.measure(&self.learner, &self.replay, importance_exponent));
        let at = self.position();
        let summary = self.read_update()?;
        self.unread = Some(UnreadUpdate { output, ids: self.batch.ids.clone(), at, diagnostics });
        Ok(summary)
    }

    /// Reads the result of the update before, by now computed, and hands its priorities to the replay.
    fn read_update(&mut self) -> Result<Option<UpdateSummary>, LearningError> {
        let Some(UnreadUpdate { output, ids, at, diagnostics }) = self.unread.take() else {
            return Ok(None);
        };
        let result = output.read();
        if let Some(&loss) = result.losses.iter().find(|loss| !loss.is_finite()) {
            return Err(LearningError::NotFinite { update: at.updates, loss });
        }
        if let (Some(prioritization), Some(measured)) = (&self.config.replay.prioritization, &result.priorities) {
            self.replay.update_priorities(&ids, &prioritization.priority.of(measured));
        }
        self.window.updates += 1;
        self.window.loss += mean(&result.losses);
        self.window.q_value += mean(&result.q_values);
        Ok(diagnostics.zip(result.gradient_norm).map(|(diagnostics, gradient_norm)| {
            let window = std::mem::take(&mut self.window);
            UpdateSummary {
                loss: window.loss / window.updates as f64,
                mean_q: window.q_value / window.updates as f64,
                gradient_norm: gradient_norm.into(),
                replay: self.replay.len(),
                diagnostics,
                at,
            }
        }))
    }

    /// Distributions of the held-out observations, where it is time for them.
    fn observed_distributions(&self) -> Option<ObservedDistributions> {
        let records = self.config.diagnostics.distributions?;
        let Output::Distribution(support) = self.network_config().output else { return None };
        let (observations, updates) = (records.observations.get(), self.learner.updates());
        updates.is_multiple_of(records.period).then(|| ObservedDistributions {
            support: support.values().into_iter().map(f64::from).collect(),
            observations,
            probabilities: self.diagnostics.distributions(observations, &self.learner.online()),
            updates,
        })
    }

    /// Exponent of the importance weights: 0, which makes them all 1, where sampling needs no correction.
    fn importance_exponent(&self) -> f64 {
        let prioritization = self.config.replay.prioritization.as_ref();
        prioritization.map_or(0.0, |prioritization| prioritization.importance.value(self.agent_steps))
    }

    /// Keeps the observations that the diagnostics are made on.
    fn hold_out(&mut self) {
        let plan = self.config.diagnostics;
        let count = plan.held_out.max(plan.distributions.map_or(0, |records| records.observations.get()));
        if count == 0 {
            return;
        }
        let input = self.network_config().input.clone();
        let mut batch = Batch::new(count, input.bytes());
        self.replay.sample_into(&mut batch, 0.0, &mut self.held_out.generator());
        self.diagnostics.hold_out(Probe::new(input, batch.observations));
    }
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64
}
