//! Targets of value learning: pure functions over batches of tensors that carry no gradient.

use burn::tensor::{Int, Tensor};
use prism_model::{Support, project};
use serde::{Deserialize, Serialize};

/// Whose opinion decides which action of s' a target is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bootstrap {
    /// The target network's, which then also values it (Mnih et al. 2015, algorithm 1).
    Max,
    /// The online network's, while the target network values it (van Hasselt et al. 2016, "Deep reinforcement learning
    /// with double Q-learning", equation 4).
    Double,
}

/// How a distribution of returns at s' becomes the one wanted at s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DistributionTarget {
    /// The distribution of G + D · Z, projected onto the support: [`project`].
    Projection,
    /// [`spread_to_neighbours`].
    NeighbourSpreading,
}

/// Targets of Q-learning (Mnih et al. 2015, algorithm 1; n-step as in Sutton and Barto 2018, section 7.1):
/// y = G + D · Q_target(s', a*).
///
/// # Shapes
/// - `returns`: G, the n-step return, `[batch]`
/// - `discounts`: D, the product of the discounts up to s', 0 after a real ending, `[batch]`
/// - `next_q_values`: Q_target(s', ·), `[batch, actions]`
/// - `next_actions`: a*, `[batch, 1]`
/// - returns: `[batch]`
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

/// Distribution of each example's action.
///
/// # Shapes
/// - `distributions`: `[batch, actions, atoms]`
/// - `actions`: `[batch, 1]`
/// - returns: `[batch, atoms]`
pub fn distribution_of_action(distributions: Tensor<3>, actions: Tensor<2, Int>) -> Tensor<2> {
    let [batch, _, atoms] = distributions.dims();
    let actions = actions.reshape([batch, 1, 1]).expand([batch, 1, atoms]);
    distributions.gather(1, actions).squeeze_dim(1)
}

/// Target distributions of categorical learning.
///
/// # Shapes
/// - `returns`: G, `[batch]`
/// - `discounts`: D, `[batch]`
/// - `probabilities`: the target network's distribution of a* in s', `[batch, atoms]`
/// - returns: `[batch, atoms]`
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
/// With r the index of that atom and D the discount, every atom takes a share of its outer neighbour's mass, the less the
/// farther it is from r, and the sum is normalised:
///
/// ```text
/// mᵢ ∝ pᵢ + D^(r-i+1) pᵢ₋₁ for i < r,   pᵢ + D^(i-r+1) pᵢ₊₁ for i > r,   pᵢ + D (pᵢ₋₁ + pᵢ₊₁) for i = r
/// ```
///
/// Where D is 0 all mass lands on atom r. The result is a distribution, repeated updates with one return make it peak
/// there, and mass far from r stays where it was. It is not the distribution of G + D · Z: its mean is not G + D · E\[Z\],
/// returns are rounded to an atom, and what is learned under it is no fixed point of Bellman's equation.
///
/// # Shapes
/// As [`distribution_target`].
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

    #[test]
    fn each_example_keeps_the_distribution_of_its_action() {
        let distributions = Tensor::from_floats([[[0.1, 0.9], [0.3, 0.7]], [[1.0, 0.0], [0.5, 0.5]]], &device());
        let chosen = distribution_of_action(distributions, Tensor::from_ints([[1], [0]], &device()));
        assert_eq!(values(chosen), [0.3, 0.7, 1.0, 0.0]);
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
}
