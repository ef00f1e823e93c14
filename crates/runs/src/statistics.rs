//! Statistics of a list of scores.

use std::fmt;

/// Mean, median and spread of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    /// Number of scores.
    pub count: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// The middle one, or the mean of the middle two.
    pub median: f64,
    /// Standard deviation of the sample (divided by n - 1), 0 for a single score.
    pub standard_deviation: f64,
    /// The lowest.
    pub minimum: f64,
    /// The highest.
    pub maximum: f64,
}

impl Statistics {
    /// The statistics of `scores`.
    ///
    /// # Panics
    /// When there are none.
    pub fn of(scores: &[f64]) -> Self {
        assert!(!scores.is_empty(), "statistics need at least one score");
        let count = scores.len();
        let mean = scores.iter().sum::<f64>() / count as f64;
        let mut sorted = scores.to_vec();
        sorted.sort_by(f64::total_cmp);
        let median = f64::midpoint(sorted[(count - 1) / 2], sorted[count / 2]);
        let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
        let standard_deviation = if count == 1 { 0.0 } else { (squares / (count - 1) as f64).sqrt() };
        Self { count, mean, median, standard_deviation, minimum: sorted[0], maximum: sorted[count - 1] }
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, mean, median, standard_deviation, minimum, maximum } = self;
        let episodes = if *count == 1 { "episode" } else { "episodes" };
        write!(
            f,
            "mean {mean:.2}, median {median:.2}, standard deviation {standard_deviation:.2}, from {minimum} to {maximum}, {count} \
             {episodes}",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_a_hand_computed_sample() {
        let statistics = Statistics::of(&[2.0, 4.0, 4.0, 10.0]);
        // Mean 5; squares 9 + 1 + 1 + 25 = 36; 36 / 3 = 12.
        assert_eq!(statistics.mean, 5.0);
        assert_eq!(statistics.median, 4.0);
        assert!((statistics.standard_deviation - 12.0f64.sqrt()).abs() < 1e-12);
        assert_eq!((statistics.minimum, statistics.maximum, statistics.count), (2.0, 10.0, 4));
    }

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        assert_eq!(Statistics::of(&[9.0, 1.0, 3.0, 5.0]).median, 4.0);
        assert_eq!(Statistics::of(&[9.0, 1.0, 3.0]).median, 3.0);
    }

    #[test]
    fn one_score_has_no_spread() {
        assert_eq!(Statistics::of(&[-21.0]).standard_deviation, 0.0);
    }
}
