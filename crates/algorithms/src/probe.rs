//! Measurements of a network on a fixed set of observations, repeated through a run.

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use prism_model::{Input, QNetwork};

/// Observations of one forward pass, which bounds the memory that a measurement takes.
const PASS: usize = 250;

/// Held-out observations on which networks are compared through a run: the same ones at every measurement, as in
/// figure 3 of van Hasselt et al. 2016.
#[derive(Clone, Debug)]
pub struct Probe {
    input: Input,
    observations: Vec<u8>,
}

/// Means over the observations of a [`Probe`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeResult {
    /// Mean of the largest q-value.
    pub best_q_value: f64,
    /// Means of the streams, of dueling networks.
    pub streams: Option<StreamMeans>,
}

/// Means of the two streams of a dueling network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StreamMeans {
    /// Mean of the state values V.
    pub value: f64,
    /// Mean of the advantages A over observations and actions, before their mean is subtracted.
    pub advantage: f64,
}

impl Probe {
    /// A probe of `observations`, encoded as `input` says, one after the other.
    ///
    /// # Panics
    /// When there is none, or the last is cut short.
    pub fn new(input: Input, observations: Vec<u8>) -> Self {
        let bytes = input.bytes();
        assert!(
            !observations.is_empty() && observations.len().is_multiple_of(bytes),
            "{} bytes are not one or more observations of {bytes} bytes",
            observations.len()
        );
        Self { input, observations }
    }

    /// The observations, one after the other.
    pub fn observations(&self) -> &[u8] {
        &self.observations
    }

    /// Distributions of all actions' returns for the first `count` observations, `[count, actions, atoms]`, row-major, in
    /// one read from the device.
    ///
    /// # Panics
    /// When the network gives no distributions, or there are fewer observations.
    pub fn distributions(&self, count: usize, network: &QNetwork, device: &Device) -> Vec<f32> {
        let observations = self.input.upload(&self.observations[..count * self.input.bytes()], device);
        prism_model::read(softmax(network.logits(observations), 2))
    }

    /// Measures the network, in one read from the device.
    pub fn measure(&self, network: &QNetwork, device: &Device) -> ProbeResult {
        let bytes = self.input.bytes();
        let mut sums: Vec<Tensor<1>> = Vec::new();
        for observations in self.observations.chunks(PASS * bytes) {
            let observations = self.input.upload(observations, device);
            sums.push(network.forward(observations.clone()).max_dim(1).sum());
            if let Some((values, advantages)) = network.value_and_advantages(observations) {
                let [batch, actions] = advantages.dims();
                sums.push(values.sum());
                sums.push(advantages.sum().div_scalar((batch * actions) as f32).mul_scalar(batch as f32));
            }
        }
        let per_pass = sums.len() / self.observations.chunks(PASS * bytes).count();
        let sums = prism_model::read(Tensor::cat(sums, 0));
        let count = (self.observations.len() / bytes) as f64;
        let mean =
            |which: usize| sums.iter().skip(which).step_by(per_pass).copied().map(f64::from).sum::<f64>() / count;
        ProbeResult {
            best_q_value: mean(0),
            streams: (per_pass == 3).then(|| StreamMeans { value: mean(1), advantage: mean(2) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use prism_environment::Seed;
    use prism_model::{InputElement, NetworkConfig, Output, Streams, Support, Torso};
    use rand::RngExt;

    use super::*;

    /// More than one pass, and a last one that is cut short.
    const COUNT: usize = PASS + 70;

    fn probe(input: &Input) -> (Probe, Vec<f32>) {
        let mut generator = Seed(8).generator();
        let values: Vec<f32> = (0..3 * COUNT).map(|_| generator.random_range(-1.0..1.0)).collect();
        (Probe::new(input.clone(), bytemuck::cast_slice(&values).to_vec()), values)
    }

    fn mean(values: &[f32]) -> f64 {
        values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64
    }

    #[test]
    fn means_are_taken_over_all_observations_in_one_read() {
        let device = prism_model::open_device("flex").expect("tests are built with flex");
        let input = Input { shape: vec![3], element: InputElement::F32 };
        let (probe, values) = probe(&input);
        let dqn = NetworkConfig::dqn(input.clone(), 2, Torso::Mlp { hidden: vec![5] });
        for streams in [Streams::Single, Streams::Dueling] {
            let config = NetworkConfig { streams, ..dqn.clone() };
            let network = config.init(&mut Seed(1).generator(), &device).expect("a valid network");
            let reads = prism_model::reads();
            let result = probe.measure(&network, &device);
            assert_eq!(prism_model::reads(), reads + 1);
            let observations = input.upload(bytemuck::cast_slice(&values), &device);
            let q_values = prism_model::read(network.forward(observations.clone()));
            let best: Vec<f32> = q_values.chunks(2).map(|row| row[0].max(row[1])).collect();
            assert!((result.best_q_value - mean(&best)).abs() < 1e-5, "{result:?}");
            let expected = network.value_and_advantages(observations).map(|(values, advantages)| {
                [prism_model::read(values), prism_model::read(advantages)].map(|values| mean(&values))
            });
            assert_eq!(result.streams.is_some(), streams == Streams::Dueling);
            if let (Some(StreamMeans { value, advantage }), Some(expected)) = (result.streams, expected) {
                assert!((value - expected[0]).abs() < 1e-5 && (advantage - expected[1]).abs() < 1e-5, "{result:?}");
            }
        }
    }

    #[test]
    fn distributions_are_those_of_the_first_observations() {
        let device = prism_model::open_device("flex").expect("tests are built with flex");
        let input = Input { shape: vec![3], element: InputElement::F32 };
        let (probe, values) = probe(&input);
        let config = NetworkConfig {
            output: Output::Distribution(Support::new(-1.0, 1.0, 4).expect("a valid support")),
            ..NetworkConfig::dqn(input.clone(), 2, Torso::Mlp { hidden: vec![] })
        };
        let network = config.init(&mut Seed(1).generator(), &device).expect("a valid network");
        let distributions = probe.distributions(2, &network, &device);
        assert_eq!(distributions.len(), 2 * 2 * 4);
        let second = input.upload(bytemuck::cast_slice(&values[3..6]), &device);
        let expected = prism_model::read(softmax(network.logits(second), 2));
        for (actual, expected) in distributions[8..].iter().zip(&expected) {
            assert!((actual - expected).abs() < 1e-6);
        }
    }
}
