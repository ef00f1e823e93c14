//! The middle of several times, and how far they lie apart.

/// Median and quartiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) low: f64,
    pub(super) median: f64,
    pub(super) high: f64,
}

impl Spread {
    /// The spread of `values`: quartiles lie at a quarter and three quarters of the way from the first to the last of
    /// the sorted values, between two of them in proportion.
    ///
    /// # Panics
    /// When there are none.
    pub(super) fn of(values: &[f64]) -> Self {
        assert!(!values.is_empty(), "a spread needs values");
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let position = share * (sorted.len() - 1) as f64;
            let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
            below + position.fract() * (above - below)
        };
        Self { low: at(0.25), median: at(0.5), high: at(0.75) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_of_five_are_the_second_and_the_fourth() {
        assert_eq!(Spread::of(&[5.0, 1.0, 9.0, 2.0, 7.0]), Spread { low: 2.0, median: 5.0, high: 7.0 });
    }

    #[test]
    fn quartiles_between_two_values_are_taken_in_proportion() {
        // Positions 0.75, 1.5 and 2.25 of 0, 4, 8, 20.
        assert_eq!(Spread::of(&[20.0, 8.0, 0.0, 4.0]), Spread { low: 3.0, median: 6.0, high: 11.0 });
    }

    #[test]
    fn one_value_has_no_spread() {
        assert_eq!(Spread::of(&[3.0]), Spread { low: 3.0, median: 3.0, high: 3.0 });
    }
}
