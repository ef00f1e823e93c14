//! The learner: from batches to better weights.

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::{Bytes, Device, Int, Tensor, TensorData};
use prism_environment::Seed;
use prism_model::{Adam, NetworkConfig, NetworkError, QNetwork};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Batch;
use crate::gradient_norm::clip_global_norm;
use crate::loss::{TdLoss, q_learning_target};

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
    /// Loss of each example.
    pub loss: TdLoss,
    /// Optimiser and its values.
    pub optimiser: Adam,
    /// Bound on the gradient.
    pub gradient_bound: GradientBound,
}

/// Learns q-values with an online and a target network.
#[derive(Debug)]
pub struct Learner {
    config: LearnerConfig,
    network_config: NetworkConfig,
    device: Device,
    online: QNetwork,
    target: QNetwork,
    optimiser: Optimiser,
    updates: u64,
}

/// Burn's optimiser has no `Debug`; this wrapper gives it one.
struct Optimiser(ModuleOptimizer);

impl std::fmt::Debug for Optimiser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Adam")
    }
}

/// Everything that decides a learner's future, in Burn's own record format.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LearnerState {
    online: Vec<u8>,
    target: Vec<u8>,
    optimiser: Vec<u8>,
    updates: u64,
}

/// A learner's state that cannot be used.
#[derive(Debug, Error)]
#[error("this learner state cannot be restored ({reason}): it is damaged or belongs to another configuration")]
pub struct LearnerStateError {
    reason: String,
}

/// What one update computed, still on the device until [`UpdateOutput::read`].
#[derive(Debug)]
pub struct UpdateOutput {
    /// Per-example losses and chosen q-values, `[2, batch]`: one tensor, so that one read brings both.
    losses_and_q_values: Tensor<2>,
}

/// What one update computed, on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateResult {
    /// Loss of each example before importance weights, `[batch]`.
    pub losses: Vec<f32>,
    /// Q-value of the chosen action before the update, `[batch]`.
    pub q_values: Vec<f32>,
}

impl UpdateOutput {
    /// The one device-to-host crossing of an update; it waits until the update is computed.
    pub fn read(self) -> UpdateResult {
        let [_, batch] = self.losses_and_q_values.dims();
        let mut losses: Vec<f32> =
            self.losses_and_q_values.into_data().try_to_vec().expect("losses and q-values are floats");
        let q_values = losses.split_off(batch);
        UpdateResult { losses, q_values }
    }
}

impl Learner {
    /// A learner whose networks start equal, with weights drawn from `seed`.
    ///
    /// # Errors
    /// When the network cannot be built.
    pub fn new(
        config: LearnerConfig,
        network_config: NetworkConfig,
        seed: Seed,
        device: &Device,
    ) -> Result<Self, NetworkError> {
        let online = network_config.init(&mut seed.generator(), &device.clone().autodiff())?;
        let optimiser = Optimiser(config.optimiser.init());
        Ok(Self {
            config,
            network_config,
            device: device.clone(),
            target: online.valid(),
            online,
            optimiser,
            updates: 0,
        })
    }

    /// The online network for acting and saving: it shares the weights and takes no part in differentiation.
    pub fn online(&self) -> QNetwork {
        self.online.valid()
    }

    /// Shape of the networks.
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

    /// Makes one update from a batch: loss against the target network's values, gradient, optimiser step.
    ///
    /// # Panics
    /// When the batch's observations are not those the network was built for.
    pub fn update(&mut self, batch: &Batch) -> UpdateOutput {
        let size = batch.size();
        let input = &self.network_config.input;
        let plain = |values: &[f32]| Tensor::<1>::from_data(TensorData::new(values.to_vec(), [size]), &self.device);

        let next_q_values = self.target.forward(input.upload(&batch.next_observations, &self.device));
        let targets = q_learning_target(plain(&batch.returns), plain(&batch.discounts), next_q_values);

        let actions = Tensor::<2, Int>::from_data(TensorData::new(batch.actions.clone(), [size, 1]), &self.device);
        let q_values = self.online.forward(input.upload(&batch.observations, &self.device));
        let chosen = q_values.gather(1, actions).squeeze_dim::<1>(1);
        let losses = self.config.loss.of(chosen.clone() - targets);
        let weighted = losses.clone() * plain(&batch.importance_weights);

        let gradients = GradientsParams::from_grads(weighted.mean().backward(), &self.online);
        let gradients = match self.config.gradient_bound {
            GradientBound::None => gradients,
            GradientBound::GlobalNorm(limit) => clip_global_norm(&self.online, gradients, limit),
        };
        // Moved out and back, not cloned: the optimiser changes in place what nobody else holds.
        let online = std::mem::replace(&mut self.online, self.target.clone());
        self.online = self.optimiser.0.step(self.config.optimiser.learning_rate, online, gradients);
        self.updates += 1;
        UpdateOutput { losses_and_q_values: Tensor::stack(vec![losses.inner(), chosen.inner()], 0) }
    }

    /// Takes the whole state.
    pub fn state(&self) -> LearnerState {
        let network = |network: &QNetwork| {
            network.clone().into_record().into_bytes().expect("a network's record is written to memory").to_vec()
        };
        LearnerState {
            online: network(&self.online.valid()),
            target: network(&self.target),
            optimiser: self.optimiser.0.into_bytes().expect("an optimiser's record is written to memory").to_vec(),
            updates: self.updates,
        }
    }

    /// Continues from a state of [`Learner::state`], of a learner built with the same configuration.
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
        let optimiser =
            self.config.optimiser.init().from_bytes(Bytes::from_bytes_vec(state.optimiser.clone())).map_err(refused)?;
        self.online = online;
        self.target = target;
        self.optimiser = Optimiser(optimiser);
        self.updates = state.updates;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use prism_model::{Input, InputElement, Torso};
    use rand::RngExt;

    use super::*;

    const SIZE: usize = 8;

    fn learner(bound: GradientBound) -> Learner {
        let device = prism_model::open_device("flex").expect("tests are built with flex");
        let network = NetworkConfig::dqn(
            Input { shape: vec![3], element: InputElement::F32 },
            2,
            Torso::Mlp { hidden: vec![16] },
        );
        let config = LearnerConfig {
            loss: TdLoss::Squared,
            optimiser: Adam { learning_rate: 1e-2, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
            gradient_bound: bound,
        };
        Learner::new(config, network, Seed(3), &device).expect("a valid network")
    }

    fn batch(seed: u64) -> Batch {
        let mut rng = Seed(seed).generator();
        let mut floats = || (0..3 * SIZE).map(|_| rng.random_range(-1.0f32..1.0)).collect::<Vec<_>>();
        let mut batch = Batch::new(SIZE, 3 * size_of::<f32>());
        batch.observations = bytemuck::cast_slice(&floats()).to_vec();
        batch.next_observations = bytemuck::cast_slice(&floats()).to_vec();
        batch.actions = (0..SIZE as i32).map(|index| index % 2).collect();
        batch.returns = floats()[..SIZE].to_vec();
        batch.discounts = vec![0.9; SIZE];
        batch
    }

    fn q_values(learner: &Learner) -> Vec<f32> {
        let observations = learner.network_config.input.upload(&batch(77).observations, &learner.device);
        learner.online().forward(observations).into_data().try_to_vec().expect("floats")
    }

    #[test]
    fn losses_are_those_of_the_documented_target() {
        let mut learner = learner(GradientBound::None);
        let batch = batch(1);
        let values = |network: &QNetwork, observations: &[u8]| -> Vec<f32> {
            let observations = learner.network_config.input.upload(observations, &learner.device);
            network.forward(observations).into_data().try_to_vec().expect("floats")
        };
        let q = values(&learner.online.valid(), &batch.observations);
        let next = values(&learner.target, &batch.next_observations);
        let result = learner.update(&batch).read();
        for example in 0..SIZE {
            let best = next[2 * example].max(next[2 * example + 1]);
            let chosen = q[2 * example + batch.actions[example] as usize];
            let error = batch.returns[example] + batch.discounts[example] * best - chosen;
            assert!((result.q_values[example] - chosen).abs() < 1e-6);
            assert!((result.losses[example] - error * error).abs() < 1e-5);
        }
    }

    #[test]
    fn the_target_network_changes_only_when_it_is_replaced() {
        let mut learner = learner(GradientBound::None);
        let (batch, same_targets) = (batch(1), |a: &UpdateResult, b: &UpdateResult| {
            let target = |result: &UpdateResult| (result.losses[0].sqrt(), result.q_values[0]);
            // |y - q| and q before and after give y up to the error's sign, which two small steps do not flip.
            let ((error_a, q_a), (error_b, q_b)) = (target(a), target(b));
            ((q_a + error_a) - (q_b + error_b)).abs() < 1e-4 || ((q_a - error_a) - (q_b - error_b)).abs() < 1e-4
        });
        let first = learner.update(&batch).read();
        let second = learner.update(&batch).read();
        assert!(same_targets(&first, &second));
        for _ in 0..30 {
            learner.update(&batch);
        }
        let before = learner.update(&batch).read();
        learner.replace_target();
        let after = learner.update(&batch).read();
        assert!(!same_targets(&before, &after));
    }

    #[test]
    fn an_importance_weight_of_0_silences_an_example() {
        let (mut silenced, mut absent) = (learner(GradientBound::None), learner(GradientBound::None));
        let mut weighted = batch(1);
        weighted.importance_weights[0] = 0.0;
        let mut replaced = weighted.clone();
        replaced.returns[0] = 1000.0;
        silenced.update(&weighted);
        absent.update(&replaced);
        assert_eq!(q_values(&silenced), q_values(&absent));
        let mut heard = learner(GradientBound::None);
        heard.update(&batch(1));
        assert_ne!(q_values(&silenced), q_values(&heard));
    }

    #[test]
    fn a_bound_on_the_gradient_changes_the_moments_of_a_large_one() {
        // Adam's first step ignores the gradient's size, so the bound shows from the second one on.
        let (mut free, mut bounded) = (learner(GradientBound::None), learner(GradientBound::GlobalNorm(0.01)));
        for step in 0..3 {
            free.update(&batch(step));
            bounded.update(&batch(step));
        }
        assert_ne!(q_values(&free), q_values(&bounded));
    }

    #[test]
    fn a_restored_learner_goes_on_as_the_saved_one() {
        let mut saved = learner(GradientBound::GlobalNorm(1.0));
        for step in 0..5 {
            saved.update(&batch(step));
        }
        let state = saved.state();
        let mut restored = learner(GradientBound::GlobalNorm(1.0));
        restored.restore(&state).expect("the state is whole");
        for step in 5..10 {
            assert_eq!(saved.update(&batch(step)).read(), restored.update(&batch(step)).read());
        }
        assert_eq!(q_values(&saved), q_values(&restored));
        assert_eq!(restored.updates(), 10);
    }

    #[test]
    fn a_damaged_state_is_refused_and_changes_nothing() {
        let mut learner = learner(GradientBound::None);
        let before = q_values(&learner);
        let mut state = learner.state();
        state.target.truncate(state.target.len() / 2);
        learner.update(&batch(1));
        let after = q_values(&learner);
        learner.restore(&state).expect_err("half a network");
        assert_eq!(q_values(&learner), after);
        assert_ne!(before, after);
    }
}
