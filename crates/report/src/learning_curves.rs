//! Learning curves of several runs: scores against time, games, steps, frames or updates.

use std::collections::BTreeSet;
use std::path::PathBuf;

use prism_runs::RecordedRun;

use crate::axis::{Axis, bounds, number};
use crate::curve::{Curve, spread};
use crate::draw::draw;
use crate::error::ReportError;
use crate::figure::{Figure, LegendEntry, Mark, Panel, Svg};
use crate::group::{Group, Label, groups, open_each_once};
use crate::series::{Against, score_curve};
use crate::style::Pen;

/// Abscissas at which curves are drawn and averaged: more than one for each pixel would not be visible.
const POINTS: usize = 500;
const PANEL_SIZE: (f64, f64) = (620.0, 340.0);
/// A stop score farther from the data than this many times their height is left out, since it would squeeze them.
const FARTHEST_BOUND: f64 = 1.5;

/// What is in a figure of learning curves.
#[derive(Clone, Debug)]
pub struct CurveOptions {
    /// Run folders.
    pub runs: Vec<PathBuf>,
    /// The abscissa.
    pub against: Against,
    /// Games that a score is averaged over, instead of the runs' own number.
    pub window: Option<usize>,
    /// Names of groups.
    pub labels: Vec<Label>,
}

/// Learning curves, and which runs have none.
#[derive(Debug)]
pub struct LearningCurves {
    /// The picture.
    pub picture: Svg,
    /// Runs of which there is nothing to draw: why, for each.
    pub left_out: Vec<ReportError>,
}

/// Draws learning curves: for each group of runs that differ only in the seed, the mean over seeds of the trailing mean
/// score, from the lowest to the highest of which a band reaches. Runs in which no game has ended are left out.
///
/// # Errors
/// When a folder is no run, the runs do not belong in one figure, or no run has a game that ended.
///
/// # Panics
/// Without runs, or with a window of 0.
pub fn learning_curves(options: &CurveOptions) -> Result<LearningCurves, ReportError> {
    assert!(!options.runs.is_empty(), "learning curves need runs");
    let runs = open_each_once(&options.runs)?;
    same_environment(&runs)?;
    let window = match options.window {
        Some(window) => window,
        None => common_window(&runs)?,
    };
    let groups = groups(runs, &options.labels)?;
    if groups.len() > Pen::COUNT {
        return Err(ReportError::TooManyGroups { count: groups.len(), most: Pen::COUNT });
    }
    let (mut drawn, mut curves, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for Group { name, runs } in groups {
        let (mut drawn_runs, mut group_curves) = (Vec::new(), Vec::new());
        for run in runs {
            match score_curve(&run, options.against, window) {
                Ok(curve) => {
                    drawn_runs.push(run);
                    group_curves.push(curve);
                }
                Err(nothing @ ReportError::Empty { .. }) => left_out.push(nothing),
                Err(error) => return Err(error),
            }
        }
        if !drawn_runs.is_empty() {
            drawn.push(Group { name, runs: drawn_runs });
            curves.push(group_curves);
        }
    }
    if drawn.is_empty() {
        return Err(left_out.swap_remove(0));
    }
    Ok(LearningCurves { picture: draw(&figure(&drawn, &curves, options.against, window)), left_out })
}

fn same_environment(runs: &[RecordedRun]) -> Result<(), ReportError> {
    let first = &runs[0];
    match runs.iter().find(|run| run.environment != first.environment) {
        None => Ok(()),
        Some(other) => Err(ReportError::Environments {
            first: first.environment.clone(),
            first_path: first.path.clone(),
            second: other.environment.clone(),
            second_path: other.path.clone(),
        }),
    }
}

pub(crate) fn common_window(runs: &[RecordedRun]) -> Result<usize, ReportError> {
    let first = runs[0].score_window;
    match runs.iter().find(|run| run.score_window != first) {
        None => Ok(first),
        Some(other) => Err(ReportError::Windows { first, second: other.score_window }),
    }
}

fn figure(groups: &[Group], curves: &[Vec<Curve>], against: Against, window: usize) -> Figure {
    let last = curves.iter().flatten().map(Curve::end).fold(0.0, f64::max);
    let (divisor, title) = abscissa(against, last);
    let place = |points: Vec<(f64, f64)>| points.into_iter().map(|(x, y)| (x / divisor, y)).collect::<Vec<_>>();
    let protocols: BTreeSet<&str> = groups.iter().map(Group::protocol).collect();
    let mut legend = Vec::new();
    let (mut bands, mut singles, mut means) = (Vec::new(), Vec::new(), Vec::new());
    for (index, (group, curves)) in groups.iter().zip(curves).enumerate() {
        let pen = Pen::of(index);
        let spread = spread(curves, POINTS);
        let several = curves.len() > 1;
        if several && !spread.mean.is_empty() {
            bands.push(Mark::Band { lower: place(spread.lowest), upper: place(spread.highest), fill: pen.band() });
        }
        singles.extend(spread.alone.into_iter().map(|points| Mark::Line { points: place(points), pen: pen.thin() }));
        if !spread.mean.is_empty() {
            means.push(Mark::Line { points: place(spread.mean), pen });
        }
        legend.push(LegendEntry {
            name: entry_name(group, &protocols),
            pen: Some(pen),
            fill: several.then(|| pen.band()),
        });
    }
    let marks: Vec<Mark> = bands.into_iter().chain(singles).chain(means).collect();
    let x = Axis::new(&title, 0.0, if last > 0.0 { last / divisor } else { 1.0 }, 9);
    let (bounds, y) = score_axis(groups, &marks, window);
    let mut lines = Vec::new();
    for (score, shown) in bounds {
        let name = match shown {
            Bound::Shown => {
                lines.push(Mark::Line { points: vec![(x.start, score), (x.end, score)], pen: Pen::reference() });
                format!("stop score {}", number(score))
            }
            Bound::TooFar => format!("stop score {}, outside the picture", number(score)),
        };
        legend.push(LegendEntry { name, pen: Some(Pen::reference()), fill: None });
    }
    lines.extend(marks);
    Figure {
        title: groups[0].runs[0].environment.clone(),
        subtitle: subtitle(&protocols),
        legend,
        caption: caption(curves, window),
        panels: vec![Panel { title: String::new(), x, y, marks: lines }],
        columns: 1,
        panel_size: PANEL_SIZE,
        row_images: Vec::new(),
    }
}

/// Whether a stop score has a place in the figure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    Shown,
    TooFar,
}

/// The stop scores, and the axis of the scores.
fn score_axis(groups: &[Group], marks: &[Mark], window: usize) -> (Vec<(f64, Bound)>, Axis) {
    let scores: Vec<f64> = marks
        .iter()
        .flat_map(|mark| match mark {
            Mark::Line { points, .. } => points.clone(),
            Mark::Band { lower, upper, .. } => [lower.clone(), upper.clone()].concat(),
            Mark::Bars { .. } | Mark::Dots { .. } => Vec::new(),
        })
        .map(|(_, score)| score)
        .collect();
    let (lowest, highest) = bounds(scores.iter().copied());
    let farthest = FARTHEST_BOUND * (highest - lowest);
    let mut stops: Vec<f64> = groups.iter().flat_map(|group| &group.runs).filter_map(|run| run.stop_score).collect();
    stops.sort_by(f64::total_cmp);
    stops.dedup();
    let placed: Vec<(f64, Bound)> = stops
        .into_iter()
        .map(|stop| {
            let near = (lowest - farthest..=highest + farthest).contains(&stop);
            (stop, if near { Bound::Shown } else { Bound::TooFar })
        })
        .collect();
    let shown = placed.iter().filter(|(_, bound)| *bound == Bound::Shown).map(|&(stop, _)| stop);
    let title = match window {
        1 => "score of a game".to_owned(),
        window => format!("score, mean of {window} games"),
    };
    let axis = Axis::around(&title, scores.into_iter().chain(shown), 8);
    (placed, axis)
}

/// The divisor of abscissas up to `last`, and the title of their axis.
fn abscissa(against: Against, last: f64) -> (f64, String) {
    match against {
        Against::Episodes => (1.0, "games".to_owned()),
        Against::Steps => (1.0, "agent steps".to_owned()),
        Against::Frames => (1.0, "emulator frames".to_owned()),
        Against::Updates => (1.0, "updates".to_owned()),
        Against::Time if last > 2.0 * 3600.0 => (3600.0, "wall-clock time (hours)".to_owned()),
        Against::Time if last > 120.0 => (60.0, "wall-clock time (minutes)".to_owned()),
        Against::Time => (1.0, "wall-clock time (seconds)".to_owned()),
    }
}

fn subtitle(protocols: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = protocols.iter().copied().collect();
    match names.as_slice() {
        [protocol] => format!("Scores of training games, protocol {protocol}"),
        _ => format!("Scores of training games; they do not compare across protocols: {}", names.join("; ")),
    }
}

/// The legend entry of a group, with its protocol where there are several.
fn entry_name(group: &Group, protocols: &BTreeSet<&str>) -> String {
    if protocols.len() == 1 || group.name.contains(group.protocol()) {
        group.title()
    } else {
        format!("{}, protocol {}", group.title(), group.protocol())
    }
}

fn caption(curves: &[Vec<Curve>], window: usize) -> String {
    let smoothing = match window {
        1 => "Each game by itself.".to_owned(),
        window => format!("Each seed: mean of its last {window} games (fewer at its beginning)."),
    };
    if curves.iter().all(|curves| curves.len() == 1) {
        return smoothing;
    }
    format!(
        "{smoothing} Thick line: mean over seeds; band: lowest to highest seed; thin lines: where not all seeds have games."
    )
}
