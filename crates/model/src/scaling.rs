//! Scaling of observations before the first layer.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// How the elements of an observation are scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Each element by itself, as [`Input::upload`](crate::input::Input::upload) gives them: bytes from 0 to 1, floats as
    /// they are.
    Elements,
    /// All elements by one factor, so that the observation is a vector of length 1; an observation of zeros stays zero.
    UnitLength,
}

impl Scaling {
    /// Scales a batch of observations.
    ///
    /// # Shapes
    /// - `observations`: `[batch, elements]`
    /// - returns: `[batch, elements]`
    pub(crate) fn apply(self, observations: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Elements => observations,
            Self::UnitLength => {
                let length = observations.clone().square().sum_dim(1).sqrt();
                // Only a vector of zeros is shorter than the smallest positive float.
                observations / length.clamp_min(f32::MIN_POSITIVE)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_of_unit_length_keep_their_direction_and_zeros_stay_zeros() {
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        let observations = Tensor::from_floats([[3.0, 4.0], [0.0, 0.0], [-0.1, 0.0]], &device);
        let scaled = crate::transfer::read(Scaling::UnitLength.apply(observations));
        for (actual, expected) in scaled.iter().zip([0.6, 0.8, 0.0, 0.0, -1.0, 0.0]) {
            assert!((actual - expected).abs() < 1e-6, "{scaled:?}");
        }
    }
}
