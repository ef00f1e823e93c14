//! Two reports held against each other.

use super::{Measurement, Report};

/// An older report, to compare newer measurements with.
#[derive(Clone, Debug)]
pub struct Comparison {
    old: Report,
}

/// How a measurement differs from the older one of the same work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Change {
    /// Old median over new: above 1, it has become faster.
    pub(crate) ratio: f64,
    pub(crate) verdict: Verdict,
}

/// Whether a change means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The spreads lie apart.
    Differs,
    /// They overlap.
    WithinNoise,
}

impl Comparison {
    /// A comparison with `old`.
    pub fn with(old: Report) -> Self {
        Self { old }
    }

    pub(crate) fn old(&self) -> &Report {
        &self.old
    }

    /// What has become of `new`; `None` where the older report has no such work on such a device.
    pub(crate) fn change(&self, new: &Measurement) -> Option<Change> {
        let old = self.old.measurements.iter().find(|old| old.is_of_same_work(new))?;
        let overlap = old.low <= new.high && new.low <= old.high;
        let verdict = if overlap { Verdict::WithinNoise } else { Verdict::Differs };
        Some(Change { ratio: old.median / new.median, verdict })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Task;
    use super::super::examples::{measurement, report};
    use super::*;

    fn of_seconds(low: f64, median: f64, high: f64) -> Measurement {
        Measurement { low, median, high, ..measurement(Task::Update, "dqn", 32, "flex") }
    }

    #[test]
    fn spreads_that_lie_apart_differ_and_others_are_noise() {
        let comparison = Comparison::with(report(vec![of_seconds(1.8, 2.0, 2.1)]));
        let change = |new| comparison.change(&new).unwrap();
        assert_eq!(change(of_seconds(0.9, 1.0, 1.1)), Change { ratio: 2.0, verdict: Verdict::Differs });
        assert_eq!(change(of_seconds(3.0, 4.0, 5.0)), Change { ratio: 0.5, verdict: Verdict::Differs });
        for overlapping in [of_seconds(1.5, 1.6, 1.8), of_seconds(2.1, 2.5, 3.0), of_seconds(1.0, 2.0, 3.0)] {
            assert_eq!(change(overlapping).verdict, Verdict::WithinNoise);
        }
    }

    #[test]
    fn only_the_same_work_on_the_same_device_is_compared() {
        let old = measurement(Task::Update, "dqn", 32, "flex");
        let comparison = Comparison::with(report(vec![old.clone()]));
        assert!(comparison.change(&old).is_some());
        for other in [
            Measurement { task: Task::Forward, ..old.clone() },
            Measurement { subject: "c51".to_owned(), ..old.clone() },
            Measurement { batch: 33, ..old.clone() },
            Measurement { device: "cuda:0".to_owned(), ..old.clone() },
        ] {
            assert_eq!(comparison.change(&other), None, "{other:?}");
        }
    }
}
