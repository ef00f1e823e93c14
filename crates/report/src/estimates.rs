//! What the scores of several runs on several games come to, with intervals: Agarwal, Schwarzer, Castro, Courville and
//! Bellemare (2021), "Deep Reinforcement Learning at the Edge of the Statistical Precipice". The numbers are those of their
//! library rliable on the same scores.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Samples of the bootstrap behind an interval, rliable's default.
const SAMPLES: usize = 50_000;
/// Samples behind the band of a profile, at each of whose points an interval is taken.
const PROFILE_SAMPLES: usize = 2_000;
/// Share of the samples that lies below an interval, and above it.
const TAIL: f64 = 0.025;

/// One number of all scores of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// Mean of the scores of all runs without the lowest and the highest quarter.
    InterquartileMean,
    /// Median over games of the mean over runs.
    Median,
    /// Mean over games of the mean over runs.
    Mean,
    /// How far scores fall short of 1, a human's: 1 minus the mean of the scores, those above 1 taken for 1.
    OptimalityGap,
}

/// A number with the interval that holds it with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// 2.5 % and 97.5 % of a bootstrap that draws runs anew within each game; `None` where no game has two runs.
    pub interval: Option<[f64; 2]>,
}

impl Statistic {
    /// Every statistic.
    pub const ALL: [Self; 4] = [Self::InterquartileMean, Self::Median, Self::Mean, Self::OptimalityGap];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::InterquartileMean => "interquartile mean",
            Self::Median => "median",
            Self::Mean => "mean",
            Self::OptimalityGap => "optimality gap",
        }
    }

    fn of(self, scores: &[Vec<f64>]) -> f64 {
        match self {
            Self::InterquartileMean => {
                let mut all = scores.concat();
                all.sort_by(f64::total_cmp);
                let cut = all.len() / 4;
                mean(&all[cut..all.len() - cut])
            }
            Self::Median => {
                let mut means: Vec<f64> = scores.iter().map(|runs| mean(runs)).collect();
                means.sort_by(f64::total_cmp);
                f64::midpoint(means[(means.len() - 1) / 2], means[means.len() / 2])
            }
            Self::Mean => mean(&scores.iter().map(|runs| mean(runs)).collect::<Vec<_>>()),
            Self::OptimalityGap => 1.0 - mean(&scores.iter().flatten().map(|score| score.min(1.0)).collect::<Vec<_>>()),
        }
    }
}

/// The four statistics of scores, `[games][runs]`, in the order of [`Statistic::ALL`].
///
/// # Panics
/// Without games, or where a game has no run.
pub fn estimates(scores: &[Vec<f64>]) -> [Estimate; 4] {
    let samples = samples(&[scores], SAMPLES, |[drawn]| Statistic::ALL.map(|statistic| statistic.of(drawn)).to_vec());
    let mut intervals = samples.map(|samples| intervals(&samples)).unwrap_or_default().into_iter();
    Statistic::ALL.map(|statistic| Estimate { value: statistic.of(scores), interval: intervals.next() })
}

/// The probability that a run of one group has a higher score than a run of another on the same game, mean over the games;
/// equal scores count half. Scores are `[games][runs]`, of the same games.
///
/// # Panics
/// Without games, where a game has no run, or when the numbers of games differ.
pub fn improvement(one: &[Vec<f64>], other: &[Vec<f64>]) -> Estimate {
    assert_eq!(one.len(), other.len(), "improvement needs scores on the same games");
    let value = |one: &[Vec<f64>], other: &[Vec<f64>]| {
        let of_game = |(one, other): (&Vec<f64>, &Vec<f64>)| {
            let pairs = one.iter().flat_map(|x| other.iter().map(move |y| (x, y)));
            let wins = pairs.map(|(x, y)| if x > y { 1.0 } else { 0.5 * f64::from(u8::from(x == y)) });
            wins.sum::<f64>() / (one.len() * other.len()) as f64
        };
        mean(&one.iter().zip(other).map(of_game).collect::<Vec<_>>())
    };
    let samples = samples(&[one, other], SAMPLES, |[one, other]| vec![value(one, other)]);
    Estimate { value: value(one, other), interval: samples.map(|samples| intervals(&samples)[0]) }
}

/// For each threshold the share of runs with a score above it, over all games.
///
/// # Panics
/// As [`estimates`].
pub fn profile(scores: &[Vec<f64>], thresholds: &[f64]) -> Vec<Estimate> {
    let shares = |scores: &[Vec<f64>]| {
        let mut all = scores.concat();
        all.sort_by(f64::total_cmp);
        let above = |threshold: &f64| all.len() - all.partition_point(|score| score <= threshold);
        thresholds.iter().map(|threshold| above(threshold) as f64 / all.len() as f64).collect::<Vec<f64>>()
    };
    let samples = samples(&[scores], PROFILE_SAMPLES, |[drawn]| shares(drawn));
    let mut intervals = samples.map(|samples| intervals(&samples)).unwrap_or_default().into_iter();
    shares(scores).into_iter().map(|value| Estimate { value, interval: intervals.next() }).collect()
}

/// What `numbers` gives for scores in which the runs of each game are drawn anew, with replacement: `[numbers][samples]`.
/// Equal scores give equal samples. `None` where no game has two runs, so that nothing is known of the spread.
fn samples<const GROUPS: usize>(
    scores: &[&[Vec<f64>]; GROUPS],
    count: usize,
    mut numbers: impl FnMut([&[Vec<f64>]; GROUPS]) -> Vec<f64>,
) -> Option<Vec<Vec<f64>>> {
    if scores.iter().all(|games| games.iter().all(|runs| runs.len() < 2)) {
        return None;
    }
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(0);
    let mut drawn = scores.map(<[Vec<f64>]>::to_vec);
    let mut samples: Vec<Vec<f64>> = Vec::new();
    for _ in 0..count {
        for (drawn, scores) in drawn.iter_mut().zip(scores) {
            for (drawn, runs) in drawn.iter_mut().zip(*scores) {
                drawn.fill_with(|| runs[generator.random_range(0..runs.len())]);
            }
        }
        let numbers = numbers(drawn.each_ref().map(Vec::as_slice));
        samples.resize_with(numbers.len(), Vec::new);
        samples.iter_mut().zip(numbers).for_each(|(samples, number)| samples.push(number));
    }
    Some(samples)
}

/// The interval of each number.
fn intervals(samples: &[Vec<f64>]) -> Vec<[f64; 2]> {
    let interval = |samples: &Vec<f64>| {
        let mut sorted = samples.clone();
        sorted.sort_by(f64::total_cmp);
        [TAIL, 1.0 - TAIL].map(|share| {
            // Between two samples in proportion, as NumPy's percentiles are.
            let place = share * (sorted.len() - 1) as f64;
            let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            below + (above - below) * place.fract()
        })
    };
    samples.iter().map(interval).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[games][runs]` of `[runs][games]`.
    fn by_game<const GAMES: usize>(runs: &[[f64; GAMES]]) -> Vec<Vec<f64>> {
        (0..GAMES).map(|game| runs.iter().map(|run| run[game]).collect()).collect()
    }

    fn one() -> Vec<Vec<f64>> {
        by_game(&[
            [0.2, 1.5, 0.9, 3.0],
            [0.4, 1.1, 0.7, 2.0],
            [0.3, 1.9, 0.95, 0.1],
            [0.25, 0.6, 1.2, 5.0],
            [0.5, 1.4, 0.8, 2.5],
        ])
    }

    fn other() -> Vec<Vec<f64>> {
        by_game(&[
            [0.1, 1.5, 1.9, 1.0],
            [0.2, 1.0, 0.7, 1.5],
            [0.35, 0.9, 1.5, 0.2],
            [0.3, 0.7, 1.1, 1.8],
            [0.15, 1.2, 1.3, 2.5],
        ])
    }

    /// Values agree to the last digits; ends of an interval, which depend on what was drawn, to two steps between scores.
    #[track_caller]
    fn assert_near(found: Estimate, value: f64, [low, high]: [f64; 2]) {
        assert!((found.value - value).abs() < 1e-12, "{found:?}, not {value}");
        let interval = found.interval.expect("several runs");
        assert!(
            (interval[0] - low).abs() < 0.021 && (interval[1] - high).abs() < 0.021,
            "{found:?}, not {low} to {high}"
        );
    }

    /// rliable 1.2.0, `get_interval_estimates` with 50,000 samples and `create_performance_profile` with 2,000.
    #[test]
    fn numbers_are_those_of_rliable() {
        for (scores, expected) in [
            (one(), [(0.965, [0.7, 1.25]), (1.105, [0.88, 1.3]), (1.265, [0.9025, 1.63]), (0.265, [0.185, 0.3675])]),
            (other(), [(0.975, [0.725, 1.24]), (1.18, [0.86, 1.35]), (0.995, [0.795, 1.1925]), (0.27, [0.2, 0.36])]),
        ] {
            for (found, (value, interval)) in estimates(&scores).into_iter().zip(expected) {
                assert_near(found, value, interval);
            }
        }
        assert_near(improvement(&one(), &other()), 0.595, [0.42, 0.76]);
        let expected = [(1.0, [1.0, 1.0]), (0.7, [0.6, 0.75]), (0.45, [0.3, 0.6]), (0.15, [0.05, 0.25])];
        for (found, (value, interval)) in profile(&one(), &[0.0, 0.5, 1.0, 2.0]).into_iter().zip(expected) {
            assert_near(found, value, interval);
        }
    }

    #[test]
    fn a_single_run_of_each_game_has_no_interval() {
        let scores = [vec![0.5], vec![2.0]];
        let [trimmed, median, mean, gap] = estimates(&scores);
        assert_eq!([trimmed, median, mean, gap].map(|estimate| estimate.interval), [None; 4]);
        assert_eq!([trimmed, median, mean, gap].map(|estimate| estimate.value), [1.25, 1.25, 1.25, 0.25]);
        assert_eq!(improvement(&scores, &[vec![0.5], vec![1.0]]), Estimate { value: 0.75, interval: None });
        assert!(profile(&scores, &[1.0]).iter().all(|estimate| estimate.interval.is_none()));
    }

    #[test]
    fn games_with_different_numbers_of_runs_are_drawn_each_from_its_own() {
        let scores = [vec![0.0, 0.0, 0.0], vec![1.0]];
        let interval = estimates(&scores)[2].interval.expect("one game has several runs");
        assert_eq!(interval, [0.5, 0.5]);
    }
}
