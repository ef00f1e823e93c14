//! What goes wrong around a run, one thing after the other: the run ends with a clear message or goes on, and can be resumed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use prism::{Environments, Place, Resumption, Run, RunError};
use prism_environment::{Catch, Environment, EnvironmentError, EnvironmentSpec, Seed, TimeStep};

use crate::support::{assert_same_records, assert_says, preset, prism, tensors};

/// A run of Catch with several checkpoints and evaluations, as arguments of `prism train`.
const RUN: [&str; 16] = [
    "train",
    "catch",
    "--seed",
    "5",
    "--frames",
    "400",
    "--set",
    "training.stop_score=none",
    "--set",
    "training.save_period=100",
    "--set",
    "replay.warm_up=100",
    "--set",
    "evaluation.period=200",
    "--set",
    "evaluation.episodes=2",
];

/// Builds the library that has single calls of the system fail.
fn failing_calls(folder: &Path) -> PathBuf {
    let library = folder.join("failing_calls.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/failing_calls.c");
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).args([source, "-ldl"]).output();
    let built = built.expect("the C compiler that builds the emulator is there");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}

/// `prism` with a library loaded before the system's.
fn prism_with(library: &Path, folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prism"));
    command.args(arguments).current_dir(folder).env("LD_PRELOAD", library).envs(variables.iter().copied());
    command.output().expect("prism starts")
}

/// One line that says what went wrong; none about a bug.
#[track_caller]
fn assert_clear(output: &Output, parts: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{message}");
    let errors: Vec<&str> = message.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{message}");
    assert_says(errors[0], parts);
    assert!(!message.contains("bug") && !message.contains("panicked"), "{message}");
}

#[test]
fn whichever_write_finds_the_disk_full_the_run_can_be_completed() {
    let parent = tempfile::tempdir().unwrap();
    let library = failing_calls(parent.path());
    let whole = parent.path().join("whole");
    assert!(prism(parent.path(), &[&RUN[..], &["--out", "whole"]].concat()).status.success());
    // Each of them on demand; here every seventh, and each of the first, which make the folder.
    let every = if std::env::var_os("PRISM_EVERY_WRITE").is_some() { 1 } else { 7 };
    let (mut failed, mut stopped, mut number) = (0, 0, 1);
    loop {
        let folder = parent.path().join(format!("failing-{number}"));
        fs::create_dir(&folder).unwrap();
        let marker = folder.join("failed");
        let variables = [
            ("FAIL_AT", number.to_string()),
            ("FAIL_ERRNO", "28".to_owned()),
            ("FAIL_LOG", marker.display().to_string()),
        ];
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        let output = prism_with(&library, &folder, &[&RUN[..], &["--out", "run"]].concat(), &variables);
        let run = folder.join("run");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        if !marker.exists() {
            assert!(output.status.success(), "{message}");
            break;
        }
        failed += 1;
        if !output.status.success() {
            assert_clear(&output, &["No space left on device", "run"]);
            stopped += 1;
            if run.exists() {
                let resumed = prism(&folder, &["resume", "run"]);
                let message = String::from_utf8_lossy(&resumed.stderr).into_owned();
                // What could not be written may have been the last lines of the log.
                let had_ended = message.contains("its limit is 400 agent steps");
                assert!(resumed.status.success() || had_ended, "call {number}: {message}");
            } else {
                // The run could not begin, and nothing of it is in the way.
                assert!(prism(&folder, &[&RUN[..], &["--out", "run"]].concat()).status.success());
            }
        }
        assert_same_records(&whole, &run);
        number += if number < 20 { 1 } else { every };
    }
    assert!(failed >= 40 && stopped >= 20, "{failed} calls failed, of which {stopped} stopped the run");
    println!("{failed} calls failed, {stopped} of them stopped the run");
}

#[test]
fn a_folder_that_becomes_read_only_stops_the_run_and_no_more() {
    let parent = tempfile::tempdir().unwrap();
    let library = failing_calls(parent.path());
    let read_only = |at: &'static str| [("FAIL_AT", at), ("FAIL_ERRNO", "30"), ("FAIL_ON", "1")];
    let output = prism_with(&library, parent.path(), &[&RUN[..], &["--out", "run"]].concat(), &read_only("150"));
    assert_clear(&output, &["Read-only file system", "prism resume"]);
    let output = prism_with(&library, parent.path(), &["resume", "run"], &read_only("1"));
    assert_clear(&output, &["Read-only file system", "run"]);
    assert!(prism(parent.path(), &["resume", "run"]).status.success());
    assert!(prism(parent.path(), &[&RUN[..], &["--out", "whole"]].concat()).status.success());
    assert_same_records(&parent.path().join("whole"), &parent.path().join("run"));
}

#[test]
fn a_clock_that_jumps_changes_no_record() {
    let parent = tempfile::tempdir().unwrap();
    let library = failing_calls(parent.path());
    let jumps = [("CLOCK_JUMPS", "1")];
    let short = [&RUN[..], &["--out", "run", "--agent-steps", "250"]].concat();
    // The second limit stands for the first.
    let short: Vec<&str> = short.into_iter().filter(|argument| !["--frames", "400"].contains(argument)).collect();
    let output = prism_with(&library, parent.path(), &short, &jumps);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = prism_with(&library, parent.path(), &["resume", "run", "--frames", "400"], &jumps);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(prism(parent.path(), &[&RUN[..], &["--out", "whole"]].concat()).status.success());
    assert_same_records(&parent.path().join("whole"), &parent.path().join("run"));
}

/// Catch that fails or panics in its 600th step of all, while that is wanted.
struct Fragile {
    catch: Catch,
    steps: u32,
    fault: Fault,
    wanted: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Error,
    Panic,
}

impl Environment for Fragile {
    fn spec(&self) -> &EnvironmentSpec {
        self.catch.spec()
    }

    fn reset(&mut self, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        self.catch.reset(observation)
    }

    fn step(&mut self, action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        self.steps += 1;
        match self.fault {
            _ if self.steps != 600 || !self.wanted.load(Ordering::Relaxed) => self.catch.step(action, observation),
            Fault::Error => Err(EnvironmentError::own("the board is unplugged")),
            Fault::Panic => panic!("the walls fall"),
        }
    }

    fn save_state(&self) -> Result<Vec<u8>, EnvironmentError> {
        Ok([&self.steps.to_le_bytes()[..], &self.catch.save_state()?].concat())
    }

    fn load_state(&mut self, state: &[u8]) -> Result<(), EnvironmentError> {
        let (steps, catch) = state.split_first_chunk().ok_or_else(|| EnvironmentError::own("it is cut short"))?;
        self.catch.load_state(catch)?;
        self.steps = u32::from_le_bytes(*steps);
        Ok(())
    }
}

#[test]
fn a_run_whose_environment_fails_or_panics_goes_on_once_that_is_mended() {
    for fault in [Fault::Error, Fault::Panic] {
        let parent = tempfile::tempdir().unwrap();
        let settings = [
            "environment.kind=own",
            "environment.name=fragile",
            "environment.count=2",
            "training.agent_steps=2000",
            "training.stop_score=\"none\"",
            "training.save_period=500",
        ];
        let config = preset("catch", &settings).with_run(Seed(2), "flex").unwrap();
        let wanted = Arc::new(AtomicBool::new(false));
        let environments = || {
            let wanted = Arc::clone(&wanted);
            Environments::own(move |seed| {
                Ok(Fragile { catch: Catch::new(seed), steps: 0, fault, wanted: Arc::clone(&wanted) })
            })
        };
        let [whole, broken] = ["whole", "broken"].map(|name| parent.path().join(name));
        Run::new(&config, environments(), Place::At(whole.clone())).and_then(Run::go).unwrap();
        wanted.store(true, Ordering::Relaxed);
        let error = Run::new(&config, environments(), Place::At(broken.clone())).and_then(Run::go).unwrap_err();
        assert!(matches!(error, RunError::Environment(_)), "{error}");
        wanted.store(false, Ordering::Relaxed);
        let resumption = Resumption::open(&broken, &[]).unwrap();
        Run::resume(resumption, environments()).and_then(Run::go).unwrap();
        assert_same_records(&whole, &broken);
    }
}

#[test]
fn learning_that_blows_up_leaves_good_weights_and_the_batch() {
    let parent = tempfile::tempdir().unwrap();
    let settings = ["--set", "optimiser.learning_rate=1e30", "--set", "optimiser.gradient_norm=none"];
    let output = prism(parent.path(), &[&RUN[..], &settings, &["--out", "run"]].concat());
    assert_clear(&output, &["learning has blown up", "optimiser.learning_rate"]);
    let run = parent.path().join("run");
    assert_says(
        &fs::read_to_string(run.join("log.txt")).unwrap(),
        &["the batch of update", "offending-batch.safetensors"],
    );
    let file = fs::read(run.join("offending-batch.safetensors")).unwrap();
    let (length, rest) = file.split_first_chunk().unwrap();
    let header: serde_json::Value = serde_json::from_slice(&rest[..u64::from_le_bytes(*length) as usize]).unwrap();
    assert_eq!(header["observations"]["shape"], serde_json::json!([32, 1, 10, 5]));
    assert_eq!((&header["losses"]["shape"], &header["ids"]["dtype"]), (&serde_json::json!([32]), &"U64".into()));
    // The weights that stay are numbers.
    let weights = tensors(&run.join("weights/latest.safetensors"));
    assert!(weights.chunks_exact(4).all(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()).is_finite()));
}
