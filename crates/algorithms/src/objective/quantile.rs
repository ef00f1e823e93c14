//! Learning of quantiles: QR-DQN (Dabney et al. 2018, "Distributional Reinforcement Learning with Quantile Regression").

use burn::tensor::{Int, Tensor};
use prism_model::QNetwork;

use super::examples::{Bootstrap, Examples, Losses, of_action};

/// Quantile Huber losses of predicted quantiles against targets yⱼ = G + D θⱼ(s', a*) (algorithm 1 of the paper).
///
/// # Panics
/// When the networks' output is not quantiles.
pub fn losses(kappa: f32, bootstrap: Bootstrap, online: &QNetwork, target: &QNetwork, examples: Examples) -> Losses {
    let next = target.quantiles(examples.next_observations.clone());
    let next_q_values = next.clone().mean_dim(2).squeeze_dim::<2>(2);
    let next_actions = bootstrap.actions(online, examples.next_observations, next_q_values);
    let targets = quantile_target(examples.returns, examples.discounts, of_action(next, next_actions));
    let predicted = of_action(online.quantiles(examples.observations), examples.actions);
    Losses {
        q_values: mean(predicted.clone().inner()),
        targets: mean(targets.clone()),
        losses: quantile_huber(targets, predicted, kappa),
    }
}

/// Mean of each example's quantiles: `[batch, quantiles]` to `[batch]`.
fn mean(quantiles: Tensor<2>) -> Tensor<1> {
    quantiles.mean_dim(1).squeeze_dim(1)
}

/// Target quantiles: yⱼ = G + D θⱼ.
///
/// # Shapes
/// - `returns`: G, the n-step return, `[batch]`
/// - `discounts`: D, 0 after a termination, `[batch]`
/// - `quantiles`: θ, the target network's quantiles of a* in s', `[batch, quantiles]`
/// - returns: `[batch, quantiles]`
///
/// # Panics
/// When the shapes are not these.
pub fn quantile_target(returns: Tensor<1>, discounts: Tensor<1>, quantiles: Tensor<2>) -> Tensor<2> {
    let [batch, _] = quantiles.dims();
    assert_eq!(returns.dims(), [batch], "one return for each row of quantiles");
    assert_eq!(discounts.dims(), [batch], "one discount for each row of quantiles");
    returns.reshape([batch, 1]) + discounts.reshape([batch, 1]) * quantiles
}

/// Quantile Huber loss of predicted quantiles θᵢ against targets yⱼ that carry no gradient (equations 9 and 10):
///
/// ```text
/// Σᵢ 1/M Σⱼ |τᵢ - [yⱼ < θᵢ]| L(yⱼ - θᵢ),   τᵢ = (2i + 1) / 2N for i from 0 to N - 1
/// L(u) = u²/2 while |u| ≤ κ, κ (|u| - κ/2) beyond; |u| where κ is 0
/// ```
///
/// # Shapes
/// - `targets`: y, `[batch, M]`
/// - `predicted`: θ, `[batch, N]`
/// - returns: `[batch]`
///
/// # Panics
/// When κ is negative or not finite, or the batches differ in size.
pub fn quantile_huber(targets: Tensor<2>, predicted: Tensor<2>, kappa: f32) -> Tensor<1> {
    assert!(kappa >= 0.0 && kappa.is_finite(), "kappa is {kappa}: it must be 0 or more, and finite");
    let ([batch, wanted], [rows, count]) = (targets.dims(), predicted.dims());
    assert_eq!(batch, rows, "one row of targets for each row of predicted quantiles");
    // [batch, M, N]: rows are targets, columns predicted quantiles.
    let targets = targets.reshape([batch, wanted, 1]).expand([batch, wanted, count]);
    let errors = targets - predicted.reshape([batch, 1, count]).expand([batch, wanted, count]);
    let weights = asymmetry(errors.clone().inner(), count);
    let magnitude = errors.abs();
    let huber = if kappa == 0.0 {
        magnitude
    } else {
        // With c = min(|u|, κ), both branches are c (|u| - c/2), which has no masked operations.
        let clipped = magnitude.clone().clamp_max(kappa);
        clipped.clone() * (magnitude - clipped.mul_scalar(0.5))
    };
    let of_quantile = (huber * weights).mean_dim(1);
    of_quantile.sum_dim(2).reshape([batch])
}

/// |τᵢ - [u < 0]| for each error u: the weight of a target below the predicted quantile differs from that of one above.
///
/// # Shapes
/// - `errors`: `[batch, M, count]`
/// - returns: `[batch, M, count]`
fn asymmetry(errors: Tensor<3>, count: usize) -> Tensor<3> {
    let shape = errors.dims();
    let index = Tensor::<1, Int>::arange(0..count as i64, &errors.device()).float();
    let fractions = index.mul_scalar(2.0).add_scalar(1.0).div_scalar(2.0 * count as f32);
    (fractions.reshape([1, 1, count]).expand(shape) - errors.lower_elem(0.0).float()).abs()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    const TARGETS: [[f32; 2]; 2] = [[0.3, -1.7], [2.0, 2.1]];
    const PREDICTED: [[f32; 3]; 2] = [[-0.5, 0.1, 3.0], [2.05, -4.0, 0.0]];

    fn device() -> Device {
        prism_model::open_device("flex").expect("tests are built with flex")
    }

    /// The documented formula.
    fn scalar_loss(targets: &[f32; 2], predicted: [f64; 3], kappa: f64) -> f64 {
        let huber = |u: f64| match kappa {
            0.0 => u.abs(),
            _ if u.abs() <= kappa => u * u / 2.0,
            _ => kappa * (u.abs() - kappa / 2.0),
        };
        let of_quantile = |(i, theta): (usize, &f64)| -> f64 {
            let tau = (2.0 * i as f64 + 1.0) / 6.0;
            let terms = targets.iter().map(|&y| f64::from(y) - theta);
            terms.map(|u| (tau - if u < 0.0 { 1.0 } else { 0.0 }).abs() * huber(u)).sum::<f64>() / 2.0
        };
        predicted.iter().enumerate().map(of_quantile).sum()
    }

    #[test]
    fn the_loss_equals_its_documented_formula_for_every_kappa() {
        for kappa in [0.0f32, 0.5, 1.0, 10.0] {
            let targets = Tensor::from_floats(TARGETS, &device());
            let losses = quantile_huber(targets, Tensor::from_floats(PREDICTED, &device()), kappa);
            for (example, loss) in prism_model::read(losses).into_iter().enumerate() {
                let expected = scalar_loss(&TARGETS[example], PREDICTED[example].map(f64::from), kappa.into());
                assert!((f64::from(loss) - expected).abs() < 1e-5, "kappa {kappa}: {loss} is not {expected}");
            }
        }
    }

    #[test]
    fn the_gradient_equals_the_numerical_derivative() {
        for kappa in [0.0f32, 0.5, 1.0] {
            let predicted = Tensor::<2>::from_floats(PREDICTED, &device().autodiff()).require_grad();
            let targets = Tensor::from_floats(TARGETS, &device());
            let gradients = quantile_huber(targets, predicted.clone(), kappa).sum().backward();
            let gradient = prism_model::read(predicted.grad(&gradients).expect("quantiles are tracked"));
            let step = 1e-6;
            for (example, (targets, predicted)) in TARGETS.iter().zip(PREDICTED).enumerate() {
                for quantile in 0..3 {
                    let at = |change: f64| {
                        let mut predicted = predicted.map(f64::from);
                        predicted[quantile] += change;
                        scalar_loss(targets, predicted, kappa.into())
                    };
                    let expected = (at(step) - at(-step)) / (2.0 * step);
                    let actual = f64::from(gradient[3 * example + quantile]);
                    assert!((actual - expected).abs() < 1e-4, "kappa {kappa}: {actual} is not {expected}");
                }
            }
        }
    }

    #[test]
    fn targets_bootstrap_only_through_the_discount() {
        let quantiles = Tensor::from_floats([[1.0, 2.0], [50.0, 60.0]], &device());
        let returns = Tensor::from_floats([0.5, -1.0], &device());
        let targets = quantile_target(returns, Tensor::from_floats([0.9, 0.0], &device()), quantiles);
        let expected = [0.5 + 0.9, 0.5 + 1.8, -1.0, -1.0];
        for (actual, expected) in prism_model::read(targets).into_iter().zip(expected) {
            assert!((actual - expected).abs() < 1e-6, "{actual} is not {expected}");
        }
    }

    #[test]
    fn the_smallest_loss_is_at_the_quantiles_of_the_targets() {
        // Of 0, 1, ..., 8 the quantiles at 1/6, 1/2 and 5/6 lie within 1, at 4 and within 7.
        let targets: [f32; 9] = std::array::from_fn(|value| value as f32);
        let mut predicted = [4.0f32; 3];
        for _ in 0..2000 {
            let tracked = Tensor::<2>::from_floats([predicted], &device().autodiff()).require_grad();
            let wanted = Tensor::<2>::from_floats([targets], &device());
            let gradients = quantile_huber(wanted, tracked.clone(), 0.0).sum().backward();
            let gradient = prism_model::read(tracked.grad(&gradients).expect("quantiles are tracked"));
            predicted.iter_mut().zip(gradient).for_each(|(value, slope)| *value -= 0.05 * slope);
        }
        for (actual, expected) in predicted.into_iter().zip([1.0, 4.0, 7.0]) {
            assert!((actual - expected).abs() < 0.1, "{predicted:?}");
        }
    }
}
