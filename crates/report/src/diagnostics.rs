//! A figure of everything that a run's learner recorded, in small panels.

use std::path::Path;

use prism_runs::{RecordedRun, TRAIN};

use crate::axis::Axis;
use crate::draw::draw;
use crate::error::ReportError;
use crate::figure::{Figure, LegendEntry, Mark, Panel, Svg};
use crate::group::title;
use crate::style::Pen;

/// Columns of `train.csv` that are the run's position: the abscissa, and others that would be straight lines over it.
const POSITIONS: [&str; 3] = ["updates", "agent_steps", "frames"];
/// Points of a line: more than one for each pixel would not be seen.
const POINTS: usize = 300;
const COLUMNS: usize = 2;
const PANEL_SIZE: (f64, f64) = (300.0, 150.0);

/// Draws every column of a run's `train.csv` against agent steps, whatever columns it has.
///
/// # Errors
/// When the folder is no run or nothing has been recorded.
pub fn diagnostics(path: &Path) -> Result<Svg, ReportError> {
    let run = RecordedRun::open(path)?;
    let train = run.table(TRAIN)?;
    let steps = train.column("agent_steps")?;
    let last = steps.iter().copied().fold(0.0, f64::max);
    let mut panels = Vec::new();
    let mut rows_per_point = 1;
    let mut left_out = Vec::new();
    for (name, values) in train.columns().filter(|(name, _)| !POSITIONS.contains(name)) {
        let points: Vec<(f64, f64)> =
            steps.iter().copied().zip(values.iter().copied()).filter(|(_, value)| value.is_finite()).collect();
        let infinite = values.iter().filter(|value| value.is_infinite()).count();
        if infinite > 0 {
            left_out.push(format!("{infinite} of {name}"));
        }
        if !points.is_empty() {
            rows_per_point = rows_per_point.max(points.len().div_ceil(POINTS));
            panels.push(panel(name, &points, last));
        }
    }
    if panels.is_empty() {
        return Err(ReportError::Empty { path: train.path().to_owned(), missing: "rows with values" });
    }
    let count = panels.len();
    // The lowest panel of each column has the title of the abscissa.
    for panel in panels.iter_mut().take(count.saturating_sub(COLUMNS)) {
        panel.x.title.clear();
    }
    let pen = Pen::of(0);
    let legend = match rows_per_point {
        1 => Vec::new(),
        _ => vec![LegendEntry {
            name: format!("mean, and lowest to highest, of up to {rows_per_point} rows"),
            pen: Some(pen),
            fill: Some(pen.band()),
        }],
    };
    let caption = match left_out.as_slice() {
        [] => String::new(),
        columns => format!("Left out because they are infinite: {}.", columns.join(", ")),
    };
    Ok(draw(&Figure {
        title: format!("{}: what the learner recorded", title(&run)),
        subtitle: format!("seed {}; columns of train.csv", run.seed),
        legend,
        panels,
        columns: COLUMNS.min(count),
        panel_size: PANEL_SIZE,
        row_images: Vec::new(),
        caption,
    }))
}

/// One column over agent steps up to `last`.
fn panel(name: &str, points: &[(f64, f64)], last: f64) -> Panel {
    let pen = Pen::of(0);
    let merged = Merged::of(points, POINTS);
    let y = Axis::around(name, merged.lowest.iter().chain(&merged.highest).map(|point| point.1), 6);
    let mut marks = Vec::new();
    if merged.mean.len() < points.len() {
        marks.push(Mark::Band { lower: merged.lowest, upper: merged.highest, fill: pen.band() });
    }
    marks.push(Mark::Line { points: merged.mean, pen });
    let x = Axis::new("agent steps", 0.0, if last > 0.0 { last } else { 1.0 }, 6);
    Panel { title: String::new(), x, y, marks }
}

/// A line whose neighbouring points are merged until few enough are left.
struct Merged {
    mean: Vec<(f64, f64)>,
    lowest: Vec<(f64, f64)>,
    highest: Vec<(f64, f64)>,
}

impl Merged {
    /// Merges `points` into `most` at most, each the mean of equally many neighbours; the last may be of fewer.
    fn of(points: &[(f64, f64)], most: usize) -> Self {
        let mut merged = Self { mean: Vec::new(), lowest: Vec::new(), highest: Vec::new() };
        for part in points.chunks(points.len().div_ceil(most).max(1)) {
            let count = part.len() as f64;
            let x = part.iter().map(|point| point.0).sum::<f64>() / count;
            let values = || part.iter().map(|point| point.1);
            merged.mean.push((x, values().sum::<f64>() / count));
            merged.lowest.push((x, values().fold(f64::INFINITY, f64::min)));
            merged.highest.push((x, values().fold(f64::NEG_INFINITY, f64::max)));
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_merged_with_mean_and_range() {
        let merged = Merged::of(&[(1.0, 4.0), (3.0, 8.0), (5.0, 1.0), (7.0, 0.0), (9.0, 2.0)], 3);
        assert_eq!(merged.mean, [(2.0, 6.0), (6.0, 0.5), (9.0, 2.0)]);
        assert_eq!(merged.lowest, [(2.0, 4.0), (6.0, 0.0), (9.0, 2.0)]);
        assert_eq!(merged.highest, [(2.0, 8.0), (6.0, 1.0), (9.0, 2.0)]);
    }

    #[test]
    fn short_lines_stay_as_they_are() {
        let points = [(1.0, 4.0), (3.0, 8.0)];
        assert_eq!(Merged::of(&points, 2).mean, points);
    }
}
