//! What a run has recorded, as `prism plot`, `prism summarize` and `prism eval` read it, and what `prism bench` has
//! measured.

use std::fs;
use std::io::Read;
use std::path::Path;

use prism::bench::{Comparison, Report, render};
use prism_report::{
    Against, CurveOptions, DistributionOptions, Earned, ReportError, Show, SummaryOptions, diagnostics, distributions,
    learning_curves, results, summarize,
};
use prism_runs::RecordedRun;

use super::corpus::{self, Corpus};
use super::{Answer, Target, scratch, words_of};
use crate::support::{Family, preset, prism, train_into};

/// Files of a run that are read.
const FILES: [&str; 8] = [
    "manifest.json",
    "config.toml",
    "summary.json",
    "episodes.csv",
    "train.csv",
    "evaluations.csv",
    "timing.csv",
    "distributions.csv",
];

const WORDS: [&str; 14] = [
    "\n",
    ",",
    ",,",
    "\"",
    "\"\"",
    "{",
    "[",
    "[[[[[[[[[[[[[[[[",
    "null",
    "\\u0000",
    "\\ud800",
    "\r\n",
    "NaN",
    "\u{feff}",
];

/// A short run with everything that is recorded, and a bench report.
pub fn write(corpus: &mut Corpus) {
    let family = Family::read();
    let mut settings = family.settings(&family.members["c51"]);
    let own = [
        "network.hidden=[4]",
        "training.agent_steps=700",
        "training.score_window=3",
        "replay.warm_up=100",
        "diagnostics.record_period=40",
        "diagnostics.distribution_period=200",
        "diagnostics.distributions=2",
        "evaluation.period=300",
        "evaluation.episodes=3",
    ];
    settings.extend(own);
    let folder = scratch();
    let run = folder.path().join("run");
    train_into(&run, &preset("catch", &settings), 3);
    for file in FILES {
        let bytes = fs::read(run.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        corpus.add(&format!("records/{file}"), "run", &bytes);
    }
    let report = folder.path().join("bench.json");
    let arguments = ["bench", "--task", "projection", "--seconds", "0.01", "--device", "flex", "--json", "bench.json"];
    let output = prism(folder.path(), &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    corpus.add("bench", "quick", &fs::read(report).expect("a report"));
}

/// The seed of a file of the run.
fn recorded(file: &str) -> Vec<u8> {
    corpus::seeds(&format!("records/{file}")).swap_remove(0)
}

/// The folder of the run.
fn restore(run: &Path) {
    fs::create_dir_all(run).expect("a folder");
    for file in FILES {
        fs::write(run.join(file), recorded(file)).expect("a file");
    }
}

/// Everything that is made of a run's records. Some of it can be refused while other things are drawn.
fn read(path: &Path) -> Answer {
    let words = |error: ReportError| words_of(&error);
    let run = RecordedRun::open(path).map_err(|error| words_of(&error))?;
    let runs = vec![path.to_owned()];
    let mut answers: Vec<Answer> = vec![
        run.episodes().map(drop).map_err(|error| words_of(&error)),
        run.updates().map(drop).map_err(|error| words_of(&error)),
        run.evaluations().map(drop).map_err(|error| words_of(&error)),
        run.timing().map(drop).map_err(|error| words_of(&error)),
        run.distributions().map(drop).map_err(|error| words_of(&error)),
        run.summary().map(drop).map_err(|error| words_of(&error)),
        results(&runs, None, &[]).map(|results| drop((results.to_csv(), results.to_string()))).map_err(words),
        diagnostics(path).map(drop).map_err(words),
    ];
    for against in Against::ALL {
        let options = CurveOptions { runs: runs.clone(), against, window: None, labels: Vec::new() };
        answers.push(learning_curves(&options).map(drop).map_err(words));
    }
    for earned in Earned::ALL {
        let options = SummaryOptions { runs: runs.clone(), earned, labels: Vec::new() };
        let summary = summarize(&options).map_err(words);
        answers.push(summary.and_then(|summary| {
            drop((summary.to_csv(), summary.to_string()));
            summary.intervals().map_err(words)?;
            summary.profile().map(drop).map_err(words)
        }));
    }
    for (show, observation) in [(Show::Actions, None), (Show::Best, None), (Show::Actions, Some(0))] {
        let options = DistributionOptions { run: path.to_owned(), observation, updates: Vec::new(), show };
        answers.push(distributions(&options).map(drop).map_err(words));
    }
    answers.into_iter().collect()
}

fn fuzz(file: &str, inputs: u64) {
    let folder = scratch();
    let run = folder.path().join("run");
    restore(&run);
    let name = format!("records/{file}");
    Target { name: &name, seeds: corpus::seeds(&name), words: &WORDS, room: 64 << 20, inputs }.run(|input| {
        fs::write(run.join(file), input).expect("a file");
        read(&run)
    });
}

#[test]
fn manifests() {
    fuzz("manifest.json", 100);
}

#[test]
fn configurations_of_runs() {
    fuzz("config.toml", 100);
}

#[test]
fn ends_of_runs() {
    fuzz("summary.json", 100);
}

#[test]
fn tables_of_episodes() {
    fuzz("episodes.csv", 100);
}

#[test]
fn tables_of_updates() {
    fuzz("train.csv", 100);
}

#[test]
fn tables_of_evaluations() {
    fuzz("evaluations.csv", 100);
}

#[test]
fn tables_of_speeds() {
    fuzz("timing.csv", 100);
}

#[test]
fn tables_of_distributions() {
    fuzz("distributions.csv", 100);
}

#[test]
fn compressed_tables() {
    let folder = scratch();
    let run = folder.path().join("run");
    restore(&run);
    fs::remove_file(run.join("train.csv")).expect("a file");
    let compressed = |text: &[u8]| {
        let mut bytes = Vec::new();
        flate2::read::GzEncoder::new(text, flate2::Compression::best()).read_to_end(&mut bytes).expect("memory");
        bytes
    };
    let table = recorded("train.csv");
    let seeds = vec![compressed(&table), [compressed(&table), compressed(&table[..0])].concat()];
    let name = "records/train.csv.gz";
    Target { name, seeds, words: &WORDS, room: 64 << 20, inputs: 200 }.run(|input| {
        fs::write(run.join("train.csv.gz"), input).expect("a file");
        read(&run)
    });
}

#[test]
fn bench_reports() {
    let folder = scratch();
    let path = folder.path().join("bench.json");
    Target { name: "bench", seeds: corpus::seeds("bench"), words: &WORDS, room: 64 << 20, inputs: 2_000 }.run(
        |input| {
            fs::write(&path, input).expect("a file");
            let report = Report::read(&path).map_err(|error| words_of(&error))?;
            let comparison = Comparison::with(report.clone());
            drop(render(&report, Some(&comparison)));
            Ok(())
        },
    );
}
