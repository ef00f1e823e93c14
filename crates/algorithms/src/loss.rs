//! Losses of value learning: pure functions over batches that return per-example values, so that the caller weights
//! and reduces them.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;
use serde::{Deserialize, Serialize};

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

    /// |δ| of an example with this loss.
    pub fn error_magnitude(self, loss: f32) -> f32 {
        match self {
            TdLoss::Squared => loss.sqrt(),
            TdLoss::Huber if loss <= 0.5 => (2.0 * loss).sqrt(),
            TdLoss::Huber => loss + 0.5,
        }
    }
}

/// Cross-entropy of predicted distributions against targets that carry no gradient (Bellemare et al. 2017, algorithm 1):
/// -Σᵢ mᵢ log pᵢ.
///
/// It is the Kullback-Leibler divergence of the two plus the target's own entropy, which no weight changes.
///
/// # Shapes
/// - `targets`: m, probabilities, `[batch, atoms]`
/// - `logits`: log p up to a constant, `[batch, atoms]`
/// - returns: `[batch]`
pub fn cross_entropy(targets: Tensor<2>, logits: Tensor<2>) -> Tensor<1> {
    assert_eq!(targets.dims(), logits.dims(), "one target for each predicted distribution");
    (targets * log_softmax(logits, 1)).sum_dim(1).squeeze_dim(1).neg()
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
    fn the_magnitude_of_an_error_is_found_again_from_its_loss() {
        for loss in [TdLoss::Squared, TdLoss::Huber] {
            let losses = values(loss.of(Tensor::<1>::from_floats(ERRORS, &device())));
            let magnitudes: Vec<f32> = losses.into_iter().map(|value| loss.error_magnitude(value)).collect();
            assert_close(&magnitudes, &ERRORS.map(|error| f64::from(error.abs())));
        }
    }

    const TARGETS: [[f32; 3]; 2] = [[0.2, 0.5, 0.3], [0.0, 0.0, 1.0]];
    const LOGITS: [[f32; 3]; 2] = [[0.5, -1.0, 2.0], [3.0, 0.0, -30.0]];

    /// The documented formula, with the softmax written out.
    fn scalar_cross_entropy(target: &[f32; 3], logits: [f64; 3]) -> f64 {
        let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
        -(0..3).map(|i| f64::from(target[i]) * (logits[i].exp() / sum).ln()).sum::<f64>()
    }

    #[test]
    fn cross_entropy_equals_its_documented_formula() {
        let losses = cross_entropy(Tensor::from_floats(TARGETS, &device()), Tensor::from_floats(LOGITS, &device()));
        let expected: Vec<f64> = TARGETS
            .iter()
            .zip(LOGITS)
            .map(|(target, logits)| scalar_cross_entropy(target, logits.map(f64::from)))
            .collect();
        assert_close(&values(losses), &expected);
    }

    #[test]
    fn the_gradient_of_cross_entropy_equals_the_numerical_derivative() {
        let logits = Tensor::<2>::from_floats(LOGITS, &device().autodiff()).require_grad();
        let targets = Tensor::from_floats(TARGETS, &device());
        let gradients = cross_entropy(targets, logits.clone()).sum().backward();
        let gradient: Vec<f32> =
            logits.grad(&gradients).expect("logits are tracked").into_data().try_to_vec().expect("floats");
        let step = 1e-4;
        for (example, (target, logits)) in TARGETS.iter().zip(LOGITS).enumerate() {
            for atom in 0..3 {
                let at = |change: f64| {
                    let mut logits = logits.map(f64::from);
                    logits[atom] += change;
                    scalar_cross_entropy(target, logits)
                };
                let expected = (at(step) - at(-step)) / (2.0 * step);
                let actual = f64::from(gradient[3 * example + atom]);
                assert!((actual - expected).abs() < 1e-4, "example {example}, atom {atom}: {actual} is not {expected}");
            }
        }
    }
}
