//! Adam, in one pass over each parameter.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::moments::Moments;
use crate::kernels::train::adam::{AdamFactors, adam_step};

/// Adam (Kingma and Ba 2015, algorithm 1) and its values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// Step size α.
    pub learning_rate: f64,
    /// Decay of the mean of gradients, 0.9 in the paper.
    pub beta_1: f32,
    /// Decay of the mean of squared gradients, 0.999 in the paper.
    pub beta_2: f32,
    /// ε, added to √v̂: 1e-8 in the paper, 1.5e-4 in Rainbow.
    pub epsilon: f32,
}

impl Adam {
    /// Numbers of the `time`-th step, counted from 1.
    fn factors(&self, learning_rate: f64, time: usize) -> AdamFactors {
        // In f64, because 1 - β2ᵗ loses half its digits in f32 while t is small.
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(time as f64);
        AdamFactors {
            keep_1: self.beta_1,
            keep_2: self.beta_2,
            step: (learning_rate / correction(self.beta_1)) as f32,
            correction_2: (1.0 / correction(self.beta_2).sqrt()) as f32,
            epsilon: self.epsilon,
        }
    }
}

impl Optimizer for Adam {
    type State<const D: usize> = Moments<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Moments<D>>,
    ) -> (Tensor<D>, Option<Moments<D>>) {
        let Moments { steps, mean, mean_square } = state.unwrap_or_else(|| Moments::zeros_like(&gradient));
        let steps = steps + 1;
        let factors = self.factors(learning_rate, steps);
        let (parameter, [mean, mean_square]) = adam_step(parameter, gradient, [mean, mean_square], factors);
        (parameter, Some(Moments { steps, mean, mean_square }))
    }

    fn to_device<const D: usize>(state: Moments<D>, device: &Device) -> Moments<D> {
        state.moved_to(device)
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
    use burn::tensor::Tolerance;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::input::{Input, InputElement};
    use crate::network::{NetworkConfig, QNetwork, Torso};

    const ADAM: Adam = Adam { learning_rate: 1e-2, beta_1: 0.9, beta_2: 0.999, epsilon: 1.5e-4 };

    #[test]
    fn ten_steps_equal_those_of_burns_adam() {
        let device = crate::device::open_device("flex").expect("tests are built with flex").autodiff();
        let input = Input { shape: vec![3], element: InputElement::F32 };
        let config = NetworkConfig::dqn(input, 2, Torso::Mlp { hidden: vec![70] });
        let network = config.init(&mut Xoshiro256PlusPlus::seed_from_u64(1), &device).expect("a valid network");
        let observations = Tensor::<2>::from_floats([[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0]], &device);
        let train = |mut optimiser: ModuleOptimizer| {
            let mut network: QNetwork = network.clone();
            for _ in 0..10 {
                let loss = (network.forward(observations.clone()) - 1.0).square().sum();
                let gradients = GradientsParams::from_grads(loss.backward(), &network);
                network = optimiser.step(ADAM.learning_rate, network, gradients);
            }
            network.forward(observations.clone()).into_data()
        };
        let burns = AdamConfig::new().with_epsilon(ADAM.epsilon).init();
        train(ModuleOptimizer::from(ADAM)).assert_approx_eq::<f32>(&train(burns), Tolerance::rel_abs(1e-4, 1e-5));
    }

    #[test]
    fn the_first_step_is_the_learning_rate_in_the_gradients_sign() {
        // With t = 1 both corrections cancel the decays: p - α g / (|g| + ε).
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        let adam = Adam { epsilon: 1e-8, ..ADAM };
        let (parameter, _) = adam.step(
            0.5,
            Tensor::<1>::from_floats([1.0, 1.0], &device),
            Tensor::<1>::from_floats([3.0, -0.25], &device),
            None,
        );
        let values: Vec<f32> = parameter.into_data().try_to_vec().expect("floats");
        assert!((values[0] - 0.5).abs() < 1e-5 && (values[1] - 1.5).abs() < 1e-5, "{values:?}");
    }
}
