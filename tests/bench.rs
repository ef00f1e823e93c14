//! `prism bench` through the real binary: what it writes, and what it refuses. Speeds are not checked.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{assert_says, prism, refusal, refusal_in};

/// The smallest work there is.
const SMALL: [&str; 9] =
    ["bench", "--device", "flex", "--task", "projection,forward", "--agent", "dqn", "--seconds", "0.05"];

/// Runs `prism bench` and returns what it printed.
fn bench(folder: &Path, arguments: &[&str]) -> String {
    let output = prism(folder, &[&SMALL, arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

#[test]
fn measurements_are_printed_written_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let printed = bench(folder.path(), &["--batch", "1,2", "--json", "new.json", "--chart", "new.svg"]);
    assert_says(&printed, &["machine", "versions  burn 0.22.1", "forward: ", "projection: ", "dqn", "c51"]);

    let report = json(&folder.path().join("new.json"));
    assert_eq!(report["format"], 1);
    assert_eq!(report["program"], concat!("prism ", env!("CARGO_PKG_VERSION")));
    let command = report["command"].as_str().unwrap();
    assert!(command.starts_with("prism"), "{command} is not what one types");
    assert_says(command, &["bench --device flex", "--batch 1,2"]);
    let date = report["date"].as_str().unwrap();
    assert!(date.len() == 20 && date.ends_with('Z') && date.contains('T'), "{date} is not of RFC 3339");
    assert!(number(&report["machine"]["threads"]) >= 1.0);
    assert_eq!(report["versions"]["burn"], "0.22.1");
    assert_eq!(report["devices"][0]["name"], "flex");

    let measurements = report["measurements"].as_array().unwrap();
    let named = |measurement: &Value| {
        let text = |key: &str| measurement[key].as_str().unwrap().to_owned();
        (text("task"), text("subject"), measurement["batch"].as_u64().unwrap(), text("device"))
    };
    let of = |task: &str, subject: &str, batch| (task.to_owned(), subject.to_owned(), batch, "flex".to_owned());
    let expected =
        [of("forward", "dqn", 1), of("forward", "dqn", 2), of("projection", "c51", 1), of("projection", "c51", 2)];
    assert_eq!(measurements.iter().map(named).collect::<Vec<_>>(), expected);
    for measurement in measurements {
        let [low, median, high] = ["low", "median", "high"].map(|key| number(&measurement[key]));
        assert!(0.0 < low && low <= median && median <= high, "{measurement}");
        assert!((5.0..=9.0).contains(&number(&measurement["rounds"])), "{measurement}");
        assert!(number(&measurement["preparation"]) > 0.0, "{measurement}");
        let memory = &measurement["memory_bytes"];
        assert!(if cfg!(target_os = "linux") { number(memory) > 1e6 } else { !memory.is_number() }, "{measurement}");
    }

    let svg = fs::read_to_string(folder.path().join("new.svg")).unwrap();
    assert_eq!(svg.matches("<circle ").count(), measurements.len());
    assert_says(&svg, &["forward: dqn", "projection: c51", "flex"]);
}

#[test]
fn an_older_file_is_compared_with_where_it_has_the_same_work() {
    let folder = tempfile::tempdir().unwrap();
    bench(folder.path(), &["--batch", "1", "--json", "old.json"]);
    let path = folder.path().join("old.json");
    let mut old = json(&path);
    for measurement in old["measurements"].as_array_mut().unwrap() {
        for key in ["low", "median", "high"] {
            measurement[key] = (1e6 * number(&measurement[key])).into();
        }
    }
    old["measurements"][1]["batch"] = 77.into();
    fs::write(&path, old.to_string()).unwrap();
    let printed = bench(folder.path(), &["--batch", "1", "--compare", "old.json"]);
    let row = |subject: &str| {
        let start = format!("  {subject} ");
        printed.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no {subject} in {printed}"))
    };
    let change = row("dqn").rsplit("  ").next().unwrap().trim();
    let ratio: f64 = change.trim_end_matches('x').parse().unwrap_or_else(|_| panic!("{change} is no ratio"));
    assert!(ratio > 1000.0, "a million times slower before, and now {ratio}");
    assert!(row("c51").ends_with(" -"), "the old file has no such batch: {printed}");
    assert_says(&printed, &["old/new", "speed over that of prism"]);
}

#[test]
fn bad_input_is_refused_before_anything_is_measured() {
    assert_says(&refusal(&["bench", "--device", "abacus"]), &["unknown device `abacus`", "flex"]);
    assert_says(&refusal(&["bench", "--task", "forward,think"]), &["'think'", "--task", "end-to-end"]);
    assert_says(&refusal(&["bench", "--agent", "ddpg"]), &["'ddpg'", "--agent", "prism list"]);
    for batch in ["0", "many", "5000", "-3"] {
        assert_says(&refusal(&["bench", &format!("--batch={batch}")]), &["--batch", batch]);
    }
    assert_says(&refusal(&["bench", "--seconds", "0"]), &["--seconds", "0.001 to 600"]);
    assert_says(&refusal(&["bench", "--quick", "--seconds", "1"]), &["--quick", "--seconds"]);
    assert_says(&refusal(&["bench", "--json", "bench.csv"]), &["bench.csv", ".json"]);
    assert_says(&refusal(&["bench", "--chart", "bench.png"]), &["bench.png", ".svg"]);
    assert_says(&refusal(&["bench", "--json", "deep/bench.json"]), &["deep/bench.json", "no folder deep"]);
}

#[test]
fn a_file_that_cannot_be_compared_with_is_refused() {
    assert_says(&refusal(&["bench", "--compare", "old.json"]), &["old.json", "No such file", "prism bench --json"]);
    let folder = tempfile::tempdir().unwrap();
    for (text, parts) in [
        ("{\"format\": 7}", ["format 7", "format 1"]),
        ("{\"score\": 7}", ["holds no measurements", "format"]),
        ("score\n7\n", ["holds no measurements", "line 1"]),
    ] {
        fs::write(folder.path().join("old.json"), text).unwrap();
        assert_says(&refusal_in(folder.path(), &["bench", "--compare", "old.json"]), &parts);
    }
}

#[cfg(feature = "ale")]
#[test]
fn without_a_rom_catch_is_stepped_and_a_damaged_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = || {
        let small = ["bench", "--device", "flex", "--task", "environment", "--seconds", "0.01", "--roms", "."];
        let mut command = Command::new(env!("CARGO_BIN_EXE_prism"));
        // So that no other folder of ROMs is found.
        let command = command.env("HOME", folder.path()).env_remove("XDG_DATA_HOME").env_remove("ALE_ROMS_DIR");
        command.args(small).current_dir(folder.path()).output().expect("prism starts")
    };
    let stepped = output();
    assert!(stepped.status.success(), "{}", String::from_utf8_lossy(&stepped.stderr));
    assert_says(
        &String::from_utf8(stepped.stdout).unwrap(),
        &["  catch        1", "  catch        8", "prism roms install"],
    );

    fs::write(folder.path().join("pong.bin"), "short").unwrap();
    let refused = output();
    assert_eq!(refused.status.code(), Some(1));
    assert_says(&String::from_utf8(refused.stderr).unwrap(), &["error: ", "pong.bin", "truncated"]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_early_and_keeps_what_was_measured() {
    use crate::support::wait_until;

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| File::create(folder.path().join(name)).unwrap();
    // Eight pieces of work: the signal arrives during the second, long before the last.
    let mut child = Command::new(env!("CARGO_BIN_EXE_prism"))
        .args(["bench", "--device", "flex", "--task", "projection", "--batch", "1,2,3,4,5,6,7,8", "--seconds", "1"])
        .args(["--json", "part.json"])
        .current_dir(folder.path())
        .stdout(file("stdout"))
        .stderr(file("stderr"))
        .spawn()
        .expect("prism starts");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    wait_until("the second batch is measured", || read("stderr").contains("2/8 projection c51 2"));
    let kill = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    assert!(kill.success());
    let mut status = None;
    wait_until("the benchmark ends", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.unwrap().code(), Some(130), "{}", read("stderr"));
    assert_says(&read("stderr"), &["showing what has been measured"]);
    assert_says(&read("stdout"), &["interrupted after", "of 8 pieces of work", "projection: "]);
    let report = json(&folder.path().join("part.json"));
    let measured = report["measurements"].as_array().unwrap().len();
    assert!((1..8).contains(&measured), "{measured} measurements");
    assert_eq!((&report["planned"], &report["tried"]), (&8.into(), &measured.into()));
}
