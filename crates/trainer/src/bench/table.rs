//! A report as text for the terminal.

use std::fmt::Write;

use super::comparison::{Change, Verdict};
use super::sampling::TRANSITIONS;
use super::{Comparison, Measurement, Report, Task};

/// A table for each task of `report`: a row for each subject and batch, some columns for each device, and changes since
/// the older report where there is one.
pub fn render(report: &Report, comparison: Option<&Comparison>) -> String {
    let mut text = heading(report);
    for task in Task::ALL {
        let measurements: Vec<&Measurement> = report.measurements.iter().filter(|m| m.task == task).collect();
        if !measurements.is_empty() {
            let rows = rows(task, &measurements, comparison);
            line(&mut text, format_args!("\n{}: {}", task.name(), description(task, measurements[0])));
            text.push_str(&aligned(&rows));
        }
    }
    text.push_str(&legend(report, comparison));
    if report.is_incomplete() {
        line(&mut text, format_args!("interrupted after {} of {} pieces of work", report.tried, report.planned));
    }
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string can always be written to");
}

/// What ran where and when.
fn heading(report: &Report) -> String {
    let machine = &report.machine;
    let memory = machine.memory_bytes.map_or_else(String::new, |bytes| format!(", {:.1} GiB", gibibytes(bytes)));
    let versions: Vec<String> = report.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let mut facts = vec![
        ("program", format!("{}, commit {}", report.program, report.commit.as_deref().unwrap_or("unknown"))),
        ("command", report.command.clone()),
        ("date", report.date.clone()),
        ("machine", format!("{}, {} threads{memory}, {}", machine.cpu, machine.threads, machine.os)),
        ("versions", versions.join(", ")),
    ];
    facts.extend(report.devices.iter().map(|device| (device.name.as_str(), device.description.clone())));
    let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in facts {
        line(&mut text, format_args!("{name:width$}  {value}"));
    }
    text
}

/// What a task's figures are of; `any` is one of its measurements.
fn description(task: Task, any: &Measurement) -> String {
    let missing = match any.subject.as_str() {
        "catch" => "; Catch with 10x5 pixels, Pong's ROM being absent (see `prism roms install`)",
        _ => "",
    };
    match task {
        Task::Forward => "time of a batch of 84x84x4 bytes: upload, forward pass, reading q-values".to_owned(),
        Task::Update => "time of an update from a batch of 84x84x4 bytes, its result read one update later".to_owned(),
        Task::Projection => "time of a batch of distributions over 51 atoms".to_owned(),
        Task::Sampling => {
            format!("time of a batch from {} transitions with 84x84 frames (0.73 GB)", grouped(TRANSITIONS as f64))
        }
        Task::Environment => format!("agent steps per second of several environments, random actions{missing}"),
        Task::EndToEnd => format!("agent steps per second of training with the preset, late in a run{missing}"),
    }
}

/// How the figures are to be read.
fn legend(report: &Report, comparison: Option<&Comparison>) -> String {
    let mut text = String::new();
    let rounds = report.measurements.iter().map(|measurement| measurement.rounds);
    let Some((least, most)) = rounds.clone().min().zip(rounds.max()) else {
        return "\nnothing was measured\n".to_owned();
    };
    line(
        &mut text,
        format_args!("\nmedian and quartiles of {least} to {most} rounds, in which the devices take turns"),
    );
    line(&mut text, format_args!("prep.: before the first round: building, compiling and tuning kernels, warming up"));
    line(&mut text, format_args!("memory: held by the device's allocator where it tells, else by the whole process"));
    if report.devices.len() > 1 {
        let first = &report.devices[0].name;
        line(&mut text, format_args!("ratio: speed over that of {first}, above 1 is faster"));
    }
    if let Some(comparison) = comparison {
        let old = comparison.old();
        let commit = old.commit.as_deref().unwrap_or("unknown");
        let of = format!("{} (commit {commit}, {})", old.program, old.date);
        line(&mut text, format_args!("old/new: speed over that of {of}, above 1 is faster; noise: quartiles overlap"));
        if old.machine != report.machine {
            let machine = &old.machine;
            let threads = machine.threads;
            line(
                &mut text,
                format_args!(
                    "the old figures are of another machine: {}, {threads} threads, {}",
                    machine.cpu, machine.os
                ),
            );
        }
        if old.is_incomplete() {
            line(&mut text, format_args!("the old figures are of a run that was interrupted"));
        }
        if !report.measurements.iter().any(|new| comparison.change(new).is_some()) {
            line(&mut text, format_args!("none of the old figures is of the same work on a device of the same name"));
        }
    }
    text
}

/// Cells of a task's table, its heads first.
fn rows(task: Task, measurements: &[&Measurement], comparison: Option<&Comparison>) -> Vec<Vec<String>> {
    let mut devices: Vec<&str> = Vec::new();
    let mut keys: Vec<(&str, usize)> = Vec::new();
    for measurement in measurements {
        if !devices.contains(&measurement.device.as_str()) {
            devices.push(&measurement.device);
        }
        let key = (measurement.subject.as_str(), measurement.batch);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let mut heads = vec!["subject", if task.counts_agent_steps() { "count" } else { "batch" }];
    for (index, device) in devices.iter().enumerate() {
        heads.extend([device, "quartiles", "prep.", "memory"]);
        heads.extend((index > 0).then_some("ratio"));
        heads.extend(comparison.map(|_| "old/new"));
    }
    let mut rows = vec![heads.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    for (subject, batch) in keys {
        let find = |device: &str| {
            let is_it =
                |m: &&&Measurement| (m.subject.as_str(), m.batch, m.device.as_str()) == (subject, batch, device);
            measurements.iter().find(is_it).copied()
        };
        let mut row = vec![subject.to_owned(), batch.to_string()];
        for (index, device) in devices.iter().enumerate() {
            let measurement = find(device);
            row.extend(measurement.map_or_else(|| ["-"; 4].map(str::to_owned), figures));
            if index > 0 {
                let ratio = measurement.zip(find(devices[0])).map(|(this, first)| first.median / this.median);
                row.push(ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{}x", significant(ratio))));
            }
            if let Some(comparison) = comparison {
                row.push(measurement.and_then(|new| comparison.change(new)).map_or_else(|| "-".to_owned(), change));
            }
        }
        rows.push(row);
    }
    rows
}

/// Median, quartiles, preparation and memory.
fn figures(measurement: &Measurement) -> [String; 4] {
    let Measurement { low, median, high, .. } = *measurement;
    let (median, quartiles) = if measurement.task.counts_agent_steps() {
        let [from, to] = [high, low].map(|time| grouped(measurement.rate(time)));
        (format!("{}/s", grouped(measurement.rate(median))), format!("{from}..{to}"))
    } else {
        let (factor, unit) = time_unit(median);
        let [low, median, high] = [low, median, high].map(|time| significant(factor * time));
        (format!("{median} {unit}"), format!("{low}..{high}"))
    };
    let preparation = measurement.preparation.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1} s"));
    let memory =
        measurement.memory_bytes.map_or_else(|| "-".to_owned(), |bytes| format!("{:.2} GiB", gibibytes(bytes)));
    [median, quartiles, preparation, memory]
}

fn change(Change { ratio, verdict }: Change) -> String {
    let noise = match verdict {
        Verdict::Differs => "",
        Verdict::WithinNoise => " within noise",
    };
    format!("{}x{noise}", significant(ratio))
}

/// What seconds are multiplied by, and the unit that they then have.
fn time_unit(seconds: f64) -> (f64, &'static str) {
    match seconds {
        _ if seconds >= 1.0 => (1.0, "s"),
        _ if seconds >= 1e-3 => (1e3, "ms"),
        _ if seconds >= 1e-6 => (1e6, "us"),
        _ => (1e9, "ns"),
    }
}

/// At least three digits.
fn significant(value: f64) -> String {
    let decimals = (2.0 - value.abs().log10().floor()).clamp(0.0, 2.0) as usize;
    format!("{value:.decimals$}")
}

/// A rate or a number: digits in groups of three, decimals only below 100.
fn grouped(value: f64) -> String {
    if value < 99.95 { format!("{value:.1}") } else { indicatif::HumanCount(value.round() as u64).to_string() }
}

fn gibibytes(bytes: u64) -> f64 {
    bytes as f64 / (1u64 << 30) as f64
}

/// Rows in columns: the first column begins, the others end, below each other.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}"));
        let first = row.first().zip(widths.first()).map(|(cell, &width)| format!("  {cell:<width$}"));
        cells.next();
        let cells: Vec<String> = first.into_iter().chain(cells).collect();
        line(&mut text, format_args!("{}", cells.join("  ").trim_end()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::examples::{measurement, report};
    use super::*;

    /// The lines of a task's table below its description.
    fn table<'a>(text: &'a str, task: &str) -> Vec<&'a str> {
        let start = format!("{task}: ");
        text.lines().skip_while(|line| !line.starts_with(&start)).skip(1).take_while(|line| !line.is_empty()).collect()
    }

    #[test]
    fn devices_stand_side_by_side_with_ratios_to_the_first() {
        let of = |batch, device, median| {
            let (low, high) = (0.9 * median, 1.1 * median);
            Measurement { median, low, high, ..measurement(Task::Update, "rainbow", batch, device) }
        };
        let mut report = report(vec![
            of(32, "flex", 0.02),
            of(32, "cuda:0", 0.0005),
            of(256, "flex", 2.0),
            of(512, "cuda:0", 0.004),
        ]);
        report.measurements[1].memory_bytes = Some(3 << 29);
        report.devices.push(super::super::DeviceDescription { name: "cuda:0".into(), description: "a GPU".into() });
        let text = render(&report, None);
        let expected = [
            "  subject  batch     flex   quartiles  prep.  memory   cuda:0   quartiles  prep.    memory  ratio",
            "  rainbow     32  20.0 ms  18.0..22.0  2.5 s       -   500 us    450..550  2.5 s  1.50 GiB  40.0x",
            "  rainbow    256   2.00 s  1.80..2.20  2.5 s       -        -           -      -         -      -",
            "  rainbow    512        -           -      -       -  4.00 ms  3.60..4.40  2.5 s         -      -",
        ];
        assert_eq!(table(&text, "update"), expected);
        for part in ["Abacus 3, 2 threads, 8.0 GiB, Clay 1", "burn 0.22.1", "cuda:0    a GPU", "over that of flex"] {
            assert!(text.contains(part), "`{part}` is not in {text}");
        }
    }

    #[test]
    fn agent_steps_are_shown_as_rates_with_their_quartiles_in_order() {
        let step = Measurement {
            low: 0.00020,
            median: 0.00025,
            high: 0.0004,
            ..measurement(Task::Environment, "catch", 8, "cpu")
        };
        let text = render(&report(vec![step]), None);
        assert_eq!(table(&text, "environment")[1], "  catch        8  4,000/s  2,500..5,000  2.5 s       -");
        assert!(text.contains("prism roms install"), "{text}");
    }

    #[test]
    fn a_comparison_marks_what_is_noise() {
        let of = |batch, median| {
            let (low, high) = (0.9 * median, 1.1 * median);
            Measurement { median, low, high, ..measurement(Task::Projection, "c51", batch, "flex") }
        };
        let old = report(vec![of(32, 1.0), of(256, 1.0)]);
        let text =
            render(&report(vec![of(32, 0.5), of(256, 1.05), of(512, 1.0)]), Some(&Comparison::with(old.clone())));
        let last = |line: &str| line.rsplit("  ").next().unwrap().trim().to_owned();
        let changes: Vec<String> = table(&text, "projection").into_iter().map(last).collect();
        assert_eq!(changes, ["old/new", "2.00x", "0.95x within noise", "-"]);
        assert!(!text.contains("another machine") && !text.contains("none of the old"), "{text}");

        let mut elsewhere = old;
        elsewhere.machine.threads = 64;
        let text = render(&report(vec![of(512, 1.0)]), Some(&Comparison::with(elsewhere)));
        assert!(text.contains("another machine: Abacus 3, 64 threads") && text.contains("none of the old"), "{text}");
    }

    #[test]
    fn without_measurements_it_says_so() {
        assert!(render(&report(Vec::new()), None).ends_with("\nnothing was measured\n"));
    }

    #[test]
    fn numbers_have_three_digits_or_all_they_need() {
        assert_eq!(
            [0.123456, 1.23456, 12.3456, 123.456, 1234.56].map(significant),
            ["0.12", "1.23", "12.3", "123", "1235"]
        );
        assert_eq!([3.25, 99.96, 12_345.6].map(grouped), ["3.2", "100", "12,346"]);
        assert_eq!([2.0, 0.5, 3e-4, 5e-8].map(|seconds| time_unit(seconds).1), ["s", "ms", "us", "ns"]);
    }
}
