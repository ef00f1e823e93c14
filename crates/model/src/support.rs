//! The values a learned distribution of returns can take.

use burn::tensor::{Device, Int, Tensor};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Evenly spaced atoms z_i = v_min + i (v_max - v_min) / (atoms - 1) (Bellemare et al. 2017, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Typed")]
pub struct Support {
    v_min: f32,
    v_max: f32,
    atoms: usize,
}

/// Why a support is refused.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum SupportError {
    /// The ends do not bound a finite interval.
    #[error("v_min {v_min} and v_max {v_max} bound no returns: both must be finite and v_min the smaller")]
    Bounds {
        /// The lower end.
        v_min: f32,
        /// The upper end.
        v_max: f32,
    },
    /// Too few atoms to reach both ends.
    #[error("atoms is {atoms}: a distribution of returns needs at least 2, one at each end")]
    Atoms {
        /// How many were asked for.
        atoms: usize,
    },
}

/// A [`Support`] as it arrives from a file, unchecked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    v_min: f32,
    v_max: f32,
    atoms: usize,
}

impl TryFrom<Typed> for Support {
    type Error = SupportError;

    fn try_from(typed: Typed) -> Result<Self, SupportError> {
        Self::new(typed.v_min, typed.v_max, typed.atoms)
    }
}

impl Support {
    /// `atoms` values from `v_min` to `v_max`, both included; -10, 10 and 51 in the paper.
    ///
    /// # Errors
    /// When the ends are not finite or not in order, or `atoms` is below 2.
    pub fn new(v_min: f32, v_max: f32, atoms: usize) -> Result<Self, SupportError> {
        // The difference too: the ends of f32's range are finite and infinitely far apart.
        if !(v_min < v_max && (v_max - v_min).is_finite()) {
            return Err(SupportError::Bounds { v_min, v_max });
        }
        if atoms < 2 {
            return Err(SupportError::Atoms { atoms });
        }
        Ok(Self { v_min, v_max, atoms })
    }

    /// The smallest atom.
    pub fn v_min(&self) -> f32 {
        self.v_min
    }

    /// The largest atom.
    pub fn v_max(&self) -> f32 {
        self.v_max
    }

    /// Number of atoms.
    pub fn atoms(&self) -> usize {
        self.atoms
    }

    /// The distance between neighbouring atoms.
    pub fn spacing(&self) -> f32 {
        self.exact_spacing() as f32
    }

    /// The atoms, rising, `[atoms]`.
    pub fn values(&self) -> Vec<f32> {
        (0..self.atoms).map(|i| (f64::from(self.v_min) + i as f64 * self.exact_spacing()) as f32).collect()
    }

    /// The atoms, `[atoms]`, computed on the device: nothing is copied there.
    pub fn tensor(&self, device: &Device) -> Tensor<1> {
        let indices = Tensor::<1, Int>::arange(0..self.atoms as i64, device).float();
        indices.mul_scalar(self.exact_spacing()).add_scalar(self.v_min)
    }

    /// The mean of each distribution: the q-values of a distributional network.
    ///
    /// # Shapes
    /// - `probabilities`: `[batch, actions, atoms]`
    /// - returns: `[batch, actions]`
    ///
    /// # Panics
    /// When the last axis is not the atoms.
    pub fn mean(&self, probabilities: Tensor<3>) -> Tensor<2> {
        let [_, _, atoms] = probabilities.dims();
        assert_eq!(atoms, self.atoms, "probabilities of {atoms} atoms do not fit a support of {}", self.atoms);
        let values = self.tensor(&probabilities.device().without_autodiff());
        (probabilities * values.reshape([1, 1, atoms])).sum_dim(2).squeeze_dim(2)
    }

    fn exact_spacing(&self) -> f64 {
        (f64::from(self.v_max) - f64::from(self.v_min)) / (self.atoms - 1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atoms_are_evenly_spaced_and_reach_both_ends() {
        for (v_min, v_max, atoms) in [(-10.0, 10.0, 51), (0.0, 500.0, 51), (-0.1, 0.3, 2), (-3.0, 7.0, 12)] {
            let support = Support::new(v_min, v_max, atoms).expect("a valid support");
            let values = support.values();
            assert_eq!([values.len(), support.atoms()], [atoms, atoms]);
            assert_eq!([values[0], values[atoms - 1]], [v_min, v_max]);
            let tolerance = 1e-6 * (v_max - v_min);
            assert!(values.windows(2).all(|pair| (pair[1] - pair[0] - support.spacing()).abs() < tolerance));
            let device = crate::device::open_device("flex").expect("tests are built with flex");
            let on_device: Vec<f32> = support.tensor(&device).into_data().try_to_vec().expect("floats");
            assert!(on_device.iter().zip(&values).all(|(a, b)| (a - b).abs() < tolerance), "{on_device:?}");
        }
        assert_eq!(Support::new(-10.0, 10.0, 51).expect("the paper's support").spacing(), 0.4);
    }

    #[test]
    fn impossible_supports_are_refused_with_their_values_also_when_they_are_read() {
        for (v_min, v_max, atoms, part) in [
            (1.0, 1.0, 51, "v_min 1 and v_max 1"),
            (10.0, -10.0, 51, "v_min 10 and v_max -10"),
            (f32::NAN, 1.0, 51, "v_min NaN"),
            (0.0, f32::INFINITY, 51, "v_max inf"),
            (f32::MIN, f32::MAX, 51, "bound no returns"),
            (-1.0, 1.0, 1, "atoms is 1"),
            (-1.0, 1.0, 0, "atoms is 0"),
        ] {
            let message = Support::new(v_min, v_max, atoms).expect_err("impossible").to_string();
            assert!(message.contains(part), "{message}");
        }
        let read = |json: &str| serde_json::from_str::<Support>(json).map_err(|error| error.to_string());
        assert!(read(r#"{"v_min": 3, "v_max": 2, "atoms": 5}"#).expect_err("impossible").contains("v_min 3"));
        let support = Support::new(-0.1, 7.3, 21).expect("a valid support");
        assert_eq!(read(&serde_json::to_string(&support).expect("plain data")), Ok(support));
    }

    #[test]
    fn the_mean_weighs_each_atom_by_its_probability() {
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        let support = Support::new(-1.0, 3.0, 3).expect("a valid support");
        let probabilities = [[[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0], [0.2, 0.6, 0.2]]];
        let means: Vec<f32> =
            support.mean(Tensor::from_floats(probabilities, &device)).into_data().try_to_vec().expect("floats");
        for (mean, expected) in means.iter().zip([0.5, 3.0, -1.0, 1.0]) {
            assert!((mean - expected).abs() < 1e-6, "{mean} is not {expected}");
        }
    }
}
