//! Speeds of devices: a panel for each task and subject.

use super::axis::{Axis, bounds};
use super::draw::draw;
use super::figure::{Figure, LegendEntry, Mark, Panel, Svg};
use super::style::{Fill, Pen};
use crate::bench::{Measurement, Report, Task};

/// Panels in a row, as many as there are agents.
const COLUMNS: usize = 3;
/// How far a dot stays away from the ends of its scale at least, in powers of ten.
const DOT_ROOM: f64 = 0.03;

/// Draws a report: how much of its work a device does in a second, against the size of a batch, on logarithmic scales.
///
/// # Panics
/// When there are no measurements, or a time is not above 0.
pub fn speeds(report: &Report) -> Svg {
    assert!(!report.measurements.is_empty(), "there is nothing to draw: measure something first");
    let devices = distinct(report.measurements.iter().map(|measurement| measurement.device.as_str()));
    let panels: Vec<Panel> = Task::ALL
        .into_iter()
        .flat_map(|task| {
            let measurements: Vec<_> = report.measurements.iter().filter(|of| of.task == task).collect();
            let subjects = distinct(measurements.iter().map(|measurement| measurement.subject.as_str()));
            let panel = |subject| panel(task, subject, &measurements, &devices);
            subjects.into_iter().map(panel).collect::<Vec<_>>()
        })
        .collect();
    let legend =
        |(index, device): (usize, &&str)| LegendEntry { name: (*device).to_owned(), pen: Some(pen(index)), fill: None };
    let machine = &report.machine;
    draw(&Figure {
        title: "Speeds of devices".to_owned(),
        subtitle: format!(
            "{}, {} threads; {}, commit {}, {}",
            machine.cpu,
            machine.threads,
            report.program,
            report.commit.as_deref().unwrap_or("unknown"),
            report.date
        ),
        legend: devices.iter().enumerate().map(legend).collect(),
        columns: panels.len().min(COLUMNS),
        panels,
        panel_size: (210.0, 150.0),
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

/// One subject; `measurements` are those of all subjects of the task, whose scales are the same.
fn panel(task: Task, subject: &str, measurements: &[&Measurement], devices: &[&str]) -> Panel {
    let mut batches: Vec<usize> = measurements.iter().map(|measurement| measurement.batch).collect();
    batches.sort_unstable();
    batches.dedup();
    let place = |batch: usize| batches.iter().position(|&other| other == batch).expect("it is one of them") as f64;
    let mut marks = Vec::new();
    for (index, device) in devices.iter().enumerate() {
        let is_own = |of: &&Measurement| of.subject == subject && of.device == *device;
        let mut own: Vec<&Measurement> = measurements.iter().copied().filter(is_own).collect();
        own.sort_by_key(|measurement| measurement.batch);
        let point = |of: &Measurement, time: f64| (place(of.batch), of.rate(time).log10());
        let medians: Vec<(f64, f64)> = own.iter().map(|of| point(of, of.median)).collect();
        let pen = pen(index);
        for of in &own {
            marks.push(Mark::Line { points: vec![point(of, of.low), point(of, of.high)], pen });
        }
        marks.push(Mark::Line { points: medians.clone(), pen: pen.thin() });
        marks.push(Mark::Dots { points: medians, fill: Fill { colour: pen.colour, opacity: 1.0 } });
    }
    let rates = measurements.iter().flat_map(|of| [of.rate(of.low), of.rate(of.high)]);
    Panel {
        title: format!("{}: {subject}", task.name()),
        x: Axis {
            title: if task.counts_agent_steps() { "environments" } else { "batch" }.to_owned(),
            start: -0.5,
            end: batches.len() as f64 - 0.5,
            ticks: batches.iter().enumerate().map(|(place, batch)| (place as f64, batch.to_string())).collect(),
        },
        y: logarithmic_axis(unit(task), rates),
        marks,
    }
}

fn unit(task: Task) -> &'static str {
    match task {
        Task::Forward => "observations/s",
        Task::Update | Task::Sampling => "transitions/s",
        Task::Projection => "distributions/s",
        Task::Environment | Task::EndToEnd => "agent steps/s",
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
    use crate::bench::examples::{measurement, report};

    fn says(svg: &Svg, text: &str) -> bool {
        svg.as_str().lines().any(|line| line == text)
    }

    #[test]
    fn every_subject_has_a_panel_and_every_measurement_a_dot() {
        let svg = speeds(&report(vec![
            measurement(Task::Forward, "dqn", 1, "flex"),
            measurement(Task::Forward, "dqn", 8, "flex"),
            measurement(Task::Forward, "dqn", 1, "cuda:0"),
            measurement(Task::Forward, "rainbow", 8, "flex"),
            measurement(Task::EndToEnd, "pong", 1, "flex"),
        ]));
        assert_eq!(svg.as_str().matches("<circle ").count(), 5);
        for text in ["forward: dqn", "forward: rainbow", "end-to-end: pong", "flex", "cuda:0", "observations/s"] {
            assert!(says(&svg, text), "{text}");
        }
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
