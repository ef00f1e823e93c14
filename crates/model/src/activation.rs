//! Nonlinearities of the fully connected hidden layers.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use serde::{Deserialize, Serialize};

/// λ and α of the self-normalising unit (Klambauer et al. 2017, equation 2 and appendix A), to the digits f32 holds.
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

/// Activation of the fully connected hidden layers; convolutions always have a rectifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// max(0, x).
    Relu,
    /// λ x for x > 0, λ α (eˣ - 1) elsewhere, with λ = 1.0507 and α = 1.6733 (Klambauer et al. 2017, equation 2).
    Selu,
}

impl Activation {
    /// The activation of each element.
    pub(crate) fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Activation::Relu => relu(x),
            Activation::Selu => {
                // Split at 0 rather than masked: e to a large x is infinite, and its masked gradient would be 0 · ∞.
                let negative = x.clone().clamp_max(0.0).exp().sub_scalar(1.0).mul_scalar(SELU_ALPHA);
                (relu(x) + negative).mul_scalar(SELU_SCALE)
            }
        }
    }
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;

    #[test]
    fn selu_and_its_slope_are_the_documented_formula_even_where_e_to_x_overflows() {
        let device = crate::device::open_device("flex").expect("tests are built with flex").autodiff();
        let points = [-200.0f32, -3.0, -0.5, -1e-3, 1e-3, 0.5, 3.0, 200.0];
        let x = Tensor::<1>::from_floats(points, &device).require_grad();
        let y = Activation::Selu.apply(x.clone());
        let slopes = x.grad(&y.clone().sum().backward()).expect("x is differentiated");
        let values: Vec<f32> = y.into_data().try_to_vec().expect("floats");
        let slopes: Vec<f32> = slopes.into_data().try_to_vec().expect("floats");
        for ((&x, value), slope) in points.iter().zip(values).zip(slopes) {
            let x = f64::from(x);
            let (expected, expected_slope) = if x > 0.0 {
                (SELU_SCALE * x, SELU_SCALE)
            } else {
                (SELU_SCALE * SELU_ALPHA * (x.exp() - 1.0), SELU_SCALE * SELU_ALPHA * x.exp())
            };
            assert!((f64::from(value) - expected).abs() <= 1e-6 * expected.abs().max(1.0), "selu({x}) = {value}");
            assert!((f64::from(slope) - expected_slope).abs() < 1e-5, "selu'({x}) = {slope}");
        }
    }

    #[test]
    fn selu_keeps_mean_0_and_variance_1_of_normal_inputs() {
        // What λ and α are solved from: the integrals of selu and selu² under the standard normal density.
        let (mut mean, mut square) = (0.0, 0.0);
        let step = 1e-3;
        for i in -8000..8000 {
            let x = (f64::from(i) + 0.5) * step;
            let weight = step * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let y = if x > 0.0 { SELU_SCALE * x } else { SELU_SCALE * SELU_ALPHA * (x.exp() - 1.0) };
            mean += weight * y;
            square += weight * y * y;
        }
        assert!(mean.abs() < 1e-6 && (square - 1.0).abs() < 1e-6, "mean {mean}, square {square}");
    }
}
