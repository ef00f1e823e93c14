//! Learning of distributions over fixed atoms: C51 (Bellemare et al. 2017).

use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Int, Tensor};
use prism_model::{QNetwork, Support, project};
use serde::{Deserialize, Serialize};

use super::examples::{Bootstrap, Examples, Losses, of_action};

/// How the distribution of returns at s' becomes the target at s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DistributionTarget {
    /// The distribution of G + D · Z, projected onto the support: [`project`].
    Projection,
    /// The heuristic of Zai and Brown 2020: [`spread_to_neighbours`].
    NeighbourSpreading,
}

impl DistributionTarget {
    /// Every kind, in the order in which they are listed.
    pub const ALL: [Self; 2] = [Self::Projection, Self::NeighbourSpreading];
}

/// Cross-entropies of predicted distributions against target distributions.
///
/// # Panics
/// When the networks' output is not distributions over `support`.
pub fn losses(
    kind: DistributionTarget,
    support: &Support,
    bootstrap: Bootstrap,
    online: &QNetwork,
    target: &QNetwork,
    examples: Examples,
) -> Losses {
    let next = softmax(target.logits(examples.next_observations.clone()), 2);
    let next_actions = bootstrap.actions(online, examples.next_observations, support.mean(next.clone()));
    let next = of_action(next, next_actions);
    let targets = distribution_target(kind, examples.returns, examples.discounts, next, support);
    let logits = of_action(online.logits(examples.observations), examples.actions);
    let probabilities = softmax(logits.clone().inner(), 1);
    Losses {
        losses: cross_entropy(targets.clone(), logits),
        q_values: mean(probabilities, support),
        targets: mean(targets, support),
    }
}

/// Mean of each distribution: `[batch, atoms]` to `[batch]`.
fn mean(probabilities: Tensor<2>, support: &Support) -> Tensor<1> {
    support.mean(probabilities.unsqueeze_dim::<3>(1)).squeeze_dim(1)
}

/// Cross-entropy of predicted distributions against targets that carry no gradient (Bellemare et al. 2017, algorithm 1):
/// -Σᵢ mᵢ log pᵢ.
///
/// It is the Kullback-Leibler divergence of the two plus the entropy of the target, which does not depend on the weights.
///
/// # Shapes
/// - `targets`: m, probabilities, `[batch, atoms]`
/// - `logits`: log p up to a constant, `[batch, atoms]`
/// - returns: `[batch]`
///
/// # Panics
/// When the shapes are not these.
pub fn cross_entropy(targets: Tensor<2>, logits: Tensor<2>) -> Tensor<1> {
    assert_eq!(targets.dims(), logits.dims(), "one target for each predicted distribution");
    (targets * log_softmax(logits, 1)).sum_dim(1).squeeze_dim(1).neg()
}

/// Target distributions of categorical learning.
///
/// # Shapes
/// - `returns`: G, `[batch]`
/// - `discounts`: D, `[batch]`
/// - `probabilities`: the target network's distribution of a* in s', `[batch, atoms]`
/// - returns: `[batch, atoms]`
///
/// # Panics
/// When the shapes are not these.
pub fn distribution_target(
    kind: DistributionTarget,
    returns: Tensor<1>,
    discounts: Tensor<1>,
    probabilities: Tensor<2>,
    support: &Support,
) -> Tensor<2> {
    match kind {
        DistributionTarget::Projection => project(returns, discounts, probabilities, support),
        DistributionTarget::NeighbourSpreading => spread_to_neighbours(returns, discounts, probabilities, support),
    }
}

/// The update of "Deep Reinforcement Learning in Action" (Zai and Brown 2020, chapter 7), which moves mass towards the
/// atom nearest to the return instead of shifting the distribution.
///
/// With r the index of that atom and D the discount, every atom gains a share of the mass of its neighbours on the side
/// away from r, smaller the farther the atom is from r, and the result is normalised:
///
/// ```text
/// mᵢ ∝ pᵢ + D^(r-i+1) pᵢ₋₁ for i < r,   pᵢ + D^(i-r+1) pᵢ₊₁ for i > r,   pᵢ + D (pᵢ₋₁ + pᵢ₊₁) for i = r
/// ```
///
/// Where D is 0 all mass lands on atom r. The result is a distribution, repeated updates with one return make it peak
/// there, and mass far from r stays where it was. It is not the distribution of G + D · Z: its mean is not G + D · E\[Z\],
/// returns are rounded to an atom, and what it learns is not a fixed point of the distributional Bellman equation.
///
/// # Shapes
/// As [`distribution_target`].
///
/// # Panics
/// When the shapes are not these.
pub fn spread_to_neighbours(
    returns: Tensor<1>,
    discounts: Tensor<1>,
    probabilities: Tensor<2>,
    support: &Support,
) -> Tensor<2> {
    let [batch, atoms] = probabilities.dims();
    assert_eq!(returns.dims(), [batch], "one return for each distribution");
    assert_eq!(discounts.dims(), [batch], "one discount for each distribution");
    assert_eq!(atoms, support.atoms(), "one probability for each atom");
    let device = probabilities.device();
    let indices = Tensor::<1, Int>::arange(0..atoms as i64, &device).float().reshape([1, atoms]);
    let nearest = (returns - support.v_min()).div_scalar(support.spacing()).round().clamp(0.0, (atoms - 1) as f32);
    // i - r: negative to the left of the nearest atom.
    let distance = indices.expand([batch, atoms]) - nearest.reshape([batch, 1]).expand([batch, atoms]);
    let discounts = discounts.reshape([batch, 1]).expand([batch, atoms]);
    let share = discounts.clone().powf(distance.clone().abs().add_scalar(1.0));

    let nothing = Tensor::<2>::zeros([batch, 1], &device);
    let inner = |from: usize, to: usize| probabilities.clone().slice([0..batch, from..to]);
    let left = Tensor::cat(vec![nothing.clone(), inner(0, atoms - 1)], 1);
    let right = Tensor::cat(vec![inner(1, atoms), nothing], 1);
    let at_or_left = distance.clone().lower_equal_elem(0.0).float();
    let at_or_right = distance.clone().greater_equal_elem(0.0).float();
    let spread = probabilities + share * (left * at_or_left + right * at_or_right);

    let at = distance.equal_elem(0.0).float();
    let ends = discounts.equal_elem(0.0).float();
    let spread = at * ends.clone() + spread * ends.neg().add_scalar(1.0);
    let total = spread.clone().sum_dim(1);
    spread / total
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn device() -> Device {
        prism_model::open_device("flex").expect("tests are built with flex")
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec().expect("floats")
    }

    fn assert_close(actual: &[f32], expected: &[f64]) {
        assert_eq!(actual.len(), expected.len());
        for (actual, expected) in actual.iter().zip(expected) {
            assert!((f64::from(*actual) - expected).abs() < 1e-5, "{actual} is not {expected}");
        }
    }

    /// The documented formula.
    fn scalar_spread(return_: f64, discount: f64, p: &[f64], support: &Support) -> Vec<f64> {
        let last = p.len() as i64 - 1;
        let spacing = f64::from(support.spacing());
        let r = (((return_ - f64::from(support.v_min())) / spacing).round() as i64).clamp(0, last);
        if discount == 0.0 {
            return (0..=last).map(|i| if i == r { 1.0 } else { 0.0 }).collect();
        }
        let mass = |i: i64| if (0..=last).contains(&i) { p[i as usize] } else { 0.0 };
        let spread: Vec<f64> = (0..=last)
            .map(|i| match i.cmp(&r) {
                std::cmp::Ordering::Less => mass(i) + discount.powi((r - i + 1) as i32) * mass(i - 1),
                std::cmp::Ordering::Greater => mass(i) + discount.powi((i - r + 1) as i32) * mass(i + 1),
                std::cmp::Ordering::Equal => mass(i) + discount * (mass(i - 1) + mass(i + 1)),
            })
            .collect();
        let total: f64 = spread.iter().sum();
        spread.into_iter().map(|mass| mass / total).collect()
    }

    #[test]
    fn spreading_equals_its_documented_formula() {
        let support = Support::new(-2.0, 2.0, 5).expect("a valid support");
        let p = [0.1, 0.2, 0.4, 0.25, 0.05];
        for (return_, discount) in [(0.9, 0.8), (-2.0, 0.5), (50.0, 0.9), (1.0, 0.0), (-7.0, 0.0), (0.0, 1.0)] {
            let actual = spread_to_neighbours(
                Tensor::from_floats([return_ as f32], &device()),
                Tensor::from_floats([discount as f32], &device()),
                Tensor::from_floats([p.map(|mass: f64| mass as f32)], &device()),
                &support,
            );
            assert_close(&values(actual), &scalar_spread(return_, discount, &p, &support));
        }
    }

    #[test]
    fn repeated_spreading_piles_mass_up_at_the_return() {
        let support = Support::new(-2.0, 2.0, 5).expect("a valid support");
        let mut p = Tensor::<2>::from_floats([[0.2, 0.2, 0.2, 0.2, 0.2]], &device());
        for _ in 0..50 {
            let (returns, discounts) = (Tensor::from_floats([1.0], &device()), Tensor::from_floats([0.8], &device()));
            p = spread_to_neighbours(returns, discounts, p, &support);
        }
        let p = values(p);
        assert!(p[3] > 0.5 && p.iter().all(|mass| p[3] >= *mass), "{p:?}");
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
