//! Choosing actions, with one forward pass and one device-to-host copy for all environments.

use burn::tensor::Device;
use prism_environment::{Generator, Seed};
use prism_model::{Input, QNetwork, keep_pool_awake};
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// Noise of noisy layers while an actor chooses; it has no effect on networks without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActingNoise {
    /// Fresh noise for every choice, the exploration of noisy networks (Fortunato et al. 2017, section 3).
    Fresh,
    /// No noise: mean weights.
    Off,
}

/// Chooses actions ε-greedily (Mnih et al. 2015, algorithm 1), from q-values that may be noisy.
///
/// Its only state is its random stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Actor {
    generator: Generator,
    actions: usize,
    noise: ActingNoise,
}

impl Actor {
    /// An actor that chooses among `actions` actions.
    ///
    /// # Panics
    /// When there are no actions.
    pub fn new(actions: usize, noise: ActingNoise, seed: Seed) -> Self {
        assert!(actions > 0, "an actor needs at least one action");
        Self { generator: seed.generator(), actions, noise }
    }

    /// Whether it differs from another in its random stream alone.
    #[cfg(feature = "train")]
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.actions == other.actions && self.noise == other.noise
    }

    /// Chooses one action for each observation: a uniformly random one with probability `epsilon`, else the one with the
    /// largest q-value (the first of equals).
    ///
    /// The network runs on all observations at once, or not at all when every action is random.
    ///
    /// # Shapes
    /// - `observations`: `[environments, bytes]`
    /// - returns: `[environments]`
    ///
    /// # Panics
    /// When `epsilon` is not a probability.
    pub fn choose(
        &mut self,
        network: &QNetwork,
        input: &Input,
        observations: &[u8],
        epsilon: f64,
        device: &Device,
    ) -> Vec<usize> {
        let environments = observations.len() / input.bytes();
        let explored: Vec<Option<usize>> = (0..environments).map(|_| self.explore(epsilon)).collect();
        if explored.iter().all(Option::is_some) {
            return explored.into_iter().flatten().collect();
        }
        let greedy = keep_pool_awake(device, || {
            let observations = input.upload(observations, device);
            greedy(
                match self.noise {
                    ActingNoise::Fresh => network.with_noise(&mut self.generator).read_values(observations),
                    ActingNoise::Off => network.read_values(observations),
                },
                self.actions,
            )
        });
        explored.into_iter().zip(greedy).map(|(explored, greedy)| explored.unwrap_or(greedy)).collect()
    }

    fn explore(&mut self, epsilon: f64) -> Option<usize> {
        self.generator.random_bool(epsilon).then(|| self.generator.random_range(0..self.actions))
    }
}

/// The action with the largest q-value in each row.
///
/// # Shapes
/// - `q_values`: `[batch, actions]`
/// - returns: `[batch]`
fn greedy(q_values: Vec<f32>, actions: usize) -> Vec<usize> {
    q_values
        .chunks_exact(actions)
        .map(|row| (1..actions).fold(0, |best, action| if row[action] > row[best] { action } else { best }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use prism_model::{InputElement, Layers, NetworkConfig, Noise, Torso};

    const ENVIRONMENTS: usize = 3000;

    fn choices(epsilon: f64) -> (Vec<usize>, Vec<f32>) {
        let device = prism_model::open_device("flex").expect("tests are built with flex");
        let input = Input { shape: vec![2], element: InputElement::F32 };
        let config = NetworkConfig::dqn(input.clone(), 3, Torso::Mlp { hidden: vec![] });
        let network = config.init(&mut Seed(4).generator(), &device).expect("a valid network");
        let observations: Vec<f32> = (0..2 * ENVIRONMENTS).map(|i| (i as f32).sin()).collect();
        let bytes: &[u8] = bytemuck::cast_slice(&observations);
        let actions = Actor::new(3, ActingNoise::Fresh, Seed(9)).choose(&network, &input, bytes, epsilon, &device);
        let q_values = network.forward(input.upload(bytes, &device)).into_data().try_to_vec().expect("floats");
        (actions, q_values)
    }

    #[test]
    fn without_exploration_every_action_has_the_largest_q_value() {
        let (actions, q_values) = choices(0.0);
        assert_eq!(actions.len(), ENVIRONMENTS);
        for (action, row) in actions.iter().zip(q_values.chunks_exact(3)) {
            assert!(row.iter().all(|&value| value <= row[*action]), "{action} is not the best of {row:?}");
        }
    }

    #[test]
    fn noisy_layers_explore_while_their_noise_is_fresh_and_only_then() {
        let device = prism_model::open_device("flex").expect("tests are built with flex");
        let input = Input { shape: vec![2], element: InputElement::F32 };
        let config = NetworkConfig {
            layers: Layers::Noisy { noise: Noise::Independent, sigma: 1.0 },
            ..NetworkConfig::dqn(input.clone(), 3, Torso::Mlp { hidden: vec![8] })
        };
        let network = config.init(&mut Seed(4).generator(), &device).expect("a valid network");
        let observation: &[u8] = bytemuck::cast_slice(&[0.5f32, -1.0]);
        let actions_taken = |noise| {
            let mut actor = Actor::new(3, noise, Seed(9));
            let mut choose = || actor.choose(&network, &input, observation, 0.0, &device)[0];
            (0..50).map(|_| choose()).collect::<std::collections::BTreeSet<usize>>().len()
        };
        assert_eq!(actions_taken(ActingNoise::Off), 1);
        assert_eq!(actions_taken(ActingNoise::Fresh), 3);
    }

    #[test]
    fn exploration_takes_each_action_equally_often() {
        let (actions, _) = choices(1.0);
        for action in 0..3 {
            let count = actions.iter().filter(|&&chosen| chosen == action).count() as f64;
            // Four standard deviations of a binomial with p = 1/3.
            let expected = ENVIRONMENTS as f64 / 3.0;
            assert!((count - expected).abs() < 4.0 * (expected * 2.0 / 3.0).sqrt(), "action {action}: {count}");
        }
    }

    #[test]
    fn epsilon_is_the_share_of_random_actions() {
        let (actions, q_values) = choices(0.3);
        let (greedy, _) = choices(0.0);
        let differ = actions.iter().zip(&greedy).filter(|(a, b)| a != b).count() as f64;
        // Two thirds of the random actions differ from the greedy one.
        let expected = ENVIRONMENTS as f64 * 0.3 * 2.0 / 3.0;
        assert!((differ - expected).abs() < 4.0 * (expected * 0.8).sqrt(), "{differ} differ, {expected} expected");
        assert_eq!(q_values.len(), 3 * ENVIRONMENTS);
    }
}
