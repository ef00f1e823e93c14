//! Same seed, same machine: the same run, whatever the number of threads.

use std::fs;
use std::path::Path;

use crate::support::{preset, tensors, train_into};

/// The files of a run that must not depend on the clock.
const RECORDS: [&str; 5] =
    ["episodes.csv", "train.csv", "evaluations.csv", "weights/latest.safetensors", "config.toml"];

fn records(folder: &Path) -> Vec<Vec<u8>> {
    let read = |name: &str| match name.ends_with(".safetensors") {
        // Its metadata has the number of threads.
        true => tensors(&folder.join(name)),
        false => fs::read(folder.join(name)).expect("every run writes it"),
    };
    RECORDS.iter().map(|name| read(name)).collect()
}

/// Runs a preset twice, the second time with `changed` settings, and returns both runs' records.
fn run_twice(name: &str, seeds: [u64; 2], settings: &[&str], changed: &[&str]) -> [Vec<Vec<u8>>; 2] {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let second_settings: Vec<&str> = settings.iter().chain(changed).copied().collect();
    [("first", settings, seeds[0]), ("second", &second_settings, seeds[1])].map(|(run, settings, seed)| {
        let run = folder.path().join(run);
        train_into(&run, &preset(name, settings), seed);
        records(&run)
    })
}

const SHORT_CATCH: [&str; 3] = ["training.agent_steps=1500", "training.stop_score=\"none\"", "evaluation.period=500"];

const SHORT_PONG: [&str; 6] = [
    "training.agent_steps=600",
    "environment.count=3",
    "environment.threads=1",
    "environment.frame_limit=400",
    "replay.warm_up=500",
    "learning.batch_size=4",
];

#[test]
fn the_same_seed_writes_the_same_bytes() {
    let [first, second] = run_twice("catch", [5, 5], &SHORT_CATCH, &[]);
    for ((name, first), second) in RECORDS.iter().zip(&first).zip(&second) {
        assert!(first == second, "two runs of one seed differ in {name}");
    }
}

#[test]
fn another_seed_writes_other_bytes() {
    let [first, second] = run_twice("catch", [5, 6], &SHORT_CATCH, &[]);
    assert!(first[0] != second[0] && first[1] != second[1], "the seed has no effect");
}

/// Learning does not notice whether ALE's library or the console in Rust plays the game.
#[cfg(feature = "ale")]
#[test]
fn the_console_in_rust_changes_nothing_in_a_run() {
    // A game whose first frames follow from what is random in the console.
    let settings = [&SHORT_PONG[..], &["environment.game=seaquest"]].concat();
    let played_by = |emulator| {
        let [_, mut run] = run_twice("pong", [5, 5], &settings, &[emulator]);
        // The configuration names the emulator, and so does the protocol of evaluations.
        run.pop();
        run.remove(2);
        run
    };
    let library = played_by("environment.emulator=ale");
    assert!(library == played_by("environment.emulator=console-2020"), "the console plays otherwise");
    assert!(library != played_by("environment.emulator=console"), "ALE 0.12 begins games otherwise");
}

#[test]
fn threads_do_not_change_an_atari_run_of_several_environments() {
    let [mut one, mut three] = run_twice("pong", [5, 5], &SHORT_PONG, &["environment.threads=3"]);
    // Only the configuration differs, because it has the number of threads.
    assert_ne!(one.pop(), three.pop());
    for ((name, one), three) in RECORDS.iter().zip(&one).zip(&three) {
        assert!(one == three, "the number of threads changes {name}");
    }
    let rows = |index: usize| one[index].iter().filter(|&&byte| byte == b'\n').count() - 1;
    assert!(rows(0) >= 3 && rows(1) >= 1, "the run is too short to compare: {} games, {} rows", rows(0), rows(1));
}

#[test]
fn a_run_that_plays_while_it_learns_is_the_same_each_time_and_another_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Several updates fall due together, and one only after several steps.
    for (environments, period) in [(3, 2), (2, 8)] {
        let settings = [
            &format!("environment.count={environments}"),
            &format!("learning.period={period}"),
            "training.agent_steps=1200",
            "training.stop_score=\"none\"",
            "evaluation.period=500",
        ];
        let run = |name: &str, threads, pipeline| {
            let settings = [&settings[..], &[pipeline]].concat();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
            let run = folder.path().join(format!("{name}-{environments}"));
            let summary = pool.install(|| train_into(&run, &preset("catch", &settings), 5));
            (summary.at, records(&run)[..4].to_vec())
        };
        let one = run("one", 1, "training.pipeline=true");
        let three = run("three", 3, "training.pipeline=true");
        assert_eq!(one.0, three.0);
        assert!(one.1 == three.1, "the same run differs from itself");
        let in_turns = run("in-turns", 1, "training.pipeline=false");
        assert_eq!(in_turns.0, one.0, "as many steps, frames and updates");
        assert!(in_turns.1 != one.1, "nothing went on while the network learned");
    }
}

#[test]
fn threads_that_compute_do_not_change_a_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = ["training.agent_steps=560", "replay.warm_up=540", "environment.frame_limit=400"];
    let [one, three] = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
        let run = folder.path().join(threads.to_string());
        pool.install(|| train_into(&run, &preset("pong", &settings), 5));
        fs::read(run.join("weights/latest.safetensors")).expect("every run writes it")
    });
    assert!(one == three, "the number of threads changes the weights of 20 updates");
}
