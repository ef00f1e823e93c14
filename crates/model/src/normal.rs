//! Standard normal numbers in bulk, drawn on the host.

use std::f32::consts::{FRAC_1_SQRT_2, FRAC_PI_4, LN_2};

use rand::Rng;

/// Pairs computed at a time: few enough to stay in the first-level cache.
const PIECE: usize = 512;

/// Fills `values` with independent draws of the standard normal distribution (Box and Muller 1958), one word of the
/// generator for two of them.
///
/// Only additions, multiplications, divisions and square roots are used, without branches: the compiler turns the loop
/// into vector instructions, and every machine computes the same numbers, which libraries' logarithms and cosines do not
/// promise.
pub(crate) fn fill(values: &mut [f32], rng: &mut impl Rng) {
    let (mut radii, mut angles) = ([0u32; PIECE], [0u32; PIECE]);
    let mut second = [0.0f32; PIECE];
    for piece in values.chunks_mut(2 * PIECE) {
        let (first, rest) = piece.split_at_mut(piece.len().div_ceil(2));
        // The words are split here, because vectors of whole words would hold half as many numbers in the loop below.
        for (radius, angle) in radii.iter_mut().zip(&mut angles).take(first.len()) {
            let word = rng.next_u64();
            (*radius, *angle) = ((word >> 32) as u32, word as u32);
        }
        for (((first, second), &radius), &angle) in first.iter_mut().zip(&mut second).zip(&radii).zip(&angles) {
            (*first, *second) = pair(radius, angle);
        }
        rest.copy_from_slice(&second[..rest.len()]);
    }
}

/// √(-2 ln u) (cos φ, sin φ) with u in (0, 1] and φ in a whole turn.
///
/// u is made of the low 31 bits of `radius`; φ of the low 31 bits of `angle`, a quarter turn about 0, and both top bits,
/// which mirror it at the diagonal and rotate it by half a turn.
#[inline]
fn pair(radius: u32, angle: u32) -> (f32, f32) {
    const UNIT: f32 = 1.0 / (1u32 << 31) as f32;
    let u = ((radius & 0x7fff_ffff) as i32 as f32 + 1.0) * UNIT;
    let length = (-2.0 * ln(u)).sqrt();
    let length = f32::from_bits(length.to_bits() | (radius & 0x8000_0000));

    let quarter = (angle << 1) as i32 as f32 * (UNIT * FRAC_PI_4);
    let (cosine, sine) = (length * cos(quarter), length * sin(quarter));
    if angle >> 31 == 0 { (cosine, sine) } else { (sine, cosine) }
}

/// ln x = e ln 2 + 2 artanh((m - 1) / (m + 1)) for x = m 2ᵉ with m from √½ to √2; the series' next term is below 3e-8.
#[inline]
fn ln(x: f32) -> f32 {
    const LOWEST: u32 = FRAC_1_SQRT_2.to_bits();
    let offset = x.to_bits().wrapping_sub(LOWEST) as i32;
    let exponent = (offset >> 23) as f32;
    let m = f32::from_bits((offset & 0x007f_ffff) as u32 + LOWEST);
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    exponent * LN_2 + 2.0 * s * (1.0 + s2 * (1.0 / 3.0 + s2 * (1.0 / 5.0 + s2 * (1.0 / 7.0))))
}

/// The series of the sine to x⁹ / 9!: the next term is below 2e-9 within π/4 of 0.
#[inline]
fn sin(x: f32) -> f32 {
    let x2 = x * x;
    x * (1.0 - x2 * (1.0 / 6.0 - x2 * (1.0 / 120.0 - x2 * (1.0 / 5040.0 - x2 * (1.0 / 362_880.0)))))
}

/// The series of the cosine to x⁸ / 8!: the next term is below 3e-8 within π/4 of 0.
#[inline]
fn cos(x: f32) -> f32 {
    let x2 = x * x;
    1.0 - x2 * (1.0 / 2.0 - x2 * (1.0 / 24.0 - x2 * (1.0 / 720.0 - x2 * (1.0 / 40_320.0))))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    const COUNT: usize = 1_000_000;

    fn drawn(count: usize, seed: u64) -> Vec<f32> {
        let mut values = vec![0.0; count];
        fill(&mut values, &mut Xoshiro256PlusPlus::seed_from_u64(seed));
        values
    }

    #[test]
    fn a_pair_is_the_documented_formula() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let corners = [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX];
        let corners = corners.iter().flat_map(|&radius| corners.iter().map(move |&angle| (radius, angle)));
        let random = std::iter::repeat_with(|| (rng.next_u32(), rng.next_u32())).take(100_000);
        for (radius, angle) in corners.chain(random) {
            let unit = 2f64.powi(-31);
            let u = (f64::from(radius & 0x7fff_ffff) + 1.0) * unit;
            let quarter = f64::from((angle << 1) as i32) * unit * FRAC_PI_4;
            let mirrored = if angle >> 31 == 0 { quarter } else { FRAC_PI_2 - quarter };
            let phi = mirrored + PI * f64::from(radius >> 31);
            let length = (-2.0 * u.ln()).sqrt();
            let (first, second) = pair(radius, angle);
            for (value, expected) in [(first, length * phi.cos()), (second, length * phi.sin())] {
                // Near u = 1 the rounding of u to f32 decides: √(2 · 2⁻²⁵).
                assert!((f64::from(value) - expected).abs() < 3e-4, "{radius:x} {angle:x}: {value} not {expected}");
                let ordinary = u < 0.99;
                assert!(!ordinary || (f64::from(value) - expected).abs() < 3e-6, "{value} is not {expected}");
            }
        }
    }

    #[test]
    fn a_million_draws_have_the_normal_distribution() {
        let mut values: Vec<f64> = drawn(COUNT, 2).into_iter().map(f64::from).collect();
        let moment = |power: i32| values.iter().map(|x| x.powi(power)).sum::<f64>() / COUNT as f64;
        // Four standard deviations of each sample moment: var(xᵏ) is 1, 2, 15, 96.
        for (power, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let (found, bound) = (moment(power), 4.0 * (variance / COUNT as f64).sqrt());
            assert!((found - expected).abs() < bound, "moment {power} is {found}");
        }
        // Neighbours, and the two of a pair, which lie `PIECE` apart.
        for distance in [1, PIECE] {
            let products: f64 = values.iter().zip(&values[distance..]).map(|(a, b)| a * b).sum();
            assert!((products / COUNT as f64).abs() < 4e-3, "draws {distance} apart are correlated: {products}");
        }
        // Kolmogorov and Smirnov's statistic against the integral of the density, by trapezoids.
        values.sort_by(f64::total_cmp);
        let (mut x, mut cumulative, mut largest) = (-8.0, 0.0, 0.0f64);
        let density = |x: f64| (-x * x / 2.0).exp() / (2.0 * PI).sqrt();
        for (rank, &value) in values.iter().enumerate() {
            while x < value {
                let next = (x + 1e-3f64).min(value);
                cumulative += (density(x) + density(next)) / 2.0 * (next - x);
                x = next;
            }
            largest = largest.max((cumulative - rank as f64 / COUNT as f64).abs());
        }
        // 1.95 / √n is exceeded once in a thousand times.
        assert!(largest < 1.95 / (COUNT as f64).sqrt(), "the distribution functions differ by {largest}");
    }

    #[test]
    fn any_length_is_filled_and_the_seed_decides() {
        for count in [0, 1, 2, 3, 2 * PIECE - 1, 2 * PIECE, 2 * PIECE + 1] {
            let values = drawn(count, 3);
            assert_eq!(values, drawn(count, 3));
            assert!(values.iter().all(|&value| value != 0.0 && value.is_finite()), "{count} values have gaps");
        }
        assert_ne!(drawn(10, 3), drawn(10, 4));
    }
}
