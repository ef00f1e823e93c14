//! C51's projection of a normal distribution, as learners compute it.

use burn::tensor::{Device, Tensor};
use prism_model::{Support, project, read};

use super::Svg;
use super::bars::{Projection, projection};

/// Draws what [`project`] does to a normal distribution of mean 0 on the 51 atoms from -10 to 10.
///
/// # Panics
/// When a number is not finite, or so much mass is far outside the support that none is left on it.
pub fn projection_of_normal(reward: f64, discount: f64, deviation: f64, device: &Device) -> Svg {
    let support = Support::new(-10.0, 10.0, 51).expect("these are the paper's");
    let atoms: Vec<f64> = support.values().into_iter().map(f64::from).collect();
    let density: Vec<f64> = atoms.iter().map(|value| (-0.5 * (value / deviation).powi(2)).exp()).collect();
    let total: f64 = density.iter().sum();
    let source: Vec<f64> = density.iter().map(|density| density / total).collect();
    let projected = |discount: f64| {
        let column = |value: f64| Tensor::<1>::from_floats([value], device);
        let source = Tensor::<1>::from_floats(source.as_slice(), device).unsqueeze_dim(0);
        let projected = read(project(column(reward), column(discount), source, &support));
        projected.into_iter().map(f64::from).collect::<Vec<_>>()
    };
    projection(&Projection {
        support: &atoms,
        source: &source,
        projected: &projected(discount),
        done: &projected(0.0),
        reward,
        discount,
    })
}
