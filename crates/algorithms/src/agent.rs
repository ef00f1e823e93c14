//! The agent: it stores transitions, learns from them and provides the policy to act with.

pub(crate) mod config;
mod diagnostics;
pub(crate) mod offending;
pub(crate) mod state;

use burn::tensor::Device;
use prism_environment::{AgentSteps, EnvironmentSpec, Frames, Generator, Seed, TimeStep};
use prism_model::{NetworkConfig, NetworkError, Output, QNetwork, Weights};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::config::AgentConfig;
use self::diagnostics::Diagnostics;
use self::offending::Offence;
use crate::actor::{ActingNoise, Actor};
use crate::batch::Batch;
use crate::learner::{Learner, Measure, UpdateOutput, UpdateResult};
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
    /// A period or a size is 0.
    #[error("{0} is 0, it must be at least 1")]
    Zero(&'static str),
}

/// Why an agent cannot continue to learn.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum LearningError {
    /// A loss is infinite or not a number, which makes the weights useless.
    #[error("learning has blown up: a loss of update {update} is {loss}")]
    NotFinite {
        /// The update, from 1.
        update: u64,
        /// The loss.
        loss: f32,
    },
}

/// Counts of an agent's steps, frames and updates, and its current ε.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentPosition {
    /// Agent steps observed, over all environments together.
    pub agent_steps: AgentSteps,
    /// Emulator frames of these steps, those between two lives of a game included. Those before a game's first observation
    /// belong to no agent step and are not among them.
    pub frames: Frames,
    /// Updates made.
    pub updates: u64,
    /// Probability of a random action, 0 to 1.
    pub epsilon: f64,
}

/// A record that learning produced, for the caller to write down.
#[derive(Clone, Debug, PartialEq)]
pub enum Learned {
    /// A summary of the updates since the previous one.
    Updates(UpdateSummary),
    /// The distributions of held-out observations.
    Distributions(ObservedDistributions),
}

/// Statistics of several updates.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateSummary {
    /// Mean loss.
    pub loss: f64,
    /// Mean q-value of the actions in the batches.
    pub mean_q: f64,
    /// Global L2 norm of the gradient in the last of these updates, before it was bounded.
    pub gradient_norm: f64,
    /// Transitions in replay.
    pub replay: usize,
    /// What was measured after the last of these updates, in the order of [`Agent::diagnostics`].
    pub diagnostics: Vec<f64>,
    /// The agent's position at the last of these updates.
    pub at: AgentPosition,
}

/// Distributions of the returns that a categorical network expects from the held-out observations.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedDistributions {
    /// Points of the support, `[atoms]`.
    pub support: Vec<f64>,
    /// Number of held-out observations.
    pub observations: usize,
    /// Their probabilities, `[observations, actions, atoms]`, row-major.
    pub probabilities: Vec<f32>,
    /// Updates made.
    pub updates: u64,
}

/// A learning agent. It owns its whole state: networks, optimiser, replay, counters and random streams.
///
/// The caller passes in what the environments return ([`begin`](Self::begin), [`observe`](Self::observe)), lets the
/// agent make the updates that are due ([`learn`](Self::learn)) and acts with its [`policy`](Self::policy). The agent
/// writes no files: it returns the records that a caller may write.
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
    /// Why it cannot continue to learn.
    offence: Option<Offence>,
    /// Agent steps observed.
    agent_steps: AgentSteps,
    frames: Frames,
    /// Agent steps whose due updates have been made.
    learned: AgentSteps,
}

/// An update whose result has not been taken account of.
#[derive(Debug)]
struct UnreadUpdate {
    output: Unread,
    /// The transitions it learned from.
    ids: Vec<TransitionId>,
    /// The agent's position after this update.
    at: AgentPosition,
    /// The measurements, if this update completes a summary.
    diagnostics: Option<Vec<f64>>,
}

/// Where the result of an update is.
#[derive(Debug)]
enum Unread {
    Device(Box<UpdateOutput>),
    /// It was copied for a checkpoint, and is taken account of when it would have been without one.
    Host(UpdateResult),
}

impl Unread {
    fn read(self) -> UpdateResult {
        match self {
            Self::Device(output) => output.read(),
            Self::Host(result) => result,
        }
    }
}

/// Sums over the updates since the last summary.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct UpdateWindow {
    updates: u64,
    loss: f64,
    q_value: f64,
}

impl Agent {
    /// An agent for `streams` environments of this kind. All its random streams come from `seed`.
    ///
    /// # Errors
    /// When the network does not fit the environments, the replay cannot be built, or a period or the size of a batch is 0.
    pub fn new(
        config: &AgentConfig,
        spec: &EnvironmentSpec,
        streams: usize,
        seed: Seed,
        device: &Device,
    ) -> Result<Self, AgentError> {
        config.check()?;
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
            offence: None,
            agent_steps: AgentSteps(0),
            frames: Frames(0),
            learned: AgentSteps(0),
        })
    }

    /// The configuration that the agent was built from.
    pub fn config(&self) -> &AgentConfig {
        &self.config
    }

    /// What it learns from.
    pub fn replay(&self) -> &Replay {
        &self.replay
    }

    /// The configuration that its network was built from.
    pub fn network_config(&self) -> &NetworkConfig {
        self.learner.network_config()
    }

    /// The agent steps, frames and updates so far, and the current ε.
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

    /// The current policy. It shares the agent's weights and continues the agent's random stream of acting. Give it back
    /// with [`retire`](Self::retire) when it has acted, so that the stream continues from there. Do so before the next
    /// [`learn`](Self::learn) if you can: an update changes weights in place only while nothing else shares them.
    pub fn policy(&self) -> Policy {
        let network = self.learner.online();
        Policy::with_actor(network, self.network_config().clone(), self.actor.clone(), self.device.clone())
    }

    /// Takes back a policy of [`policy`](Self::policy) and continues with its random stream.
    pub fn retire(&mut self, policy: Policy) {
        self.actor = policy.into_actor();
    }

    /// The current weights.
    pub fn weights(&self) -> Weights {
        Weights::of(&self.network(), self.network_config())
    }

    /// The current online network, for acting: it shares the weights and has no noise.
    pub fn network(&self) -> QNetwork {
        self.learner.online()
    }

    /// The held-out observations that diagnostics are measured on, `[observations, bytes]`, encoded as the network's input;
    /// none before the first update.
    pub fn held_out_observations(&self) -> Option<&[u8]> {
        self.diagnostics.observations()
    }

    /// Records that environment `stream` starts an episode with this observation, `[bytes]`.
    ///
    /// # Panics
    /// When there is no such environment or the observation has the wrong size.
    pub fn begin(&mut self, stream: usize, observation: &[u8]) {
        self.replay.begin(stream, observation);
    }

    /// Records that environment `stream` answered `action` with this time step and observation, `[bytes]`. After a step of
    /// type Last, [`begin`](Self::begin) the next episode.
    ///
    /// # Errors
    /// [`ReplayError::NotShifted`] when the observation is a stack of frames and not the previous one shifted by one.
    ///
    /// # Panics
    /// When there is no such environment, no episode runs on it, the observation has the wrong size, the step is a First, or
    /// its reward or discount is not finite.
    pub fn observe(
        &mut self,
        stream: usize,
        action: usize,
        step: &TimeStep,
        observation: &[u8],
    ) -> Result<(), ReplayError> {
        self.replay.add(stream, action, step, observation)?;
        self.agent_steps += AgentSteps(1);
        self.frames += Frames(u64::from(step.frames));
        Ok(())
    }

    /// Makes the updates and target replacements that became due with the steps observed since the last call. Periods count
    /// agent steps, however many environments took them.
    ///
    /// # Errors
    /// When a loss is not finite: the weights are then useless.
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

    /// Reads the result of the last update, which is otherwise read during the next one.
    ///
    /// # Errors
    /// As [`learn`](Self::learn).
    pub fn finish(&mut self) -> Result<Vec<Learned>, LearningError> {
        Ok(self.read_update()?.map(Learned::Updates).into_iter().collect())
    }

    /// Agent steps until the next update is due.
    pub fn steps_until_update(&self) -> AgentSteps {
        let (now, period) = (self.agent_steps.0, self.config.learning.period.0);
        AgentSteps((now / period + 1) * period - now)
    }

    /// Agent steps observed since the last [`learn`](Self::learn).
    pub fn unlearned(&self) -> AgentSteps {
        AgentSteps(self.agent_steps.0 - self.learned.0)
    }

    /// Whether fewer agent steps have been observed than the warm-up takes.
    pub fn is_warming_up(&self) -> bool {
        self.agent_steps < self.config.replay.warm_up
    }

    /// Makes one update and returns the summary that the previous update completes, if it does.
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
        self.unread = Some(UnreadUpdate {
            output: Unread::Device(Box::new(output)),
            ids: self.batch.ids.clone(),
            at,
            diagnostics,
        });
        Ok(summary)
    }

    /// Reads the result of the previous update, which the device has computed by now, and updates the priorities in the
    /// replay.
    fn read_update(&mut self) -> Result<Option<UpdateSummary>, LearningError> {
        let Some(UnreadUpdate { output, ids, at, diagnostics }) = self.unread.take() else {
            return Ok(None);
        };
        let result = output.read();
        self.check_finite(&ids, &result, at)?;
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

    /// Refuses the result of an update that made the weights useless, and keeps it as [`Agent::offending_batch`].
    fn check_finite(
        &mut self,
        ids: &[TransitionId],
        result: &UpdateResult,
        at: AgentPosition,
    ) -> Result<(), LearningError> {
        let Some(&loss) = result.losses.iter().find(|loss| !loss.is_finite()) else { return Ok(()) };
        let update = at.updates;
        self.offence = Some(Offence { update, ids: ids.to_vec(), result: result.clone() });
        Err(LearningError::NotFinite { update, loss })
    }

    /// Distributions of the held-out observations, when a record of them is due.
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

    /// Draws the held-out observations for the diagnostics from the replay.
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
