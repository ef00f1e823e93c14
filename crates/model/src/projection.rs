//! The distributional Bellman update, projected onto fixed atoms.

use burn::tensor::{Int, Tensor};

use crate::kernels;
use crate::support::Support;

/// The distribution of G + D Z on the atoms of Z (Bellemare et al. 2017, algorithm 1):
///
/// ```text
/// m_i = sum over j of clamp(1 - |clamp(G + D z_j, v_min, v_max) - z_i| / spacing, 0, 1) p_j
/// ```
///
/// The learner uses this function, which has kernels of its own; [`project_by_tensors`] computes the same.
///
/// # Shapes
/// - `returns`: G, n-step returns, `[batch]`. They must not be NaN, which would spread over the example's whole
///   distribution: a replay refuses rewards that are not finite when they are added, on the host. The mass of
///   returns beyond the support, infinite ones included, goes to the end atoms.
/// - `discounts`: D, `[batch]`, finite; 0 puts the whole mass at G
/// - `probabilities`: p of each atom at the next observation, `[batch, atoms]`
/// - returns: m, `[batch, atoms]`, a target without gradient
///
/// # Panics
/// When the shapes are not these.
pub fn project(returns: Tensor<1>, discounts: Tensor<1>, probabilities: Tensor<2>, support: &Support) -> Tensor<2> {
    check(&returns, &discounts, &probabilities, support);
    kernels::projection::project(returns.inner(), discounts.inner(), probabilities.inner(), support)
}

/// [`project`] as an expression of Burn's own operations, which every device has; it passes through a tensor
/// `[batch, atoms, atoms]`.
///
/// # Panics
/// When the shapes are not those of [`project`].
pub fn project_by_tensors(
    returns: Tensor<1>,
    discounts: Tensor<1>,
    probabilities: Tensor<2>,
    support: &Support,
) -> Tensor<2> {
    check(&returns, &discounts, &probabilities, support);
    let [batch, atoms] = probabilities.dims();
    let device = probabilities.device().without_autodiff();
    let [returns, discounts] = [returns, discounts].map(|tensor| tensor.inner().reshape([batch, 1]));
    // Positions are counted in atoms: neighbours' shares then add up to 1 whatever the rounding of the position.
    let moved = returns + discounts * support.tensor(&device).reshape([1, atoms]);
    let positions = moved.sub_scalar(support.v_min()).div_scalar(support.spacing()).clamp(0.0, (atoms - 1) as f64);
    let indices = Tensor::<1, Int>::arange(0..atoms as i64, &device).float().reshape([1, atoms, 1]);
    let distances = (positions.reshape([batch, 1, atoms]) - indices).abs();
    let shares = distances.neg().add_scalar(1.0).clamp_min(0.0);
    (shares * probabilities.inner().reshape([batch, 1, atoms])).sum_dim(2).squeeze_dim(2)
}

fn check(returns: &Tensor<1>, discounts: &Tensor<1>, probabilities: &Tensor<2>, support: &Support) {
    let [batch, atoms] = probabilities.dims();
    assert_eq!(atoms, support.atoms(), "probabilities of {atoms} atoms do not fit a support of {}", support.atoms());
    let sizes = [returns.dims()[0], discounts.dims()[0]];
    assert_eq!(sizes, [batch; 2], "each of {batch} distributions needs one return and one discount");
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use burn::tensor::{Device, TensorData};
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    type Projection = fn(Tensor<1>, Tensor<1>, Tensor<2>, &Support) -> Tensor<2>;

    /// G, D and p of one example.
    type Row = (f32, f32, Vec<f32>);

    const BOTH: [(&str, Projection); 2] = [("kernel", project), ("expression", project_by_tensors)];

    /// Algorithm 1 of the paper, word by word, in f64.
    fn oracle(g: f64, d: f64, p: &[f64], support: &Support) -> Vec<f64> {
        let (v_min, v_max) = (f64::from(support.v_min()), f64::from(support.v_max()));
        let spacing = (v_max - v_min) / (p.len() - 1) as f64;
        let mut m = vec![0.0; p.len()];
        for (j, &p) in p.iter().enumerate() {
            let moved = (g + d * (v_min + j as f64 * spacing)).clamp(v_min, v_max);
            let b = (moved - v_min) / spacing;
            let (lower, upper) = (b.floor(), b.ceil());
            if lower == upper {
                m[lower as usize] += p;
            } else {
                m[lower as usize] += p * (upper - b);
                m[upper as usize] += p * (b - lower);
            }
        }
        m
    }

    /// Projects one row after another through both implementations on every device, and hands each result to `check`.
    fn each(rows: &[Row], support: &Support, mut check: impl FnMut(&str, usize, &[f32])) {
        let column = |values: Vec<f32>, device: &Device| Tensor::<1>::from_floats(values.as_slice(), device);
        for present in crate::device::present_devices() {
            let (device, device_name) = (present.open(), present.name);
            for (name, projection) in BOTH {
                let probabilities: Vec<f32> = rows.iter().flat_map(|(_, _, p)| p.clone()).collect();
                let projected = projection(
                    column(rows.iter().map(|row| row.0).collect(), &device),
                    column(rows.iter().map(|row| row.1).collect(), &device),
                    Tensor::from_data(TensorData::new(probabilities, [rows.len(), support.atoms()]), &device),
                    support,
                );
                let values: Vec<f32> = projected.into_data().try_to_vec().expect("probabilities are floats");
                for (row, values) in values.chunks_exact(support.atoms()).enumerate() {
                    check(&format!("{name} on {device_name}, row {row}, support {support:?}"), row, values);
                }
            }
        }
    }

    /// Random examples: ordinary, at an ending, beyond both ends, and whole numbers of atoms away.
    fn random_rows(support: &Support, rng: &mut Xoshiro256PlusPlus) -> Vec<Row> {
        let width = support.v_max() - support.v_min();
        (0..64)
            .map(|row| {
                let g = rng.random_range(-0.3..0.3) * width;
                let (g, d) = match row % 4 {
                    0 => (g, rng.random_range(0.0..1.0)),
                    1 => (g, 0.0),
                    2 => (g * 20.0, 0.99f32.powi(3)),
                    _ => (support.spacing() * rng.random_range(-3.0f32..3.0).round(), 1.0),
                };
                // Cubes, so that a few atoms have most of the mass; some have none.
                let mut p: Vec<f32> = (0..support.atoms()).map(|_| rng.random_range(0.0f32..1.0).powi(3)).collect();
                p[rng.random_range(0..support.atoms())] = 0.0;
                let sum: f32 = p.iter().sum::<f32>().max(1e-3);
                p.iter_mut().for_each(|p| *p /= sum);
                (g, d, p)
            })
            .collect()
    }

    fn supports() -> [Support; 4] {
        [(-10.0, 10.0, 51), (0.0, 475.0, 51), (-0.7, 12.1, 2), (-3.0, 1.0, 9)]
            .map(|(v_min, v_max, atoms)| Support::new(v_min, v_max, atoms).expect("a valid support"))
    }

    #[test]
    fn random_distributions_are_projected_as_the_papers_algorithm_does() {
        for support in supports() {
            let rows = random_rows(&support, &mut Xoshiro256PlusPlus::seed_from_u64(1));
            each(&rows, &support, |name, row, projected| {
                let (g, d, p) = &rows[row];
                let p: Vec<f64> = p.iter().copied().map(f64::from).collect();
                let expected = oracle(f64::from(*g), f64::from(*d), &p, &support);
                for (i, (&m, expected)) in projected.iter().zip(expected).enumerate() {
                    assert!((f64::from(m) - expected).abs() < 1e-5, "{name}, atom {i}: {m} is not {expected}");
                }
            });
        }
    }

    #[test]
    fn mass_stays_1_and_nowhere_negative() {
        for support in supports() {
            let rows = random_rows(&support, &mut Xoshiro256PlusPlus::seed_from_u64(2));
            each(&rows, &support, |name, row, projected| {
                let mass = |p: &[f32]| p.iter().map(|&p| f64::from(p)).sum::<f64>();
                let (before, after) = (mass(&rows[row].2), mass(projected));
                assert!((after - before).abs() < 1e-6, "{name}: mass {after} of {before}");
                assert!(projected.iter().all(|&m| m >= 0.0), "{name}: {projected:?}");
            });
        }
    }

    #[test]
    fn the_mean_is_moved_exactly_where_nothing_is_clamped() {
        for support in supports() {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
            let (v_min, v_max) = (support.v_min(), support.v_max());
            let mut rows = random_rows(&support, &mut rng);
            for (g, d, _) in &mut rows {
                *d = rng.random_range(0.0..1.0);
                // From where v_min just stays inside to where v_max does.
                *g = rng.random_range((1.0 - *d) * v_min..(1.0 - *d) * v_max);
            }
            each(&rows, &support, |name, row, projected| {
                let (g, d, p) = &rows[row];
                let mean =
                    |p: &[f32]| p.iter().zip(support.values()).map(|(&p, z)| f64::from(p) * f64::from(z)).sum::<f64>();
                let mass: f64 = p.iter().map(|&p| f64::from(p)).sum();
                let (found, expected) = (mean(projected), f64::from(*g) * mass + f64::from(*d) * mean(p));
                assert!((found - expected).abs() < 2e-6 * f64::from(v_max - v_min), "{name}: {found} not {expected}");
            });
        }
    }

    /// One row of the paper's support with all its mass at one atom.
    fn at(atom: usize) -> Vec<f32> {
        (0..51).map(|i| if i == atom { 1.0 } else { 0.0 }).collect()
    }

    #[test]
    fn hand_computed_examples() {
        let support = supports()[0];
        let uniform = vec![1.0 / 51.0; 51];
        let mixed = |parts: &[(usize, f32)]| {
            let mut p = vec![0.0; 51];
            parts.iter().for_each(|&(atom, share)| p[atom] += share);
            p
        };
        let examples: [(&str, Row, Vec<f32>); 11] = [
            ("nothing moves", (0.0, 1.0, uniform.clone()), uniform.clone()),
            ("one atom up", (0.4, 1.0, at(25)), at(26)),
            ("three atoms down, whole", (-1.2, 1.0, at(25)), at(22)),
            ("half an atom up", (0.2, 1.0, at(25)), mixed(&[(25, 0.5), (26, 0.5)])),
            ("a quarter of an atom down", (-0.1, 1.0, at(25)), mixed(&[(24, 0.25), (25, 0.75)])),
            ("an ending between atoms", (1.1, 0.0, uniform.clone()), mixed(&[(27, 0.25), (28, 0.75)])),
            ("an ending at an atom", (-2.0, 0.0, uniform.clone()), at(20)),
            ("an ending above v_max", (12.0, 0.0, uniform.clone()), at(50)),
            ("an ending at an infinite loss", (f32::NEG_INFINITY, 0.0, uniform.clone()), at(0)),
            // 9.6 and 10 move to 10 and beyond.
            ("the upper end gathers", (0.4, 1.0, mixed(&[(49, 0.3), (50, 0.7)])), at(50)),
            ("the lower end gathers", (-30.0, 1.0, uniform), at(0)),
        ];
        for (what, row, expected) in examples {
            each(&[row], &support, |name, _, projected| {
                for (i, (m, expected)) in projected.iter().zip(&expected).enumerate() {
                    assert!((m - expected).abs() < 1e-5, "{what}, {name}, atom {i}: {m} is not {expected}");
                }
            });
        }
    }

    #[test]
    fn targets_carry_no_gradient() {
        let device = crate::device::open_device("flex").expect("tests are built with flex").autodiff();
        let support = supports()[0];
        for (name, projection) in BOTH {
            let p = Tensor::<1>::from_floats(at(3).as_slice(), &device).reshape([1, 51]).require_grad();
            let ones = Tensor::<1>::ones([1], &device);
            assert!(!projection(ones.clone(), ones, p, &support).is_tracked(), "{name}");
        }
    }

    #[test]
    #[should_panic(expected = "each of 2 distributions needs one return and one discount")]
    fn a_missing_return_is_refused() {
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        project(Tensor::ones([1], &device), Tensor::ones([2], &device), Tensor::ones([2, 51], &device), &supports()[0]);
    }
}
