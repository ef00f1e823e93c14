//! Temporal-difference learning of q-values: DQN (Mnih et al. 2015) and double DQN (van Hasselt et al. 2016).

use burn::tensor::{Int, Tensor};
use prism_model::QNetwork;
use serde::{Deserialize, Serialize};

use super::examples::{Bootstrap, Examples, Losses};

/// How a temporal-difference error becomes a loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TdLoss {
    /// δ².
    Squared,
    /// δ²/2 while |δ| ≤ 1, |δ| - 1/2 beyond: the error clip of Nature DQN (Mnih et al. 2015, Methods).
    Huber,
}

impl TdLoss {
    /// Every loss, in the order in which they are listed.
    pub const ALL: [Self; 2] = [Self::Squared, Self::Huber];

    /// Loss of each temporal-difference error δ.
    ///
    /// # Shapes
    /// - `errors`: `[batch]`
    /// - returns: `[batch]`
    pub fn of(self, errors: Tensor<1>) -> Tensor<1> {
        match self {
            TdLoss::Squared => errors.square(),
            TdLoss::Huber => {
                let magnitude = errors.abs();
                // With c = min(|δ|, 1), both branches are c (|δ| - c/2), which has no masked operations.
                let clipped = magnitude.clone().clamp_max(1.0);
                clipped.clone() * (magnitude - clipped.mul_scalar(0.5))
            }
        }
    }
}

/// Losses of q-values against y = G + D Q_target(s', a*).
///
/// # Panics
/// When the networks' output is not q-values.
pub fn losses(loss: TdLoss, bootstrap: Bootstrap, online: &QNetwork, target: &QNetwork, examples: Examples) -> Losses {
    let next_q_values = target.forward(examples.next_observations.clone());
    let next_actions = bootstrap.actions(online, examples.next_observations, next_q_values.clone());
    let targets = q_learning_target(examples.returns, examples.discounts, next_q_values, next_actions);
    let q_values = online.forward(examples.observations);
    let chosen = q_values.gather(1, examples.actions).squeeze_dim::<1>(1);
    Losses { losses: loss.of(chosen.clone() - targets.clone()), q_values: chosen.inner(), targets }
}

/// Targets of Q-learning (Mnih et al. 2015, algorithm 1; n-step as in Sutton and Barto 2018, section 7.1):
/// y = G + D · Q_target(s', a*).
///
/// # Shapes
/// - `returns`: G, the n-step return, `[batch]`
/// - `discounts`: D, the product of the discounts up to s', 0 after a termination, `[batch]`
/// - `next_q_values`: Q_target(s', ·), `[batch, actions]`
/// - `next_actions`: a*, `[batch, 1]`
/// - returns: `[batch]`
///
/// # Panics
/// When the shapes are not these.
pub fn q_learning_target(
    returns: Tensor<1>,
    discounts: Tensor<1>,
    next_q_values: Tensor<2>,
    next_actions: Tensor<2, Int>,
) -> Tensor<1> {
    let [batch] = returns.dims();
    assert_eq!(discounts.dims(), [batch], "one discount for each return");
    assert_eq!(next_q_values.dims()[0], batch, "one row of q-values for each return");
    assert_eq!(next_actions.dims(), [batch, 1], "one action for each return");
    returns + discounts * next_q_values.gather(1, next_actions).squeeze_dim(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn device() -> Device {
        prism_model::open_device("flex").expect("tests are built with flex")
    }

    fn values(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().try_to_vec().expect("floats")
    }

    fn assert_close(actual: &[f32], expected: &[f64]) {
        assert_eq!(actual.len(), expected.len());
        for (actual, expected) in actual.iter().zip(expected) {
            assert!((f64::from(*actual) - expected).abs() < 1e-5, "{actual} is not {expected}");
        }
    }

    const ERRORS: [f32; 7] = [-3.0, -1.0, -0.25, 0.0, 0.5, 1.0, 2.5];

    #[test]
    fn losses_equal_their_documented_formulas() {
        let errors = || Tensor::<1>::from_floats(ERRORS, &device());
        let squared: Vec<f64> = ERRORS.iter().map(|&e| f64::from(e).powi(2)).collect();
        let huber: Vec<f64> =
            ERRORS.iter().map(|&e| f64::from(e).abs()).map(|e| if e <= 1.0 { e * e / 2.0 } else { e - 0.5 }).collect();
        assert_close(&values(TdLoss::Squared.of(errors())), &squared);
        assert_close(&values(TdLoss::Huber.of(errors())), &huber);
    }

    #[test]
    fn gradients_equal_numerical_derivatives() {
        // A kink lies at |δ| = 1 only in the second derivative, so central differences hold everywhere but at 0 sums.
        for loss in [TdLoss::Squared, TdLoss::Huber] {
            let errors = Tensor::<1>::from_floats(ERRORS, &device().autodiff()).require_grad();
            let gradients = loss.of(errors.clone()).sum().backward();
            let gradient = values(errors.grad(&gradients).expect("errors are tracked"));
            let step = 1e-3;
            let scalar = |e: f64| match loss {
                TdLoss::Squared => e * e,
                TdLoss::Huber if e.abs() <= 1.0 => e * e / 2.0,
                TdLoss::Huber => e.abs() - 0.5,
            };
            let numerical: Vec<f64> = ERRORS
                .iter()
                .map(|&e| (scalar(f64::from(e) + step) - scalar(f64::from(e) - step)) / (2.0 * step))
                .collect();
            for (actual, expected) in gradient.iter().zip(&numerical) {
                assert!((f64::from(*actual) - expected).abs() < 1e-3, "{loss:?}: {actual} is not {expected}");
            }
        }
    }

    #[test]
    fn the_target_bootstraps_only_through_the_discount_and_from_the_chosen_action() {
        let device = device();
        let target = q_learning_target(
            Tensor::from_floats([1.0, -1.0, 0.5], &device),
            Tensor::from_floats([0.99, 0.0, 0.970_299], &device),
            Tensor::from_floats([[2.0, 3.0], [50.0, 60.0], [-1.0, -2.0]], &device),
            Tensor::from_ints([[1], [1], [1]], &device),
        );
        assert_close(&values(target), &[1.0 + 0.99 * 3.0, -1.0, 0.5 - 2.0 * 0.970_299]);
    }
}
