//! Axes: ranges, round ticks, and units that keep their numbers short.

/// One axis of a panel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    /// Quantity with its unit, empty for none.
    pub(crate) title: String,
    /// Where it begins, in data units.
    pub(crate) start: f64,
    /// Where it ends, above `start`.
    pub(crate) end: f64,
    /// Ticks: positions in data units with their labels, which may be empty.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis from `start` to `end` with about `count` ticks at round numbers. Large and small numbers are written in
    /// thousands, millions or powers of ten, which the title then names.
    ///
    /// # Panics
    /// Unless `start` is below `end` and both are finite.
    pub(crate) fn new(title: &str, start: f64, end: f64, count: usize) -> Self {
        assert!(start.is_finite() && end.is_finite() && start < end, "an axis from {start} to {end}");
        let (factor, unit) = unit(start.abs().max(end.abs()));
        let (start_shown, end_shown) = (start / factor, end / factor);
        let step = round_step(end_shown - start_shown, count);
        // A bound that is a multiple of the step must not be lost to rounding.
        let first = (start_shown / step - 1e-9).ceil() as i64;
        let last = (end_shown / step + 1e-9).floor() as i64;
        let decimals = (-step.log10() - 1e-9).ceil().max(0.0) as usize;
        let ticks = (first..=last)
            .map(|multiple| {
                let shown = multiple as f64 * step;
                (shown * factor, format!("{shown:.decimals$}").replace('-', "\u{2212}"))
            })
            .collect();
        let title = match unit {
            Some(unit) if !title.is_empty() => format!("{title} ({unit})"),
            Some(unit) => unit,
            None => title.to_owned(),
        };
        Self { title, start, end, ticks }
    }

    /// An axis on which all of `values` lie, with some room beside them.
    ///
    /// # Panics
    /// Without values, or when one is not finite.
    pub(crate) fn around(title: &str, values: impl IntoIterator<Item = f64>, count: usize) -> Self {
        let (lowest, highest) = bounds(values);
        let room = match highest - lowest {
            // One value only: its own size, or 1 around zero.
            0.0 if lowest == 0.0 => 1.0,
            0.0 => 0.5 * lowest.abs(),
            span => 0.05 * span,
        };
        Self::new(title, lowest - room, highest + room, count)
    }

    /// Where `value` lies on an axis drawn from `first` to `last`.
    pub(crate) fn position(&self, value: f64, first: f64, last: f64) -> f64 {
        first + (value - self.start) / (self.end - self.start) * (last - first)
    }

    /// The same axis with marks but without numbers and title.
    pub(crate) fn unlabelled(mut self) -> Self {
        self.title.clear();
        self.ticks.iter_mut().for_each(|(_, label)| label.clear());
        self
    }
}

/// The lowest and the highest of `values`.
///
/// # Panics
/// Without values, or when one is not finite.
pub(crate) fn bounds(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let range = values.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lowest, highest), value| {
        assert!(value.is_finite(), "only finite values have a place on an axis");
        (value.min(lowest), value.max(highest))
    });
    assert!(range.0 <= range.1, "an axis needs values");
    range
}

/// A number as figures show it, with a true minus sign.
pub(crate) fn number(value: f64) -> String {
    value.to_string().replace('-', "\u{2212}")
}

/// The smallest of 1, 2 and 5 times a power of ten that divides `span` into at most `count` parts.
fn round_step(span: f64, count: usize) -> f64 {
    let least = span / count as f64;
    let power = 10f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// The divisor of numbers up to `largest`, and its name for the axis title.
fn unit(largest: f64) -> (f64, Option<String>) {
    match largest {
        _ if largest >= 1e6 => (1e6, Some("millions".to_owned())),
        _ if largest >= 1e4 => (1e3, Some("thousands".to_owned())),
        _ if largest < 1e-3 => {
            let exponent = 3 * (largest.log10() / 3.0).floor() as i32;
            let digits = exponent.abs().to_string();
            let raised = digits.chars().map(|digit| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(digit as usize - '0' as usize));
            (10f64.powi(exponent), Some(format!("10⁻{}", raised.flatten().collect::<String>())))
        }
        _ => (1.0, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_include_bounds_that_are_round() {
        assert_eq!(labels(&Axis::new("", 0.0, 1.0, 5)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&Axis::new("", -21.0, 21.0, 5)), ["−20", "−10", "0", "10", "20"]);
        assert_eq!(labels(&Axis::new("", 0.0, 0.3, 3)), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(&Axis::new("", 0.013, 0.019, 3)), ["0.014", "0.016", "0.018"]);
    }

    #[test]
    fn long_numbers_get_a_unit_in_the_title() {
        let steps = Axis::new("agent steps", 0.0, 68_241.0, 4);
        assert_eq!(steps.title, "agent steps (thousands)");
        assert_eq!(steps.ticks[1], (20_000.0, "20".to_owned()));
        let frames = Axis::new("frames", 0.0, 2e6, 4);
        assert_eq!((frames.title.as_str(), labels(&frames)[1]), ("frames (millions)", "0.5"));
        let loss = Axis::new("loss", 0.0, 5e-5, 5);
        assert_eq!((loss.title.as_str(), labels(&loss)[1]), ("loss (10⁻⁶)", "10"));
        assert!((loss.ticks[1].0 - 1e-5).abs() < 1e-12);
        assert_eq!(Axis::new("loss", 0.0, 2e-12, 5).title, "loss (10⁻¹²)");
    }

    #[test]
    fn a_single_value_lies_in_the_middle_of_its_axis() {
        for value in [0.0, 0.02, -7.0, 1e7] {
            let axis = Axis::around("", [value, value], 5);
            assert!(axis.start < value && value < axis.end, "{axis:?}");
            assert!(axis.ticks.len() >= 2, "{axis:?}");
        }
    }
}
