//! Curves: smoothing, interpolation, and the mean and spread of several.

/// Points whose abscissas never decrease.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curve {
    points: Vec<(f64, f64)>,
}

/// Several curves on the abscissas that all of them cover.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) mean: Vec<(f64, f64)>,
    pub(crate) lowest: Vec<(f64, f64)>,
    pub(crate) highest: Vec<(f64, f64)>,
    /// The parts of single curves before and after that.
    pub(crate) alone: Vec<Vec<(f64, f64)>>,
}

/// The mean of each value and those before it, `window` at most; of fewer at the beginning.
pub(crate) fn trailing_mean(values: &[f64], window: usize) -> Vec<f64> {
    assert!(window > 0, "a mean needs at least one value");
    (1..=values.len())
        .map(|end| {
            // Summed anew each time: a running sum would drift.
            let part = &values[end.saturating_sub(window)..end];
            part.iter().sum::<f64>() / part.len() as f64
        })
        .collect()
}

impl Curve {
    /// # Panics
    /// Without points, or when an abscissa is below the one before it.
    pub(crate) fn new(points: Vec<(f64, f64)>) -> Self {
        assert!(!points.is_empty(), "a curve has points");
        assert!(points.is_sorted_by(|left, right| left.0 <= right.0), "the abscissa of a curve never falls");
        Self { points }
    }

    pub(crate) fn start(&self) -> f64 {
        self.points[0].0
    }

    pub(crate) fn end(&self) -> f64 {
        self.points[self.points.len() - 1].0
    }

    /// The ordinate at `x`, on the straight line between the points around it; of several points at `x`, the last. `None`
    /// outside the curve.
    pub(crate) fn at(&self, x: f64) -> Option<f64> {
        let after = self.points.partition_point(|point| point.0 <= x);
        let (x_before, y_before) = *self.points.get(after.checked_sub(1)?)?;
        match self.points.get(after) {
            _ if x_before == x => Some(y_before),
            None => None,
            Some(&(x_after, y_after)) => Some(y_before + (x - x_before) / (x_after - x_before) * (y_after - y_before)),
        }
    }

    /// The curve at `count` evenly spaced abscissas from `start` to `end`, which it covers.
    fn sampled(&self, start: f64, end: f64, count: usize) -> Vec<(f64, f64)> {
        grid(start, end, count).into_iter().map(|x| (x, self.at(x).expect("the curve covers the grid"))).collect()
    }
}

/// Mean, lowest and highest of `curves` at `count` abscissas from where the last of them begins to where the first ends.
///
/// # Panics
/// Without curves.
pub(crate) fn spread(curves: &[Curve], count: usize) -> Spread {
    let start = curves.iter().map(Curve::start).fold(f64::NEG_INFINITY, f64::max);
    let end = curves.iter().map(Curve::end).fold(f64::INFINITY, f64::min);
    assert!(start.is_finite(), "a spread needs curves");
    if let [curve] = curves
        && curve.points.len() <= count
    {
        // Drawn through its own points, which a grid would miss.
        let points = curve.points.clone();
        return Spread { mean: points.clone(), lowest: points.clone(), highest: points, alone: Vec::new() };
    }
    let mut spread = Spread { mean: Vec::new(), lowest: Vec::new(), highest: Vec::new(), alone: Vec::new() };
    if start > end {
        spread.alone = curves.iter().map(|curve| curve.sampled(curve.start(), curve.end(), count)).collect();
        return spread;
    }
    for x in grid(start, end, count) {
        let values = || curves.iter().map(|curve| curve.at(x).expect("every curve covers the grid"));
        spread.mean.push((x, values().sum::<f64>() / curves.len() as f64));
        spread.lowest.push((x, values().fold(f64::INFINITY, f64::min)));
        spread.highest.push((x, values().fold(f64::NEG_INFINITY, f64::max)));
    }
    for curve in curves {
        if curve.start() < start {
            spread.alone.push(curve.sampled(curve.start(), start, count));
        }
        if curve.end() > end {
            spread.alone.push(curve.sampled(end, curve.end(), count));
        }
    }
    spread
}

/// `count` evenly spaced numbers from `start` to `end`; one where they are equal.
fn grid(start: f64, end: f64, count: usize) -> Vec<f64> {
    if start == end {
        return vec![start];
    }
    // Exactly `end` at the end: rounding must not lead beyond it.
    (0..count)
        .map(|index| if index + 1 == count { end } else { start + (end - start) * index as f64 / (count - 1) as f64 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_mean_grows_into_its_window() {
        assert_eq!(trailing_mean(&[6.0, 2.0, 1.0, 9.0], 3), [6.0, 4.0, 3.0, 4.0]);
        assert_eq!(trailing_mean(&[6.0, 2.0], 1), [6.0, 2.0]);
        assert!(trailing_mean(&[], 3).is_empty());
    }

    #[test]
    fn between_points_a_curve_is_straight_and_outside_it_is_not() {
        let curve = Curve::new(vec![(0.0, 1.0), (10.0, 3.0), (10.0, 5.0), (20.0, 0.0)]);
        assert_eq!(curve.at(2.5), Some(1.5));
        assert_eq!(curve.at(10.0), Some(5.0), "of two points at one place the last");
        assert_eq!(curve.at(16.0), Some(2.0));
        assert_eq!((curve.at(0.0), curve.at(20.0)), (Some(1.0), Some(0.0)));
        assert_eq!((curve.at(-0.1), curve.at(20.1)), (None, None));
    }

    #[test]
    fn mean_and_spread_cover_what_all_curves_have_and_single_curves_the_rest() {
        // At 2: 2 and 6; at 4: 4 and 4; at 6: 6 and 2.
        let rising = Curve::new(vec![(0.0, 0.0), (6.0, 6.0)]);
        let falling = Curve::new(vec![(2.0, 6.0), (10.0, -2.0)]);
        let spread = spread(&[rising, falling], 3);
        assert_eq!(spread.mean, [(2.0, 4.0), (4.0, 4.0), (6.0, 4.0)]);
        assert_eq!(spread.lowest, [(2.0, 2.0), (4.0, 4.0), (6.0, 2.0)]);
        assert_eq!(spread.highest, [(2.0, 6.0), (4.0, 4.0), (6.0, 6.0)]);
        assert_eq!(spread.alone[0], [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]);
        assert_eq!(spread.alone[1], [(6.0, 2.0), (8.0, 0.0), (10.0, -2.0)]);
    }

    #[test]
    fn curves_that_share_no_abscissa_have_no_mean() {
        let early = Curve::new(vec![(0.0, 0.0), (1.0, 1.0)]);
        let late = Curve::new(vec![(5.0, 2.0), (6.0, 3.0)]);
        let spread = spread(&[early, late], 2);
        assert!(spread.mean.is_empty());
        assert_eq!(spread.alone, [[(0.0, 0.0), (1.0, 1.0)], [(5.0, 2.0), (6.0, 3.0)]]);
    }

    #[test]
    fn a_single_curve_keeps_its_points_while_they_are_few() {
        let points = vec![(0.0, 0.0), (1.0, 9.0), (10.0, 0.0)];
        assert_eq!(spread(&[Curve::new(points.clone())], 3).mean, points);
        assert_eq!(spread(&[Curve::new(points)], 2).mean, [(0.0, 0.0), (10.0, 0.0)]);
    }

    #[test]
    fn a_curve_of_one_point_is_a_mean_of_one_point() {
        let spread = spread(&[Curve::new(vec![(3.0, 7.0)])], 5);
        assert_eq!(spread.mean, [(3.0, 7.0)]);
        assert!(spread.alone.is_empty());
    }
}
