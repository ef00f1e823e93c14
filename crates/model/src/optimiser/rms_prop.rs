//! RMSProp as DQN used it: centred, and with the small constant inside the root.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::moments::Moments;
use crate::kernels::train::rms_prop::{RmsPropFactors, rms_prop_step};

/// Centred RMSProp (Graves 2013, equations 38 to 41) and its values.
///
/// With g a gradient, m and v the running means of g and g²:
///
/// ```text
/// m ← ρ m + (1-ρ) g
/// v ← ρ v + (1-ρ) g²
/// p ← p - α g / √(v - m² + ε)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsProp {
    /// Step size α.
    pub learning_rate: f64,
    /// ρ, decay of both running means: 0.95 in Nature DQN.
    pub decay: f32,
    /// ε, added inside the root: 0.01 in Nature DQN, where errors are summed over the batch.
    pub epsilon: f32,
}

impl Optimizer for RmsProp {
    type State<const D: usize> = Moments<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Moments<D>>,
    ) -> (Tensor<D>, Option<Moments<D>>) {
        let Moments { steps, mean, mean_square } = state.unwrap_or_else(|| Moments::zeros_like(&gradient));
        let factors = RmsPropFactors { keep: self.decay, step: learning_rate as f32, epsilon: self.epsilon };
        let (parameter, [mean, mean_square]) = rms_prop_step(parameter, gradient, [mean, mean_square], factors);
        (parameter, Some(Moments { steps: steps + 1, mean, mean_square }))
    }

    fn to_device<const D: usize>(state: Moments<D>, device: &Device) -> Moments<D> {
        state.moved_to(device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_equal_the_documented_formula() {
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        let rms_prop = RmsProp { learning_rate: 0.1, decay: 0.95, epsilon: 0.01 };
        let gradients = [[0.5f32, -2.0, 0.0], [0.25, 1.0, 0.0], [-4.0, 1.0, 1e-3]];
        let (mut expected, mut m, mut v) = ([1.0f64, 2.0, 3.0], [0.0; 3], [0.0; 3]);
        let (mut parameter, mut state) = (Tensor::<1>::from_floats([1.0, 2.0, 3.0], &device), None);
        for gradient in gradients {
            (parameter, state) = rms_prop.step(0.1, parameter, Tensor::from_floats(gradient, &device), state);
            for i in 0..3 {
                let g = f64::from(gradient[i]);
                m[i] = 0.95 * m[i] + 0.05 * g;
                v[i] = 0.95 * v[i] + 0.05 * g * g;
                expected[i] -= 0.1 * g / (v[i] - m[i] * m[i] + 0.01).sqrt();
            }
        }
        let actual: Vec<f32> = parameter.into_data().try_to_vec().expect("floats");
        for (actual, expected) in actual.iter().zip(expected) {
            assert!((f64::from(*actual) - expected).abs() < 1e-5, "{actual} is not {expected}");
        }
    }
}
