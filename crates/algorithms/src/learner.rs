//! The learner: it updates a network from batches of transitions.

mod record;

use std::fmt;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::{Bytes, Device, Tensor};
use prism_environment::{Generator, Seed};
use prism_model::{
    NetworkConfig, NetworkError, Optimiser, QNetwork, clip_global_norm, global_norm, keep_pool_awake, write,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::batch::Batch;
use crate::objective::{Bootstrap, Examples, Losses, Objective};
use crate::priority::PriorityMeasure;

/// Whether the gradient of all parameters together is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GradientBound {
    /// Gradients are used as they are.
    None,
    /// The norm of all gradients together is at most this.
    GlobalNorm(f32),
}

/// What a learner does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearnerConfig {
    /// What the network learns to predict for each action.
    pub objective: Objective,
    /// Which network chooses the action of s' in a target.
    pub bootstrap: Bootstrap,
    /// Optimiser and its values.
    pub optimiser: Optimiser,
    /// Bound on the gradient.
    pub gradient_bound: GradientBound,
    /// What an update measures for priorities, where sampling has any.
    pub priorities: Option<PriorityMeasure>,
}

/// Trains an online network on an objective, with targets from a target network.
pub struct Learner {
    config: LearnerConfig,
    network_config: NetworkConfig,
    device: Device,
    online: QNetwork,
    target: QNetwork,
    optimiser: ModuleOptimizer,
    /// Draws the noise of noisy layers.
    noise: Generator,
    updates: u64,
}

impl fmt::Debug for Learner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, network_config, updates, .. } = self;
        f.debug_struct("Learner")
            .field("config", config)
            .field("network_config", network_config)
            .field("updates", updates)
            .finish_non_exhaustive()
    }
}

/// The whole state of a learner; networks and optimiser are in Burn's record format.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LearnerState {
    #[serde(with = "serde_bytes")]
    online: Vec<u8>,
    #[serde(with = "serde_bytes")]
    target: Vec<u8>,
    #[serde(with = "serde_bytes")]
    optimiser: Vec<u8>,
    noise: Generator,
    updates: u64,
}

/// Why a learner's state cannot be restored.
#[derive(Debug, Error)]
#[error("this learner state cannot be restored ({reason}): it is damaged or belongs to another configuration")]
pub struct LearnerStateError {
    reason: String,
}

/// What an update measures beside its losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Nothing.
    Losses,
    /// The norm of the gradient, which costs a pass over all gradients unless they are bounded.
    GradientNorm,
}

/// What one update computed, still on the device until [`UpdateOutput::read`].
#[derive(Debug)]
pub struct UpdateOutput {
    /// Losses, chosen q-values, targets if priorities are TD errors, and the gradient's norm if it was measured: one
    /// tensor, so that one read copies all of them.
    numbers: Tensor<1>,
    batch: usize,
    priorities: Option<PriorityMeasure>,
}

/// What one update computed, on the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpdateResult {
    /// Loss of each example before importance weights, `[batch]`.
    pub losses: Vec<f32>,
    /// Q-value of the chosen action before the update, `[batch]`.
    pub q_values: Vec<f32>,
    /// The measured priorities of the examples, without the offset, `[batch]`, where sampling has priorities.
    pub priorities: Option<Vec<f32>>,
    /// Global L2 norm of the gradient before it was bounded, if it was measured.
    pub gradient_norm: Option<f32>,
}

impl UpdateOutput {
    /// Waits until the update is computed and copies the result to the host: the only device-to-host copy of an update.
    pub fn read(self) -> UpdateResult {
        let numbers = prism_model::read(self.numbers);
        let (losses, rest) = numbers.split_at(self.batch);
        let (q_values, rest) = rest.split_at(self.batch);
        let (priorities, rest) = match self.priorities {
            None => (None, rest),
            Some(PriorityMeasure::Loss) => (Some(losses.to_vec()), rest),
            Some(PriorityMeasure::TdError) => {
                let (targets, rest) = rest.split_at(self.batch);
                (Some(targets.iter().zip(q_values).map(|(target, q_value)| (target - q_value).abs()).collect()), rest)
            }
        };
        UpdateResult {
            losses: losses.to_vec(),
            q_values: q_values.to_vec(),
            priorities,
            gradient_norm: rest.first().copied(),
        }
    }
}

impl Learner {
    /// A learner whose networks start equal, with weights drawn from `seed`.
    ///
    /// # Errors
    /// When the network cannot be built.
    ///
    /// # Panics
    /// When the network's output is not [`Objective::output`]; [`AgentConfig::network`](crate::AgentConfig::network) makes
    /// them equal.
    pub fn new(
        config: LearnerConfig,
        network_config: NetworkConfig,
        seed: Seed,
        device: &Device,
    ) -> Result<Self, NetworkError> {
        assert_eq!(network_config.output, config.objective.output(), "the network's output follows from the objective");
        let online = network_config.init(&mut seed.generator(), &device.clone().autodiff())?;
        Ok(Self {
            config,
            network_config,
            device: device.clone(),
            target: online.valid(),
            online,
            optimiser: config.optimiser.init(),
            noise: seed.derive("noise", 0).generator(),
            updates: 0,
        })
    }

    /// The online network for acting and saving: it shares the weights, takes no part in differentiation, and has no
    /// noise.
    pub fn online(&self) -> QNetwork {
        self.online.valid().without_noise()
    }

    /// The configuration that both networks were built from.
    pub fn network_config(&self) -> &NetworkConfig {
        &self.network_config
    }

    /// How many updates have been made.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Replaces the target network by the online one.
    pub fn replace_target(&mut self) {
        self.target = self.online.valid();
    }

    /// Makes one update from a batch: loss against the target network's values, gradient, optimiser step. Noisy layers
    /// of both networks get fresh noise first.
    ///
    /// # Panics
    /// When the batch's observations are not those the network was built for.
    pub fn update(&mut self, batch: &Batch, measure: Measure) -> UpdateOutput {
        let device = self.device.clone();
        keep_pool_awake(&device, || self.learn_from(batch, measure))
    }

    fn learn_from(&mut self, batch: &Batch, measure: Measure) -> UpdateOutput {
        let size = batch.size();
        self.draw_noise();
        let input = &self.network_config.input;
        let [observations, next_observations] =
            input.upload_pair([&batch.observations, &batch.next_observations], &self.device);
        let [actions, returns, discounts, importance_weights] = self.upload_columns(batch);
        let examples =
            Examples { observations, actions: actions.int().reshape([size, 1]), returns, discounts, next_observations };
        let LearnerConfig { objective, bootstrap, priorities, .. } = self.config;
        let Losses { losses, q_values, targets } = objective.losses(bootstrap, &self.online, &self.target, examples);

        let mut numbers = vec![losses.clone().inner(), q_values];
        numbers.extend((priorities == Some(PriorityMeasure::TdError)).then_some(targets));
        let weighted = losses * importance_weights;
        let mut gradients = GradientsParams::from_grads(weighted.mean().backward(), &self.online);
        let bounded = self.config.gradient_bound != GradientBound::None;
        let norm = (bounded || measure == Measure::GradientNorm).then(|| global_norm(&self.online, &gradients).inner());
        if let (GradientBound::GlobalNorm(limit), Some(norm)) = (self.config.gradient_bound, &norm) {
            gradients = clip_global_norm(&self.online, gradients, norm.clone(), limit);
        }
        if measure == Measure::GradientNorm {
            numbers.extend(norm);
        }
        // The network is moved out and back, not cloned: the optimiser changes weights in place only while nothing else
        // shares them.
        let online = std::mem::replace(&mut self.online, self.target.clone());
        self.online = self.optimiser.step(self.config.optimiser.learning_rate(), online, gradients);
        self.updates += 1;
        UpdateOutput { numbers: Tensor::cat(numbers, 0), batch: size, priorities }
    }

    fn draw_noise(&mut self) {
        self.online = self.online.with_noise(&mut self.noise);
        self.target = self.target.with_noise(&mut self.noise);
    }

    /// Copies actions, returns, discounts and importance weights to the device at once, `[batch]` each. An action's index
    /// travels as a float, which is exact below 2^24.
    fn upload_columns(&self, batch: &Batch) -> [Tensor<1>; 4] {
        let size = batch.size();
        let mut values: Vec<f32> = batch.actions.iter().map(|&action| action as f32).collect();
        for column in [&batch.returns, &batch.discounts, &batch.importance_weights] {
            values.extend_from_slice(column);
        }
        let columns = write(values, [4, size], &self.device);
        std::array::from_fn(|column| columns.clone().narrow(0, column, 1).reshape([size]))
    }

    /// A copy of the whole state.
    pub fn state(&self) -> LearnerState {
        let network = |network: &QNetwork| {
            network.clone().into_record().into_bytes().expect("a network's record is written to memory").to_vec()
        };
        LearnerState {
            online: network(&self.online.valid()),
            target: network(&self.target),
            optimiser: self.optimiser.into_bytes().expect("an optimiser's record is written to memory").to_vec(),
            noise: self.noise.clone(),
            updates: self.updates,
        }
    }

    /// Continues from the [`Learner::state`] of a learner built with the same configuration.
    ///
    /// # Errors
    /// When the state is damaged or belongs to other networks; the learner is then unchanged.
    pub fn restore(&mut self, state: &LearnerState) -> Result<(), LearnerStateError> {
        let refused = |error: RecordError| LearnerStateError { reason: error.to_string() };
        let network = |network: QNetwork, bytes: &[u8]| {
            let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes.to_vec())).map_err(refused)?;
            network.try_load_record(record).map_err(refused)
        };
        let online = network(self.online.clone(), &state.online)?;
        let target = network(self.target.clone(), &state.target)?;
        record::check_optimiser(&state.optimiser, &online).map_err(|reason| LearnerStateError { reason })?;
        let optimiser =
            self.config.optimiser.init().from_bytes(Bytes::from_bytes_vec(state.optimiser.clone())).map_err(refused)?;
        self.online = online;
        self.target = target;
        self.optimiser = optimiser;
        self.noise = state.noise.clone();
        self.updates = state.updates;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
