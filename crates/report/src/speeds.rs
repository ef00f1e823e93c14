//! Speeds of devices: a panel for each task and subject.

use crate::axis::{Axis, bounds};
use crate::draw::draw;
use crate::figure::{Figure, LegendEntry, Mark, Panel, Svg};
use crate::style::{Fill, Pen};

/// Panels in a row, as many as there are agents.
const COLUMNS: usize = 3;
/// How far a dot stays away from the ends of its scale at least, in powers of ten.
const DOT_ROOM: f64 = 0.03;

/// One kind of work and how fast devices did it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskSpeeds {
    /// What the work is called.
    pub task: String,
    /// What is counted in a second, such as `transitions/s`.
    pub unit: String,
    /// What [`Speed::size`] is the size of, such as `batch`.
    pub size: String,
    /// The speeds, which share one scale.
    pub speeds: Vec<Speed>,
}

/// How fast one device did one piece of work. Speeds are above 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Speed {
    /// What the work was done to; each subject has a panel.
    pub subject: String,
    /// Size of a batch, or number of environments.
    pub size: usize,
    /// The device; each has a line.
    pub device: String,
    /// Median over rounds, in the task's unit.
    pub median: f64,
    /// Speed in a round at the lower quartile.
    pub low: f64,
    /// Speed in a round at the upper quartile.
    pub high: f64,
}

/// Draws how much of its work a device does in a second, against the size of a batch, on logarithmic scales. `origin` says
/// where and when it was measured.
///
/// # Panics
/// When there are no speeds, or one is not above 0.
pub fn speeds(origin: &str, tasks: &[TaskSpeeds]) -> Svg {
    let all = || tasks.iter().flat_map(|task| &task.speeds);
    assert!(all().next().is_some(), "there are no speeds to draw");
    assert!(all().all(|of| of.low > 0.0 && of.median > 0.0 && of.high > 0.0), "speeds are above 0");
    let devices = distinct(all().map(|speed| speed.device.as_str()));
    let panels: Vec<Panel> = tasks
        .iter()
        .flat_map(|task| {
            let subjects = distinct(task.speeds.iter().map(|speed| speed.subject.as_str()));
            subjects.into_iter().map(|subject| panel(task, subject, &devices)).collect::<Vec<_>>()
        })
        .collect();
    let legend =
        |(index, device): (usize, &&str)| LegendEntry { name: (*device).to_owned(), pen: Some(pen(index)), fill: None };
    draw(&Figure {
        title: "Speeds of devices".to_owned(),
        subtitle: origin.to_owned(),
        legend: devices.iter().enumerate().map(legend).collect(),
        columns: panels.len().min(COLUMNS),
        panels,
        panel_size: (210.0, 150.0),
        row_images: Vec::new(),
        caption:
            "Dots: medians over rounds; lines through them: from quartile to quartile. Higher is faster; scales are \
                  logarithmic, and panels of one task have the same."
                .to_owned(),
    })
}

/// Each of `names` once, in their order.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

fn pen(device: usize) -> Pen {
    Pen::of(device % Pen::COUNT)
}

/// One subject of a task.
fn panel(task: &TaskSpeeds, subject: &str, devices: &[&str]) -> Panel {
    let mut sizes: Vec<usize> = task.speeds.iter().map(|speed| speed.size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let place = |size: usize| sizes.iter().position(|&other| other == size).expect("it is one of them") as f64;
    let mut marks = Vec::new();
    for (index, device) in devices.iter().enumerate() {
        let is_own = |of: &&Speed| of.subject == subject && of.device == *device;
        let mut own: Vec<&Speed> = task.speeds.iter().filter(is_own).collect();
        own.sort_by_key(|speed| speed.size);
        let point = |of: &Speed, speed: f64| (place(of.size), speed.log10());
        let medians: Vec<(f64, f64)> = own.iter().map(|of| point(of, of.median)).collect();
        let pen = pen(index);
        for of in &own {
            marks.push(Mark::Line { points: vec![point(of, of.low), point(of, of.high)], pen });
        }
        marks.push(Mark::Line { points: medians.clone(), pen: pen.thin() });
        marks.push(Mark::Dots { points: medians, fill: Fill { colour: pen.colour, opacity: 1.0 } });
    }
    let ends = task.speeds.iter().flat_map(|of| [of.low, of.high]);
    Panel {
        title: format!("{}: {subject}", task.task),
        x: Axis {
            title: task.size.clone(),
            start: -0.5,
            end: sizes.len() as f64 - 0.5,
            ticks: sizes.iter().enumerate().map(|(place, size)| (place as f64, size.to_string())).collect(),
        },
        y: logarithmic_axis(&task.unit, ends),
        marks,
    }
}

/// An axis of decimal logarithms, from a tick below all `values` to one above them. Ticks are at 1, 2 and 5 times powers
/// of ten, or at these powers alone where the others would be too many.
fn logarithmic_axis(title: &str, values: impl Iterator<Item = f64>) -> Axis {
    let (lowest, highest) = bounds(values.map(f64::log10));
    let factors: &[f64] = if highest - lowest < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    // One power more to either side, for values that are ticks themselves.
    let powers = lowest.floor() as i32 - 1..=highest.ceil() as i32 + 1;
    let ticks = powers.flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)));
    let mut ticks: Vec<(f64, String)> = ticks.map(|value| (value.log10(), short(value))).collect();
    let last_below = ticks.iter().rposition(|(at, _)| at + DOT_ROOM < lowest).expect("a power of ten is below");
    let first_above = ticks.iter().position(|(at, _)| at - DOT_ROOM > highest).expect("a power of ten is above");
    ticks.truncate(first_above + 1);
    ticks.drain(..last_below);
    Axis { title: title.to_owned(), start: ticks[0].0, end: ticks[ticks.len() - 1].0, ticks }
}

/// A round number with as few characters as it needs.
fn short(value: f64) -> String {
    let (factor, unit) = match value {
        _ if value >= 0.999e9 => (1e9, "G"),
        _ if value >= 0.999e6 => (1e6, "M"),
        _ if value >= 0.999e3 => (1e3, "k"),
        _ => (1.0, ""),
    };
    // Powers of ten are not exact below 1.
    let shown = (value / factor * 1e6).round() / 1e6;
    format!("{shown}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speed(subject: &str, size: usize, device: &str) -> Speed {
        Speed { subject: subject.to_owned(), size, device: device.to_owned(), median: 1.0, low: 0.95, high: 1.05 }
    }

    fn task(name: &str, unit: &str, speeds: Vec<Speed>) -> TaskSpeeds {
        TaskSpeeds { task: name.to_owned(), unit: unit.to_owned(), size: "batch".to_owned(), speeds }
    }

    #[test]
    fn every_subject_has_a_panel_and_every_speed_a_dot() {
        let forward = vec![
            speed("dqn", 1, "flex"),
            speed("dqn", 8, "flex"),
            speed("dqn", 1, "cuda:0"),
            speed("rainbow", 8, "flex"),
        ];
        let svg = speeds(
            "Abacus 3",
            &[
                task("forward", "observations/s", forward),
                task("end-to-end", "agent steps/s", vec![speed("pong", 1, "flex")]),
            ],
        );
        assert_eq!(svg.as_str().matches("<circle ").count(), 5);
        let texts =
            ["forward: dqn", "forward: rainbow", "end-to-end: pong", "flex", "cuda:0", "observations/s", "Abacus 3"];
        for text in texts {
            assert!(svg.as_str().contains(&format!(">{text}</text>")), "{text}");
        }
    }

    #[test]
    #[should_panic(expected = "speeds are above 0")]
    fn a_speed_of_nothing_is_refused() {
        speeds("", &[task("forward", "", vec![Speed { low: 0.0, ..speed("dqn", 1, "flex") }])]);
    }

    #[test]
    fn ticks_of_a_logarithmic_axis_are_round_numbers() {
        let labels = |lowest: f64, highest: f64| {
            let ticks = logarithmic_axis("", [lowest, highest].into_iter()).ticks;
            ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>()
        };
        assert_eq!(labels(300.0, 4_000.0), ["200", "500", "1k", "2k", "5k"]);
        assert_eq!(labels(0.2, 30.0), ["0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50"]);
        assert_eq!(labels(33.0, 33.0), ["20", "50"]);
        assert_eq!(labels(90.0, 2e6), ["10", "100", "1k", "10k", "100k", "1M", "10M"]);
    }
}
