//! The same run again, and what is found to differ.

use std::fs;
use std::path::Path;

use crate::support::{assert_says, prism, refusal_in, tiny_run};

/// `prism rerun` with these arguments; returns its code and all that it says.
fn rerun(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = prism(folder, &[&["rerun"], arguments].concat());
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().expect("it exits by itself"), said)
}

/// Puts other text into a file.
fn replace(path: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(old), "`{old}` is not in {text}");
    fs::write(path, text.replace(old, new)).unwrap();
}

/// Settings with which a run has a few of all records.
const FULL: [&str; 10] = [
    "learning.loss=\"cross-entropy\"",
    "learning.distribution_target=\"projection\"",
    "learning.atoms=11",
    "learning.v_min=-1.0",
    "learning.v_max=1.0",
    "evaluation.period=300",
    "evaluation.episodes=3",
    "diagnostics.held_out=8",
    "diagnostics.distributions=2",
    "diagnostics.distribution_period=100",
];

#[test]
fn a_run_is_the_same_again_on_the_same_machine() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &["evaluation.period=300", "evaluation.episodes=3", "environment.count=3"]);
    assert!(prism(folder.path(), &["eval", "run", "--episodes", "5"]).status.success());
    let (code, said) = rerun(folder.path(), &["run", "--out", "again"]);
    assert_eq!(code, 0, "{said}");
    assert_says(
        &said,
        &["program, device, ROM and machine are those of then", "episodes.csv: the same", "train.csv: the same"],
    );
    assert_says(
        &said,
        &["evaluations.csv: the same 3 lines", "latest.safetensors: the same 4 tensors", "the records are the same"],
    );
    assert!(folder.path().join("again/summary.json").exists());
    assert_says(&refusal_in(folder.path(), &["rerun", "run", "--out", "again"]), &["again exists already", "--out"]);
}

#[test]
fn a_record_that_differs_is_named_with_its_first_line() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let path = folder.path().join("run/episodes.csv");
    let text = fs::read_to_string(&path).unwrap();
    let third = text.lines().nth(2).unwrap().to_owned();
    replace(&path, &third, &third.replace(",18,", ",19,"));
    let weights = folder.path().join("run/weights/latest.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
    let (code, said) = rerun(folder.path(), &["run", "--out", "again"]);
    assert_eq!(code, 1, "{said}");
    assert_says(&said, &["episodes.csv: line 3 differs", "then  2,0,19,", "now   2,0,18,", "train.csv: the same"]);
    assert_says(&said, &["weights/latest.safetensors: the tensor", "2 of 4 records differ"]);
}

#[test]
fn what_is_another_than_then_is_said_before_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let path = folder.path().join("run/manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert!(manifest["machine"]["features"].is_array() && manifest["rom"].is_null(), "{manifest}");
    manifest["version"] = "0.0.7".into();
    manifest["commit"] = "abc".into();
    manifest["machine"]["cores"] = 4096.into();
    manifest["machine"].as_object_mut().unwrap().remove("features");
    fs::write(&path, manifest.to_string()).unwrap();
    let (code, said) = rerun(folder.path(), &["run", "--out", "again"]);
    assert_eq!(code, 0, "{said}");
    assert_says(&said, &["version: 0.0.7 then, 0.1.0 now", "commit: abc then", "processor cores: 4096 then"]);
    assert_says(&said, &["processor features: not recorded then"]);
    assert!(!said.contains("ROM"), "Catch has none: {said}");
}

#[test]
fn a_beginning_alone_is_compared_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let long: Vec<&str> = ["training.agent_steps=2000", "training.stop_score=none"].into_iter().chain(FULL).collect();
    tiny_run_of(folder.path(), "run", &long);
    let (code, said) = rerun(folder.path(), &["run", "--frames", "1100", "--out", "again"]);
    assert_eq!(code, 0, "{said}");
    assert_says(
        &said,
        &["episodes.csv: the same", "evaluations.csv: the same 4 lines", "not compared, they were saved"],
    );
    assert_says(&said, &["distributions.csv: the same"]);
}

#[test]
fn a_beginning_in_which_nothing_happened_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let (code, said) = rerun(folder.path(), &["run", "--frames", "5", "--out", "again"]);
    assert_eq!(code, 1, "{said}");
    assert_says(&said, &["nothing was compared"]);
}

#[test]
fn a_run_that_went_on_with_another_end_is_run_again_to_its_last() {
    let folder = tempfile::tempdir().unwrap();
    let settings = ["training.agent_steps=700", "training.stop_score=none", "training.score_window=5"];
    tiny_run_of(folder.path(), "run", &settings);
    // Reached long before, by games that chance has won.
    let more = ["resume", "run", "--agent-steps", "900", "--set", "training.stop_score=-0.5"];
    assert!(prism(folder.path(), &more).status.success());
    let (code, said) = rerun(folder.path(), &["run", "--out", "again"]);
    assert_eq!(code, 0, "{said}");
    let steps = |run: &str| {
        let text = fs::read_to_string(folder.path().join(run).join("summary.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["agent_steps"].clone()
    };
    assert!(steps("run").as_u64() >= Some(700));
    assert_eq!(steps("run"), steps("again"));
}

/// Like `tiny_run`, without a limit of its own.
fn tiny_run_of(folder: &Path, name: &str, settings: &[&str]) {
    let settings = settings.iter().flat_map(|setting| ["--set", setting]);
    let arguments: Vec<&str> = ["train", "catch", "--out", name].into_iter().chain(settings).collect();
    let output = prism(folder, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A run that goes on, is told to stop and is gone on with, is run again to where it stood at last.
#[cfg(unix)]
#[test]
fn a_run_that_was_interrupted_and_resumed_is_run_again_to_where_it_ended() {
    use std::process::{Command, Stdio};

    use crate::support::wait_until;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let lines = || fs::read_to_string(path.join("run/train.csv")).map_or(0, |text| text.lines().count());
    let interrupted = |arguments: &[&str], signal: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prism"));
        let mut run =
            command.args(arguments).current_dir(path).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let before = lines();
        wait_until("it learns", || lines() > before + 9);
        assert!(Command::new("sh").args(["-c", &format!("kill -{signal} {}", run.id())]).status().unwrap().success());
        run.wait().unwrap();
    };
    let set = ["--set", "training.stop_score=none", "--set", "environment.count=2", "--pipeline"];
    interrupted(&[&["train", "catch", "--out", "run", "--agent-steps", "50000000"][..], &set].concat(), "INT");
    let (code, said) = rerun(path, &["run", "--out", "again"]);
    assert_eq!(code, 0, "{said}");
    assert_says(&said, &["latest.safetensors: the same", "best.safetensors: the same"]);

    interrupted(&["resume", "run"], "TERM");
    let (code, said) = rerun(path, &["run", "--out", "again2"]);
    assert_eq!(code, 0, "{said}");
    assert_says(&said, &["latest.safetensors: the same", "the records are the same"]);

    interrupted(&["resume", "run"], "KILL");
    let (code, said) = rerun(path, &["run", "--out", "again3"]);
    assert_eq!(code, 0, "{said}");
    assert_says(&said, &["episodes.csv: the same", "not compared, they were saved at different agent steps"]);
}

#[test]
fn a_run_that_failed_is_compared_up_to_there() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["train", "catch", "--frames", "900", "--out", "run", "--set", "optimiser.learning_rate=1e30"];
    assert_eq!(prism(folder.path(), &arguments).status.code(), Some(1));
    let (code, said) = rerun(folder.path(), &["run", "--out", "again"]);
    assert_eq!(code, 0, "{said}");
    assert_says(&said, &["episodes.csv: the same", "failed as it did then"]);
}

#[test]
fn what_cannot_be_run_again_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    assert_says(&refusal_in(folder.path(), &["rerun", "nowhere"]), &["nothing at nowhere", "give the folder of a run"]);
    assert_says(&refusal_in(folder.path(), &["rerun", "run", "--device", "abacus"]), &["abacus", "prism devices"]);
    assert_says(&refusal_in(folder.path(), &["rerun", "run", "--frames", "many"]), &["--frames", "many"]);
    for name in ["summary.json", "episodes.csv", "train.csv", "timing.csv"] {
        fs::remove_file(folder.path().join("run").join(name)).unwrap();
    }
    assert_says(&refusal_in(folder.path(), &["rerun", "run"]), &["has recorded nothing"]);
}

/// A run on Atari writes down which ROM it played.
#[cfg(feature = "ale")]
#[test]
fn the_rom_of_a_run_is_in_its_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let small = ["--set", "replay.capacity=100", "--set", "replay.warm_up=50", "--frames", "400", "--out", "run"];
    let output = prism(folder.path(), &[&["train", "dqn"][..], &small].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let manifest = fs::read_to_string(folder.path().join("run/manifest.json")).unwrap();
    assert_says(&manifest, &["\"rom\": \"60e0ea3cbe0913d39803477945e9e5ec\""]);
    replace(&folder.path().join("run/manifest.json"), "60e0ea", "70e0ea");
    let (code, said) = rerun(folder.path(), &["run", "--out", "again"]);
    assert_eq!(code, 0, "{said}");
    assert_says(&said, &["MD5 of the ROM: 70e0ea3c"]);

    // Older versions did not write it down.
    let path = folder.path().join("run/manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest.as_object_mut().unwrap().remove("rom");
    fs::write(&path, manifest.to_string()).unwrap();
    let (_, said) = rerun(folder.path(), &["run", "--out", "again2"]);
    assert_says(&said, &["MD5 of the ROM: not recorded then, 60e0ea3c"]);
}
