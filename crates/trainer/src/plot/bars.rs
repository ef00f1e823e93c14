//! Pictures of categorical distributions: bars over the points of a support.

use super::axis::Axis;
use super::draw::draw;
use super::figure::{Bar, Figure, LegendEntry, Mark, Panel, Svg};
use super::style::{Fill, PALETTE, Pen};

/// Part of the gap between two atoms that a bar fills.
const BAR_WIDTH: f64 = 0.85;
/// Width that the panels of one row share.
const ROW_WIDTH: f64 = 760.0;
/// The least width of a panel.
const LEAST_WIDTH: f64 = 120.0;

const RETURN: &str = "return";
const PROBABILITY: &str = "probability";

/// A distribution before and after the projection of Bellemare, Dabney and Munos 2017, algorithm 1.
#[derive(Clone, Copy, Debug)]
pub struct Projection<'a> {
    /// Points of the support, evenly spaced and rising, `[K]`.
    pub support: &'a [f64],
    /// The distribution of the next state, `[K]`.
    pub source: &'a [f64],
    /// What becomes of it under `reward` and `discount`, `[K]`.
    pub projected: &'a [f64],
    /// What becomes of it where the episode ends with `reward`, `[K]`.
    pub done: &'a [f64],
    /// Reward of the step.
    pub reward: f64,
    /// Discount of the step.
    pub discount: f64,
}

/// One row of a [`distribution_grid`].
#[derive(Clone, Debug)]
pub struct DistributionRow {
    /// Moment or observation.
    pub title: String,
    /// The distribution of each action, `[A][K]`.
    pub probabilities: Vec<Vec<f64>>,
    /// The q-value of each action, `[A]`.
    pub q_values: Vec<f64>,
}

/// A target distribution with its prediction.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Which transition.
    pub title: String,
    /// `[K]`.
    pub target: Vec<f64>,
    /// `[K]`.
    pub prediction: Vec<f64>,
}

/// The q-values of all actions with the distribution of the best.
#[derive(Clone, Debug)]
pub struct BestAction {
    /// Moment or observation.
    pub title: String,
    /// The q-value of each action, `[A]`.
    pub q_values: Vec<f64>,
    /// The distribution of the action with the highest of them, `[K]`.
    pub probabilities: Vec<f64>,
}

/// Draws source, projection and the case of an ending, one above the other over one support.
///
/// # Panics
/// When a length differs from the support's, the support has fewer than two points, or a value is not finite.
pub fn projection(picture: &Projection<'_>) -> Svg {
    let &Projection { support, source, projected, done, reward, discount } = picture;
    let panel = |title: String, colour: usize, probabilities: &[f64]| Panel {
        title,
        x: support_axis(support, 9),
        y: probability_axis(probabilities.iter().copied(), 4),
        marks: vec![bars(support, probabilities, solid(colour))],
    };
    let mut panels = vec![
        panel("source: return Z of the next state".to_owned(), 0, source),
        panel(format!("projected: {reward} + {discount} Z"), 1, projected),
        panel(format!("projected where the episode ends: {reward}"), 2, done),
    ];
    panels[..2].iter_mut().for_each(|panel| panel.x.title.clear());
    draw(&Figure {
        title: "Projection onto the support".to_owned(),
        subtitle: format!(
            "{} atoms from {} to {}; reward {reward}, discount {discount}",
            support.len(),
            support[0],
            support[support.len() - 1]
        ),
        legend: Vec::new(),
        panels,
        columns: 1,
        panel_size: (560.0, 130.0),
        caption: String::new(),
    })
}

/// Draws a grid of distributions: a row for each moment or observation, a column for each of `actions`. A line marks each
/// q-value; the best action of a row has its own colour.
///
/// # Panics
/// Without rows or actions, when a length differs from the support's or the number of actions, the support has fewer than
/// two points, or a value is not finite.
pub fn distribution_grid(title: &str, support: &[f64], actions: &[String], rows: &[DistributionRow]) -> Svg {
    assert!(!rows.is_empty() && !actions.is_empty(), "a grid has rows and actions");
    let (others, best_fill) = (solid(0), solid(1));
    let mean = Pen { width: 1.5, ..Pen::reference() };
    let mut panels = Vec::with_capacity(rows.len() * actions.len());
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(row.probabilities.len(), actions.len(), "a distribution for each action");
        let best = best_action(&row.q_values, actions.len());
        // One scale in a row, so that its actions compare.
        let y = probability_axis(row.probabilities.iter().flatten().copied(), 3);
        for (action, probabilities) in row.probabilities.iter().enumerate() {
            let x = support_axis(support, 4);
            let q = row.q_values[action];
            let fill = if action == best { best_fill } else { others };
            let marks = vec![
                bars(support, probabilities, fill),
                Mark::Line { points: vec![(q, y.start), (q, y.end)], pen: mean },
            ];
            panels.push(Panel {
                title: if number == 0 { actions[action].clone() } else { String::new() },
                x: if number + 1 == rows.len() { x } else { x.unlabelled() },
                y: if action == 0 { Axis { title: row.title.clone(), ..y.clone() } } else { y.clone().unlabelled() },
                marks,
            });
        }
    }
    let entry = |name: &str, pen, fill| LegendEntry { name: name.to_owned(), pen, fill };
    draw(&Figure {
        title: title.to_owned(),
        subtitle: format!("{PROBABILITY} of each {RETURN}; one scale in each row"),
        legend: vec![
            entry("action with the highest q-value", None, Some(best_fill)),
            entry("other actions", None, Some(others)),
            entry("q-value", Some(mean), None),
        ],
        panels,
        columns: actions.len(),
        panel_size: ((ROW_WIDTH / actions.len() as f64 - 20.0).clamp(LEAST_WIDTH, 300.0), 96.0),
        caption: String::new(),
    })
}

/// Draws targets with the predictions made for them.
///
/// # Panics
/// Without comparisons, when a length differs from the support's, the support has fewer than two points, or a value is
/// not finite.
pub fn target_and_prediction(title: &str, support: &[f64], comparisons: &[Comparison]) -> Svg {
    let target_fill = Fill { colour: PALETTE[5], opacity: 0.75 };
    let prediction_pen = Pen { width: 2.0, ..Pen::of(1) };
    let panels = comparisons.iter().map(|Comparison { title, target, prediction }| Panel {
        title: title.clone(),
        x: support_axis(support, 8),
        y: Axis { title: PROBABILITY.to_owned(), ..probability_axis(target.iter().chain(prediction).copied(), 4) },
        marks: vec![
            bars(support, target, target_fill),
            Mark::Line { points: outline(support, prediction), pen: prediction_pen },
        ],
    });
    let entry = |name: &str, pen, fill| LegendEntry { name: name.to_owned(), pen, fill };
    draw(&Figure {
        title: title.to_owned(),
        subtitle: String::new(),
        legend: vec![entry("target", None, Some(target_fill)), entry("prediction", Some(prediction_pen), None)],
        panels: lowest_titled(panels.collect(), columns(comparisons.len())),
        columns: columns(comparisons.len()),
        panel_size: panel_size(comparisons.len()),
        caption: String::new(),
    })
}

/// Draws the q-values of all `actions` as lines over the distribution of the best.
///
/// # Panics
/// Without panels, with more actions than there are lines to tell apart (21), when a length differs from the support's or
/// the number of actions, the support has fewer than two points, or a value is not finite.
pub fn q_over_best(title: &str, support: &[f64], actions: &[String], moments: &[BestAction]) -> Svg {
    assert!(actions.len() <= Pen::COUNT, "{} actions cannot be told apart", actions.len());
    let fill = Fill { colour: PALETTE[6], opacity: 0.2 };
    let panels = moments.iter().map(|BestAction { title, q_values, probabilities }| {
        let best = best_action(q_values, actions.len());
        let y = Axis { title: PROBABILITY.to_owned(), ..probability_axis(probabilities.iter().copied(), 4) };
        let lines = q_values.iter().enumerate().map(|(action, &q)| Mark::Line {
            points: vec![(q, y.start), (q, y.end)],
            pen: Pen { width: 2.0, ..Pen::of(action) },
        });
        Panel {
            title: format!("{title}: best is {}", actions[best]),
            x: support_axis(support, 8),
            marks: std::iter::once(bars(support, probabilities, fill)).chain(lines).collect(),
            y,
        }
    });
    let distribution = LegendEntry { name: "distribution of the best action".to_owned(), pen: None, fill: Some(fill) };
    let lines = actions.iter().enumerate().map(|(action, name)| LegendEntry {
        name: format!("q-value of {name}"),
        pen: Some(Pen { width: 2.0, ..Pen::of(action) }),
        fill: None,
    });
    draw(&Figure {
        title: title.to_owned(),
        subtitle: String::new(),
        legend: std::iter::once(distribution).chain(lines).collect(),
        panels: lowest_titled(panels.collect(), columns(moments.len())),
        columns: columns(moments.len()),
        panel_size: panel_size(moments.len()),
        caption: String::new(),
    })
}

/// The action with the highest of `actions` q-values, the first of equals.
fn best_action(q_values: &[f64], actions: usize) -> usize {
    assert_eq!(q_values.len(), actions, "a q-value for each action");
    (0..actions).rev().max_by(|&left, &right| q_values[left].total_cmp(&q_values[right])).expect("there are actions")
}

/// Panels in a row.
fn columns(panels: usize) -> usize {
    if panels == 1 { 1 } else { 2 }
}

fn panel_size(panels: usize) -> (f64, f64) {
    if panels == 1 { (560.0, 260.0) } else { (320.0, 150.0) }
}

/// `panels` with titles on the outer axes only.
fn lowest_titled(mut panels: Vec<Panel>, columns: usize) -> Vec<Panel> {
    let count = panels.len();
    for (index, panel) in panels.iter_mut().enumerate() {
        if index + columns < count {
            panel.x.title.clear();
        }
        if index % columns > 0 {
            panel.y.title.clear();
        }
    }
    panels
}

fn solid(colour: usize) -> Fill {
    Fill { colour: PALETTE[colour], opacity: 0.85 }
}

/// The gap between neighbouring atoms.
fn spacing(support: &[f64]) -> f64 {
    assert!(support.len() > 1, "a support has at least two points");
    (support[support.len() - 1] - support[0]) / (support.len() - 1) as f64
}

fn support_axis(support: &[f64], ticks: usize) -> Axis {
    let half = 0.5 * spacing(support);
    Axis::new(RETURN, support[0] - half, support[support.len() - 1] + half, ticks)
}

/// From 0 to just above the highest probability.
fn probability_axis(probabilities: impl Iterator<Item = f64>, ticks: usize) -> Axis {
    let highest = probabilities.fold(0.0, f64::max);
    assert!(highest > 0.0, "some probability is above 0");
    Axis::new("", 0.0, 1.05 * highest, ticks)
}

fn bars(support: &[f64], probabilities: &[f64], fill: Fill) -> Mark {
    assert_eq!(probabilities.len(), support.len(), "a probability for each atom");
    let half = 0.5 * BAR_WIDTH * spacing(support);
    let bar = |(&atom, &height): (&f64, &f64)| Bar { left: atom - half, right: atom + half, height };
    Mark::Bars { bars: support.iter().zip(probabilities).map(bar).collect(), fill }
}

/// The upper outline of bars without gaps.
fn outline(support: &[f64], probabilities: &[f64]) -> Vec<(f64, f64)> {
    assert_eq!(probabilities.len(), support.len(), "a probability for each atom");
    let half = 0.5 * spacing(support);
    support
        .iter()
        .zip(probabilities)
        .flat_map(|(&atom, &probability)| [(atom - half, probability), (atom + half, probability)])
        .collect()
}
