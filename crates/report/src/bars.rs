//! Figures of categorical distributions: bars over the points of a support.

use crate::axis::{Axis, number};
use crate::draw::draw;
use crate::figure::{Bar, Figure, LegendEntry, Mark, Panel, Svg};
use crate::observations::Image;
use crate::style::{Fill, PALE, PALETTE, Pen};

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
    /// Its projection under `reward` and `discount`, `[K]`.
    pub projected: &'a [f64],
    /// Its projection where the episode ends with `reward`, `[K]`.
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
    /// Name of the transition.
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
/// When a length differs from the support's, the support has fewer than two points, or a distribution has no probability
/// above 0.
pub fn projection(picture: &Projection<'_>) -> Svg {
    let &Projection { support, source, projected, done, reward, discount } = picture;
    let panel = |title: String, colour: usize, probabilities: &[f64]| Panel {
        title,
        x: support_axis(support, 9),
        y: Axis { title: PROBABILITY.to_owned(), ..probability_axis(probabilities.iter().copied(), 5) },
        marks: vec![bars(support, probabilities, solid(colour))],
    };
    let mut panels = vec![
        panel("source: return Z of the next state".to_owned(), 0, source),
        panel(format!("projected: {} + {discount} Z", number(reward)), 1, projected),
        panel(format!("projected where the episode ends: {}", number(reward)), 2, done),
    ];
    panels[..2].iter_mut().for_each(|panel| panel.x.title.clear());
    draw(&Figure {
        title: "Projection onto the support".to_owned(),
        subtitle: format!(
            "{} atoms from {} to {}; reward {}, discount {discount}",
            support.len(),
            number(support[0]),
            number(support[support.len() - 1]),
            number(reward)
        ),
        legend: Vec::new(),
        panels,
        columns: 1,
        panel_size: (560.0, 130.0),
        row_images: Vec::new(),
        caption: String::new(),
    })
}

/// Draws a grid of distributions: a row for each moment or observation, a column for each of `actions`. A line marks each
/// q-value; the best action of a row has its own colour.
///
/// # Panics
/// Without rows or actions, when a length differs from the support's or the number of actions, the support has fewer than
/// two points, or a q-value lies outside it.
pub fn distribution_grid(title: &str, support: &[f64], actions: &[String], rows: &[DistributionRow]) -> Svg {
    distribution_grid_beside(Vec::new(), title, support, actions, rows)
}

/// [`distribution_grid`] with an image at the beginning of each row, as far as there are images.
pub(crate) fn distribution_grid_beside(
    row_images: Vec<Image>,
    title: &str,
    support: &[f64],
    actions: &[String],
    rows: &[DistributionRow],
) -> Svg {
    assert!(!rows.is_empty() && !actions.is_empty(), "a grid has rows and actions");
    let (others, best_fill) = (solid(0), solid(1));
    let mean = Pen { colour: PALETTE[6], ..Pen::of(0) };
    let mut panels = Vec::with_capacity(rows.len() * actions.len());
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(row.probabilities.len(), actions.len(), "a distribution for each action");
        let best = best_action(&row.q_values, actions.len());
        // One scale in a row, so that its actions compare.
        let y = probability_axis(row.probabilities.iter().flatten().copied(), 4);
        for (action, probabilities) in row.probabilities.iter().enumerate() {
            let x = support_axis(support, 4);
            let q = row.q_values[action];
            let fill = if action == best { best_fill } else { others };
            let marks = vec![bars(support, probabilities, fill), q_line(support, q, y.end, mean)];
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
        row_images,
        caption: String::new(),
    })
}

/// Draws targets with the predictions made for them.
///
/// # Panics
/// Without comparisons, when a length differs from the support's, the support has fewer than two points, or a pair has no
/// probability above 0.
pub fn target_and_prediction(title: &str, support: &[f64], comparisons: &[Comparison]) -> Svg {
    let target_fill = solid(5);
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
        row_images: Vec::new(),
        caption: String::new(),
    })
}

/// Draws the q-values of all `actions` as lines over the distribution of the best.
///
/// # Panics
/// Without panels, with more actions than there are lines to tell apart (21), when a length differs from the support's or
/// the number of actions, the support has fewer than two points, or a q-value lies outside it.
pub fn q_over_best(title: &str, support: &[f64], actions: &[String], moments: &[BestAction]) -> Svg {
    q_over_best_beside(Vec::new(), title, support, actions, moments)
}

/// [`q_over_best`] with an image beside each panel, as far as there are images; panels then stand one below the other.
pub(crate) fn q_over_best_beside(
    row_images: Vec<Image>,
    title: &str,
    support: &[f64],
    actions: &[String],
    moments: &[BestAction],
) -> Svg {
    assert!(actions.len() <= Pen::COUNT, "{} actions cannot be told apart", actions.len());
    let fill = Fill { colour: PALE, opacity: 1.0 };
    let panels = moments.iter().map(|BestAction { title, q_values, probabilities }| {
        let best = best_action(q_values, actions.len());
        let y = Axis { title: PROBABILITY.to_owned(), ..probability_axis(probabilities.iter().copied(), 4) };
        // Each line ends below the one before it, so that equal q-values do not hide each other.
        let height = |action: usize| y.end * (1.0 - 0.4 * action as f64 / actions.len() as f64);
        let pen = |action| Pen { width: 2.0, ..Pen::of(action) };
        let lines = q_values.iter().enumerate().map(|(action, &q)| q_line(support, q, height(action), pen(action)));
        let marks = std::iter::once(bars(support, probabilities, fill)).chain(lines).collect();
        Panel { title: format!("{title}: best is {}", actions[best]), x: support_axis(support, 8), y, marks }
    });
    let columns = if row_images.is_empty() { columns(moments.len()) } else { 1 };
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
        panels: lowest_titled(panels.collect(), columns),
        columns,
        panel_size: panel_size(moments.len()),
        row_images,
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
    Fill { colour: PALETTE[colour], opacity: 1.0 }
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

/// A line at a q-value, which is a mean over the support and so lies on it, up to `height`.
fn q_line(support: &[f64], q: f64, height: f64, pen: Pen) -> Mark {
    let half = 0.5 * spacing(support);
    let (lowest, highest) = (support[0] - half, support[support.len() - 1] + half);
    assert!((lowest..=highest).contains(&q), "a q-value of {q} is no mean over a support from {lowest} to {highest}");
    Mark::Line { points: vec![(q, 0.0), (q, height)], pen }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// How many rectangles of a colour a figure has.
    fn count(svg: &Svg, colour: usize) -> usize {
        let fill = format!("fill=\"{}\"", PALETTE[colour]);
        svg.as_str().lines().filter(|line| line.starts_with("<rect") && line.contains(&fill)).count()
    }

    fn says(svg: &Svg, text: &str) -> bool {
        svg.as_str().contains(&format!(">{text}</text>"))
    }

    #[test]
    fn a_projection_has_a_panel_for_source_projection_and_ending() {
        // With reward 0.5 and discount 0.5 the atoms -1, 0, 1 move to 0, 0.5 and 1; the middle one is shared by 0 and 1.
        let svg = projection(&Projection {
            support: &[-1.0, 0.0, 1.0],
            source: &[0.25, 0.5, 0.25],
            projected: &[0.0, 0.5, 0.5],
            done: &[0.0, 0.5, 0.5],
            reward: 0.5,
            discount: 0.5,
        });
        assert_eq!([count(&svg, 0), count(&svg, 1), count(&svg, 2)], [3, 2, 2]);
        assert!(says(&svg, "projected: 0.5 + 0.5 Z") && says(&svg, "3 atoms from −1 to 1; reward 0.5, discount 0.5"));
        assert_eq!(svg.as_str().matches(">return</text>").count(), 1);
        assert_eq!(svg.as_str().matches(">probability</text>").count(), 3);
    }

    #[test]
    fn bars_stand_on_their_atoms_with_heights_as_probabilities() {
        let Mark::Bars { bars, .. } = bars(&[0.0, 2.0, 4.0], &[0.5, 0.25, 0.25], solid(0)) else { panic!("bars") };
        assert!((bars[1].left - 1.15).abs() < 1e-12 && (bars[1].right - 2.85).abs() < 1e-12);
        assert_eq!(bars.iter().map(|bar| bar.height).collect::<Vec<_>>(), [0.5, 0.25, 0.25]);
        let steps = outline(&[0.0, 2.0], &[0.75, 0.25]);
        assert_eq!(steps, [(-1.0, 0.75), (1.0, 0.75), (1.0, 0.25), (3.0, 0.25)]);
    }

    #[test]
    fn a_grid_has_a_panel_for_each_row_and_action_and_marks_the_best() {
        let row = |title: &str, q_values: [f64; 2]| DistributionRow {
            title: title.to_owned(),
            probabilities: vec![vec![0.5, 0.5], vec![0.0, 1.0]],
            q_values: q_values.to_vec(),
        };
        let actions = ["stay".to_owned(), "go".to_owned()];
        let svg =
            distribution_grid("grid", &[0.0, 1.0], &actions, &[row("early", [0.5, 0.6]), row("late", [0.5, 1.0])]);
        // In both rows two bars of the first action and one of the second, which is the best; and a sample in the legend.
        assert_eq!([count(&svg, 0), count(&svg, 1)], [2 * 2 + 1, 2 + 1]);
        for text in ["stay", "go", "early", "late", "q-value"] {
            assert!(says(&svg, text), "{text}");
        }
    }

    #[test]
    fn the_best_action_is_the_first_of_the_highest() {
        assert_eq!(best_action(&[1.0, 3.0, 3.0, 2.0], 4), 1);
    }

    #[test]
    fn a_prediction_lies_over_its_target() {
        let comparison =
            |title: &str| Comparison { title: title.to_owned(), target: vec![0.5, 0.5], prediction: vec![0.9, 0.1] };
        let svg = target_and_prediction("loss", &[0.0, 1.0], &[comparison("first"), comparison("second")]);
        assert_eq!(count(&svg, 5), 2 * 2 + 1);
        for text in ["first", "second", "target", "prediction"] {
            assert!(says(&svg, text), "{text}");
        }
        // The outlines, and the sample in the legend.
        assert_eq!(svg.as_str().matches("stroke=\"#D55E00\"").count(), 3);
    }

    #[test]
    fn q_values_are_lines_over_the_distribution_of_the_best_action() {
        let moment =
            BestAction { title: "update 5".to_owned(), q_values: vec![0.25, 0.5, 0.5], probabilities: vec![0.5, 0.5] };
        let actions = ["left", "stay", "right"].map(str::to_owned);
        let svg = q_over_best("values", &[0.0, 1.0], &actions, &[moment]);
        assert!(says(&svg, "update 5: best is stay"));
        for (action, stroke) in ["left", "stay", "right"].iter().zip(["#0072B2", "#D55E00", "#009E73"]) {
            assert!(says(&svg, &format!("q-value of {action}")));
            // One line, and the sample in the legend.
            assert_eq!(svg.as_str().matches(&format!("stroke=\"{stroke}\"")).count(), 2);
        }
    }

    #[test]
    #[should_panic(expected = "a probability for each atom")]
    fn a_distribution_over_another_support_is_refused() {
        bars(&[0.0, 1.0, 2.0], &[0.5, 0.5], solid(0));
    }
}
