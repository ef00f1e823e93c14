//! The policy: a network with what it needs to choose actions.

use burn::tensor::Device;
use prism_environment::Seed;
use prism_model::{NetworkConfig, QNetwork};

use crate::actor::{ActingNoise, Actor};

/// A network that acts: it takes observations as environments write them and returns actions. It needs neither gradients
/// nor a replay.
#[derive(Clone, Debug)]
pub struct Policy {
    network: QNetwork,
    config: NetworkConfig,
    actor: Actor,
    device: Device,
}

impl Policy {
    /// A policy that acts with `network`, which was built from `config` on `device`. Its random stream, for ε and for the
    /// noise of noisy layers, comes from `seed`.
    pub fn new(network: QNetwork, config: NetworkConfig, noise: ActingNoise, seed: Seed, device: Device) -> Self {
        let actor = Actor::new(config.actions, noise, seed);
        Self::with_actor(network, config, actor, device)
    }

    pub(crate) fn with_actor(network: QNetwork, config: NetworkConfig, actor: Actor, device: Device) -> Self {
        Self { network, config, actor, device }
    }

    /// The actor, whose random stream continues where the policy left it.
    #[cfg(feature = "train")]
    pub(crate) fn into_actor(self) -> Actor {
        self.actor
    }

    /// What the network is built from: the observations it takes and the number of its actions.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// An action for each observation: a uniformly random one with probability `epsilon`, else the one of largest q-value
    /// (the first of equals). Noisy layers have one draw of noise for all observations of a call.
    ///
    /// # Shapes
    /// - `observations`: `[observations, bytes]`, one after the other
    /// - returns: `[observations]`
    ///
    /// # Panics
    /// When `epsilon` is not a probability or the last observation is cut short.
    pub fn act(&mut self, observations: &[u8], epsilon: f64) -> Vec<usize> {
        self.check(observations);
        self.actor.choose(&self.network, &self.config.input, observations, epsilon, &self.device)
    }

    /// Q-values of each observation, `[observations, actions]`, row-major. Noisy layers use their mean weights.
    ///
    /// # Panics
    /// When the last observation is cut short.
    pub fn values(&self, observations: &[u8]) -> Vec<f32> {
        self.check(observations);
        self.network.read_values(self.config.input.upload(observations, &self.device))
    }

    /// Probabilities of the atoms of each action's return, `[observations, actions, atoms]`, row-major; `None` where the
    /// network has no support. Noisy layers use their mean weights.
    ///
    /// # Panics
    /// When the last observation is cut short.
    pub fn distributions(&self, observations: &[u8]) -> Option<Vec<f32>> {
        self.check(observations);
        self.network.support()?;
        self.network.read_distributions(self.config.input.upload(observations, &self.device))
    }

    fn check(&self, observations: &[u8]) {
        let bytes = self.config.input.bytes();
        assert!(
            observations.len().is_multiple_of(bytes),
            "{} bytes are not whole observations of {bytes} bytes",
            observations.len()
        );
    }
}

#[cfg(test)]
mod tests {
    use prism_model::{Input, InputElement, Output, Support, Torso};

    use super::*;

    fn policy(output: Output) -> Policy {
        let device = prism_model::open_device("flex").expect("tests are built with flex");
        let input = Input { shape: vec![2], element: InputElement::F32 };
        let config = NetworkConfig { output, ..NetworkConfig::dqn(input, 3, Torso::Mlp { hidden: vec![8] }) };
        let network = config.init(&mut Seed(4).generator(), &device).expect("a valid network");
        Policy::new(network, config, ActingNoise::Off, Seed(1), device)
    }

    fn observations() -> Vec<u8> {
        bytemuck::cast_slice(&[0.5f32, -1.0, 0.25, 2.0]).to_vec()
    }

    #[test]
    fn a_greedy_action_has_the_largest_value() {
        let mut policy = policy(Output::QValues);
        let values = policy.values(&observations());
        let actions = policy.act(&observations(), 0.0);
        assert_eq!((values.len(), actions.len()), (6, 2));
        for (row, action) in values.chunks(3).zip(actions) {
            assert!(row.iter().all(|&value| value <= row[action]), "{action} is not the best of {row:?}");
        }
        assert_eq!(policy.distributions(&observations()), None);
    }

    #[test]
    fn values_are_the_means_of_the_distributions() {
        let support = Support::new(-1.0, 1.0, 5).expect("a valid support");
        let policy = policy(Output::Distribution(support));
        let distributions = policy.distributions(&observations()).expect("the network has distributions");
        for (probabilities, value) in distributions.chunks(5).zip(policy.values(&observations())) {
            let mean: f32 = probabilities.iter().zip(support.values()).map(|(mass, atom)| mass * atom).sum();
            assert!((mean - value).abs() < 1e-5, "{mean} is not {value}");
        }
    }
}
