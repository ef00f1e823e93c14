//! `prism summarize` through the real binary.

use std::fs;
use std::path::Path;

use crate::support::{assert_says, prism, refusal_in, tiny_run};

/// Runs of Pong that are kept with the results.
fn kept(run: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/results").join(run).display().to_string()
}

#[test]
fn kept_runs_are_summarized_in_tables_pictures_and_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let runs: Vec<String> = (1..=4).map(|seed| kept(&format!("2026-11-21-2core-xeon-pong-fast/seed{seed}"))).collect();
    let labels: Vec<String> = runs.iter().map(|run| format!("fast={run}")).collect();
    let other = kept("2026-11-27-2core-xeon-pong-fast/seed0");
    let mut arguments = vec!["summarize", &other, "--csv", "all.csv", "--intervals", "i.svg", "--profile", "p.svg"];
    arguments.extend(runs.iter().map(String::as_str));
    arguments.extend(labels.iter().flat_map(|label| ["--label", label]));
    let output = prism(folder.path(), &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    assert_says(&told, &["mean of the last 100 games of training", "interquartile mean", " over fast  "]);
    let csv = fs::read_to_string(folder.path().join("all.csv")).unwrap();
    assert_eq!(csv.lines().filter(|line| line.starts_with("human-normalised score,fast,,pong,")).count(), 4);
    for picture in ["i.svg", "p.svg"] {
        assert_says(&fs::read_to_string(folder.path().join(picture)).unwrap(), &["<svg ", "fast", "human"]);
    }
}

#[test]
fn what_does_not_compare_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let pong = kept("2026-11-21-2core-epyc-pong-preset");
    for (arguments, parts) in [
        (vec!["run", &pong], ["different rules", "by themselves"]),
        (vec!["run", "--profile", "p.svg"], ["nothing to draw", "no human"]),
        (vec!["nothing"], ["there is nothing at nothing", "give the folder of a run"]),
        (vec!["run", "--scores", "evaluation"], ["has no evaluation yet", "`prism eval` first"]),
        (vec!["run", "--csv", "numbers.txt"], ["numbers.txt", "ends in .csv"]),
    ] {
        let message = refusal_in(folder.path(), &[vec!["summarize"], arguments].concat());
        assert_says(&message, &parts);
    }
}
