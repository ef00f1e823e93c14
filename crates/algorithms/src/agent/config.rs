//! What an agent is made from: the sections of a configuration that decide how it acts, remembers and learns.

use std::num::NonZeroUsize;

use prism_environment::{AgentSteps, EnvironmentSpec, ObservationSpec};
use prism_model::{Input, InputElement, NetworkConfig, NetworkParts, Optimiser};
use serde::Serialize;

use super::AgentError;
use crate::learner::{GradientBound, LearnerConfig};
use crate::objective::{Bootstrap, Objective};
use crate::priority::Priority;
use crate::replay::{ReplayConfig, Sampling};
use crate::schedule::LinearSchedule;

/// Everything that defines an agent except its environments, its seed and its device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentConfig {
    /// The network without its input, actions and output: those follow from the environment and the objective.
    pub network: NetworkParts,
    /// Probability of a random action, as a function of the agent steps of all environments together.
    pub exploration: LinearSchedule,
    /// How much is remembered and how it is drawn.
    pub replay: ReplayPlan,
    /// What is learned, and how often.
    pub learning: LearningPlan,
    /// How a gradient changes the weights.
    pub optimiser: OptimiserPlan,
    /// What is measured beside learning.
    pub diagnostics: DiagnosticsPlan,
}

/// What is remembered, and how it is drawn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReplayPlan {
    /// Transitions kept.
    pub capacity: usize,
    /// Agent steps before learning begins.
    pub warm_up: AgentSteps,
    /// How transitions are drawn.
    pub sampling: Sampling,
    /// How priorities are measured and the bias they cause is corrected; `None` where `sampling` has no priorities.
    pub prioritization: Option<Prioritization>,
}

/// Priorities and the correction of the bias they cause.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prioritization {
    /// What a transition's priority is.
    pub priority: Priority,
    /// The importance exponent (β of Schaul et al. 2016), as a function of the agent steps of all environments together.
    pub importance: LinearSchedule,
}

/// What is learned, and how often.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearningPlan {
    /// Discount per agent step.
    pub gamma: f64,
    /// n of the n-step returns: agent steps from `s` to the `s'` that a transition bootstraps from.
    pub n_step: u16,
    /// Transitions per update.
    pub batch_size: usize,
    /// Agent steps between updates.
    pub period: AgentSteps,
    /// Agent steps between replacements of the target network.
    pub target_period: AgentSteps,
    /// Which network chooses the action of s' in a target.
    pub bootstrap: Bootstrap,
    /// What the network learns to predict for each action.
    pub objective: Objective,
}

/// How a gradient changes the weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OptimiserPlan {
    /// Optimiser and its values.
    pub optimiser: Optimiser,
    /// Bound on the gradient.
    pub gradient_bound: GradientBound,
}

/// What is measured beside learning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DiagnosticsPlan {
    /// Updates that one [`UpdateSummary`](crate::UpdateSummary) covers, at least 1.
    pub record_period: u64,
    /// Observations held out at the end of the warm-up, over which q-values are averaged; 0 for none.
    pub held_out: usize,
    /// Which distributions are recorded.
    pub distributions: Option<DistributionRecords>,
}

/// Distributions that are recorded as they change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DistributionRecords {
    /// Number of observations, taken at the end of the warm-up.
    pub observations: NonZeroUsize,
    /// Updates between records.
    pub period: u64,
}

impl AgentConfig {
    /// Refuses periods and sizes of 0.
    pub(super) fn check(&self) -> Result<(), AgentError> {
        let zeros = [
            ("learning.batch_size", self.learning.batch_size == 0),
            ("learning.period", self.learning.period == AgentSteps(0)),
            ("learning.target_period", self.learning.target_period == AgentSteps(0)),
            ("diagnostics.record_period", self.diagnostics.record_period == 0),
            ("the period of distributions", self.diagnostics.distributions.is_some_and(|records| records.period == 0)),
        ];
        zeros.iter().find(|(_, zero)| *zero).map_or(Ok(()), |(name, _)| Err(AgentError::Zero(name)))
    }

    /// Configuration of this agent's network in environments of this kind.
    pub fn network(&self, spec: &EnvironmentSpec) -> NetworkConfig {
        self.network.network(input_of(&spec.observation), spec.actions.len(), self.learning.objective.output())
    }

    /// Configuration of this agent's replay, fed by `streams` environments.
    pub fn replay(&self, observation: &ObservationSpec, streams: usize) -> ReplayConfig {
        ReplayConfig {
            observation: observation.clone(),
            streams,
            capacity: self.replay.capacity,
            sampling: self.replay.sampling,
            n: self.learning.n_step,
            gamma: self.learning.gamma,
        }
    }

    /// Configuration of this agent's learner.
    pub fn learner(&self) -> LearnerConfig {
        LearnerConfig {
            objective: self.learning.objective,
            bootstrap: self.learning.bootstrap,
            optimiser: self.optimiser.optimiser,
            gradient_bound: self.optimiser.gradient_bound,
            priorities: self.replay.prioritization.as_ref().map(|prioritization| prioritization.priority.measure),
        }
    }
}

/// The network input for these observations: stacked frames become channels.
fn input_of(observation: &ObservationSpec) -> Input {
    let shape = match *observation.frame.as_slice() {
        [height, width] => vec![observation.stack, height, width],
        [channels, height, width] => vec![observation.stack * channels, height, width],
        _ => vec![observation.stack * observation.frame_elements()],
    };
    let element = match observation.element {
        prism_environment::Element::U8 => InputElement::U8,
        prism_environment::Element::F32 => InputElement::F32,
    };
    Input { shape, element }
}
