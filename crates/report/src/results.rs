//! The numbers of learning curves: final scores over seeds, agent steps to the stop score, time.

use std::fmt;
use std::path::PathBuf;

use prism_runs::{EPISODES, RecordedRun, TIMING};

use crate::axis::number;
use crate::curve::trailing_mean;
use crate::error::ReportError;
use crate::group::{Group, Label, groups, open_each_once};
use crate::learning_curves::common_window;

/// The cell for a missing number.
const NOTHING: &str = "-";

/// A table with a row for each group of runs that differ only in the seed. `Display` shows it in aligned columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// Games that scores are averaged over.
    pub window: usize,
    /// The groups, in the order of the first run of each.
    pub groups: Vec<GroupResult>,
}

/// The results of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupResult {
    /// Name of the group.
    pub name: String,
    /// Environment or game.
    pub environment: String,
    /// Protocol of its scores.
    pub protocol: String,
    /// Runs in it, each with a seed of its own unless a label says otherwise.
    pub runs: usize,
    /// Mean score of the last games of a run; `None` while no game has ended.
    pub score: Option<OverSeeds>,
    /// The mean score that ends those runs that one ends; `None` where no score ends a run, or they have different ones.
    pub stop_score: Option<f64>,
    /// Agent steps after which a run's own mean score reached the stop score, over the runs that reached it.
    pub steps_to_stop: Option<OverSeeds>,
    /// Agent steps of a run.
    pub agent_steps: Option<OverSeeds>,
    /// Wall-clock time of a run in seconds.
    pub seconds: Option<OverSeeds>,
}

/// One number from each of several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverSeeds {
    /// How many runs have the number, 1 at least.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their sample standard deviation; `None` of a single run.
    pub deviation: Option<f64>,
    /// The lowest.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
}

/// Reads the results of `runs`: those that differ only in the seed are one group, as in [`learning_curves`], and so are
/// those that `labels` give one name. Scores are means of the last `window` games, else of the runs' own number. Unlike
/// curves, the runs may be of different environments.
///
/// [`learning_curves`]: crate::learning_curves()
///
/// # Errors
/// When a folder is no run, or runs have different windows and none is given.
///
/// # Panics
/// Without runs, or with a window of 0.
pub fn results(runs: &[PathBuf], window: Option<usize>, labels: &[Label]) -> Result<Results, ReportError> {
    assert!(!runs.is_empty(), "results need runs");
    let runs = open_each_once(runs)?;
    let window = match window {
        Some(window) => window,
        None => common_window(&runs)?,
    };
    let groups = groups(runs, labels)?;
    let groups = groups.iter().map(|group| GroupResult::of(group, window)).collect::<Result<Vec<_>, _>>()?;
    Ok(Results { window, groups })
}

/// The results of one run.
#[derive(Clone, Debug, Default, PartialEq)]
struct RunResult {
    score: Option<f64>,
    steps_to_stop: Option<f64>,
    agent_steps: Option<f64>,
    seconds: Option<f64>,
}

impl GroupResult {
    fn of(group: &Group, window: usize) -> Result<Self, ReportError> {
        let mut stops: Vec<f64> = group.runs.iter().filter_map(|run| run.stop_score).collect();
        stops.dedup();
        let stop_score = if let [stop] = stops.as_slice() { Some(*stop) } else { None };
        let of_runs = group.runs.iter().map(|run| RunResult::read(run, window, stop_score));
        let of_runs = of_runs.collect::<Result<Vec<_>, _>>()?;
        let over_seeds = |number: fn(&RunResult) -> Option<f64>| {
            OverSeeds::of(&of_runs.iter().filter_map(number).collect::<Vec<_>>())
        };
        Ok(Self {
            name: group.name.clone(),
            environment: group.runs[0].environment.clone(),
            protocol: group.protocol().to_owned(),
            runs: group.runs.len(),
            score: over_seeds(|run| run.score),
            stop_score,
            steps_to_stop: over_seeds(|run| run.steps_to_stop),
            agent_steps: over_seeds(|run| run.agent_steps),
            seconds: over_seeds(|run| run.seconds),
        })
    }

    fn cells(&self, window: usize) -> [String; 6] {
        let or_nothing = |cell: Option<String>| cell.unwrap_or_else(|| NOTHING.to_owned());
        // A mean of several games has a fraction worth a digit or two, a single score has none of its own.
        let score = |value: f64| if window == 1 { number(value) } else { rounded(value) };
        [
            self.name.clone(),
            self.runs.to_string(),
            or_nothing(self.score.map(|of| match of.deviation {
                Some(deviation) => format!("{} ± {}", rounded(of.mean), rounded(deviation)),
                None => score(of.mean),
            })),
            or_nothing(
                self.score.filter(|of| of.count > 1).map(|of| format!("{} to {}", score(of.lowest), score(of.highest))),
            ),
            or_nothing(self.stop_score.map(|stop| {
                let reached = self.steps_to_stop.map_or(0, |of| of.count);
                let steps = self.steps_to_stop.map_or_else(|| NOTHING.to_owned(), |of| grouped(of.mean));
                format!("{steps} to {} ({reached} of {})", number(stop), self.runs)
            })),
            or_nothing(self.seconds.map(|of| duration(of.mean))),
        ]
    }
}

impl RunResult {
    fn read(run: &RecordedRun, window: usize, stop_score: Option<f64>) -> Result<Self, ReportError> {
        let episodes = run.table(EPISODES)?;
        let (scores, steps) = (episodes.column("score")?, episodes.column("agent_steps")?);
        let own_means = trailing_mean(scores, run.score_window);
        // Means of fewer games than a whole window end no run.
        let whole = own_means.iter().zip(steps).skip(run.score_window - 1);
        let steps_to_stop = stop_score.and_then(|stop| whole.clone().find(|(mean, _)| **mean >= stop));
        // A run that was kept for its scores may have lost its speeds.
        let timing = if run.has(TIMING) { Some(run.table(TIMING)?) } else { None };
        let last = |values: &[f64]| values.iter().copied().rfind(|value| value.is_finite());
        let seconds = timing.as_ref().map(|timing| timing.column("elapsed_seconds")).transpose()?;
        let played = timing.as_ref().map(|timing| timing.column("agent_steps")).transpose()?;
        Ok(Self {
            score: trailing_mean(scores, window).last().copied().filter(|mean| mean.is_finite()),
            steps_to_stop: steps_to_stop.map(|(_, steps)| *steps),
            agent_steps: played.and_then(last).or_else(|| last(steps)),
            seconds: seconds.and_then(last),
        })
    }
}

impl OverSeeds {
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (count > 0).then(|| Self {
            count,
            mean,
            deviation: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()),
            lowest: values.iter().copied().fold(f64::INFINITY, f64::min),
            highest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

impl Results {
    /// The table as CSV: a row for each group, numbers in full, cells empty where there is none.
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut header = ["group", "environment", "protocol", "runs", "window"].map(str::to_owned).to_vec();
        header.extend(columns_of("score"));
        header.extend(["stop_score", "reached"].map(str::to_owned));
        for name in ["steps_to_stop", "agent_steps", "seconds"] {
            header.extend(columns_of(name));
        }
        let mut rows = vec![header];
        for group in &self.groups {
            let mut row = vec![group.name.clone(), group.environment.clone(), group.protocol.clone()];
            row.extend([group.runs, self.window].map(|count| count.to_string()));
            row.extend(cells_of(group.score));
            row.push(group.stop_score.map_or_else(String::new, |stop| stop.to_string()));
            let reached = group.stop_score.map(|_| group.steps_to_stop.map_or(0, |of| of.count));
            row.push(reached.map_or_else(String::new, |count| count.to_string()));
            for of in [group.steps_to_stop, group.agent_steps, group.seconds] {
                row.extend(cells_of(of));
            }
            rows.push(row);
        }
        for row in rows {
            writer.write_record(row).expect("every row has a cell for each column");
        }
        let bytes = writer.into_inner().expect("a table in memory can always be written");
        String::from_utf8(bytes).expect("cells are text")
    }
}

fn columns_of(name: &str) -> [String; 4] {
    ["mean", "deviation", "lowest", "highest"].map(|what| format!("{name}_{what}"))
}

fn cells_of(numbers: Option<OverSeeds>) -> [String; 4] {
    let cell = |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
    [
        cell(numbers.map(|of| of.mean)),
        cell(numbers.and_then(|of| of.deviation)),
        cell(numbers.map(|of| of.lowest)),
        cell(numbers.map(|of| of.highest)),
    ]
}

impl fmt::Display for Results {
    /// A line for each group below one of names, with columns under each other; every line ends in a line break.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let score = match self.window {
            1 => "last score".to_owned(),
            window => format!("mean of last {window} games"),
        };
        let header = ["group", "runs", &score, "over seeds", "agent steps to stop score", "time"].map(str::to_owned);
        let rows: Vec<[String; 6]> =
            std::iter::once(header).chain(self.groups.iter().map(|group| group.cells(self.window))).collect();
        f.write_str(&aligned(&rows))
    }
}

/// Lines with their cells under each other, the first to the left and the others to the right.
pub(crate) fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut lines = String::new();
    for row in rows {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            lines += &if column == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
        }
        lines.push('\n');
    }
    lines
}

/// A score to two decimals.
pub(crate) fn rounded(value: f64) -> String {
    // Adding zero makes -0 a 0.
    format!("{:.2}", (value * 100.0).round() / 100.0 + 0.0).replace('-', "\u{2212}")
}

/// A whole number with a comma between thousands.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time in words.
fn duration(seconds: f64) -> String {
    match seconds {
        _ if seconds < 10.0 => format!("{seconds:.1} s"),
        _ if seconds < 120.0 => format!("{seconds:.0} s"),
        _ if seconds < 7_200.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over_seeds(values: &[f64]) -> Option<OverSeeds> {
        OverSeeds::of(values)
    }

    fn example() -> Results {
        let one = GroupResult {
            name: "pong".to_owned(),
            environment: "pong".to_owned(),
            protocol: "cleanrl".to_owned(),
            runs: 3,
            score: over_seeds(&[17.0, 18.0, 19.0]),
            stop_score: Some(18.0),
            steps_to_stop: over_seeds(&[384_572.0, 406_204.0]),
            agent_steps: over_seeds(&[384_572.0, 406_204.0, 500_000.0]),
            seconds: over_seeds(&[1_200.0, 1_300.0, 1_400.0]),
        };
        let begun = GroupResult {
            name: "pong, n_step 3".to_owned(),
            runs: 1,
            score: over_seeds(&[-0.001]),
            steps_to_stop: None,
            seconds: None,
            agent_steps: None,
            ..one.clone()
        };
        let endless = GroupResult { name: "random".to_owned(), score: None, stop_score: None, ..begun.clone() };
        Results { window: 100, groups: vec![one, begun, endless] }
    }

    #[test]
    fn a_table_is_shown_in_aligned_columns() {
        assert_eq!(
            example().to_string(),
            "\
group           runs  mean of last 100 games      over seeds  agent steps to stop score      time
pong               3            18.00 ± 1.00  17.00 to 19.00     395,388 to 18 (2 of 3)  21.7 min
pong, n_step 3     1                    0.00               -           - to 18 (0 of 1)         -
random             1                       -               -                          -         -
"
        );
    }

    #[test]
    fn a_table_as_csv_has_every_number_in_full() {
        let csv = example().to_csv();
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let names = reader.headers().unwrap().clone();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let cell = |row: usize, name: &str| {
            let column = names.iter().position(|found| found == name).unwrap_or_else(|| panic!("no column {name}"));
            rows[row][column].to_owned()
        };
        assert_eq!((cell(0, "group"), cell(1, "group")), ("pong".to_owned(), "pong, n_step 3".to_owned()));
        assert_eq!(cell(0, "score_mean") + &cell(0, "score_deviation"), "181");
        assert_eq!((cell(0, "reached"), cell(1, "reached"), cell(2, "reached")), ("2".into(), "0".into(), "".into()));
        assert_eq!((cell(0, "steps_to_stop_lowest"), cell(1, "steps_to_stop_mean")), ("384572".into(), "".into()));
        assert_eq!((cell(0, "seconds_highest"), cell(1, "score_deviation")), ("1400".into(), "".into()));
    }

    #[test]
    fn deviations_are_those_of_samples() {
        let of = over_seeds(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!((of.count, of.mean, of.lowest, of.highest), (8, 5.0, 2.0, 9.0));
        assert!((of.deviation.unwrap() - (32.0f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(over_seeds(&[3.0]).unwrap().deviation, None);
        assert_eq!(over_seeds(&[]), None);
    }

    /// Runs that are kept with the figures that were read from them by hand, in the page beside them.
    #[test]
    fn kept_runs_come_to_what_their_page_says() {
        let folder = std::path::Path::new("../../assets/results/2026-11-21-2core-xeon-pong-fast");
        let runs: Vec<PathBuf> = (1..=4).map(|seed| folder.join(format!("seed{seed}"))).collect();
        let labels: Vec<Label> =
            runs.iter().map(|run| Label { name: "pong-fast".to_owned(), run: run.clone() }).collect();
        let results = results(&runs, None, &labels).unwrap();
        assert_eq!(results.window, 100);
        let [group] = results.groups.as_slice() else { panic!("one group: {results}") };
        assert_eq!((group.runs, group.stop_score), (4, Some(18.0)));
        let played = group.agent_steps.unwrap();
        assert_eq!((played.count, played.lowest, played.highest), (4, 384_572.0, 733_760.0));
        assert_eq!(played.mean, f64::from(384_572 + 406_204 + 519_896 + 733_760) / 4.0);
        // Each ended with the game that reached the stop score, whose step other environments still took as well.
        let steps = group.steps_to_stop.unwrap();
        assert_eq!(steps.count, 4);
        for (reached, ended) in
            [(steps.lowest, played.lowest), (steps.mean, played.mean), (steps.highest, played.highest)]
        {
            assert!(reached <= ended && ended - reached < 8.0, "{reached} {ended}");
        }
        let seconds = group.seconds.unwrap();
        assert_eq!((seconds.lowest.round(), seconds.highest.round()), (19.0 * 60.0 + 24.0, 47.0 * 60.0 + 58.0));
        let score = group.score.unwrap();
        assert!(score.lowest >= 18.0 && score.highest < 18.5, "{score:?}");
    }

    #[test]
    fn the_stop_score_is_reached_by_a_whole_window_and_speeds_may_be_missing() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("config.toml", "[replay]\nwarm_up = 5\n[training]\nscore_window = 2\nstop_score = 4\n");
        let identity = r#"{"name": "catch", "environment": "catch", "protocol": "catch 10x5", "seed": 1, "#;
        write("manifest.json", &(identity.to_owned() + r#""device": "flex", "commit": "0123"}"#));
        // The first game alone has the score; the mean of two games has it from the second on.
        write("episodes.csv", "agent_steps,score\n10,5\n20,3\n30,9\n");
        let results = results(&[folder.path().to_owned()], None, &[]).unwrap();
        let group = &results.groups[0];
        assert_eq!((group.steps_to_stop, group.score), (over_seeds(&[20.0]), over_seeds(&[6.0])));
        assert_eq!((group.agent_steps, group.seconds), (over_seeds(&[30.0]), None));
    }

    #[test]
    fn numbers_are_written_as_one_reads_them() {
        assert_eq!([999.0, 1_000.0, 1_234_567.0].map(grouped), ["999", "1,000", "1,234,567"]);
        assert_eq!([1.26, 59.6, 600.0, 9_000.0].map(duration), ["1.3 s", "60 s", "10.0 min", "2.5 h"]);
        assert_eq!([-20.995, -0.001].map(rounded), ["−21.00", "0.00"]);
    }
}
