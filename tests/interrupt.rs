//! Signals that ask the real binary to stop.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{assert_says, prism, rows, wait_until};

/// A run of Catch that would take hours, in the folder `run` below this one.
struct LongRun<'a> {
    folder: &'a Path,
    child: Child,
}

impl<'a> LongRun<'a> {
    fn start(folder: &'a Path, settings: &[&str]) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_prism")), folder, settings)
    }

    /// Starts it by a command that passes its arguments on to the program.
    fn start_by(command: Command, folder: &'a Path, settings: &[&str]) -> Self {
        let stdout = File::create(folder.join("stdout")).unwrap();
        Self::start_onto(stdout, command, folder, settings)
    }

    /// The same with a standard output of the caller's.
    fn start_onto(stdout: impl Into<Stdio>, mut command: Command, folder: &'a Path, settings: &[&str]) -> Self {
        let child = command
            .args(["train", "catch", "--out", "run", "--frames", "1000000000", "--set", "training.stop_score=none"])
            .args(settings.iter().flat_map(|setting| ["--set", setting]))
            .current_dir(folder)
            .stdout(stdout)
            .stderr(File::create(folder.join("stderr")).unwrap())
            .spawn()
            .expect("prism starts");
        Self { folder, child }
    }

    fn lines(&self, name: &str) -> usize {
        fs::read_to_string(self.folder.join("run").join(name)).map_or(0, |text| text.lines().count())
    }

    fn wait_for_lines(&mut self, name: &str, count: usize) {
        wait_until(&format!("{name} has {count} lines"), || self.lines(name) >= count);
        assert_eq!(self.child.try_wait().unwrap(), None, "nobody has asked it to end");
    }

    /// Sends the signal of Ctrl-C and waits for the end; returns standard output.
    fn interrupt(self) -> String {
        self.signal("INT", 130)
    }

    /// Sends a signal and waits for the end, which must have this exit code; returns standard output.
    fn signal(self, signal: &str, code: i32) -> String {
        self.send(signal);
        let folder = self.folder;
        self.wait_for_end(code);
        assert_says(&fs::read_to_string(folder.join("stderr")).unwrap(), &["stopping after this step"]);
        fs::read_to_string(folder.join("stdout")).unwrap()
    }

    fn wait_for_end(mut self, code: i32) {
        let mut status = None;
        wait_until("the run ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert_eq!(status.unwrap().code(), Some(code));
    }
}

impl LongRun<'_> {
    fn send(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }
}

impl Drop for LongRun<'_> {
    fn drop(&mut self) {
        // A failed test must not leave the process behind; an error here means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_interrupted_run_ends_soon_and_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = LongRun::start(folder.path(), &[]);
    run.wait_for_lines("episodes.csv", 200);
    run.wait_for_lines("train.csv", 4);
    let stdout = run.interrupt();
    assert_says(&stdout, &["interrupted at", "mean score of the last", "updates/s", "weights and records are in run"]);

    let run = folder.path().join("run");
    let summary: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(run.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["ending"], "interrupted");
    let episodes = rows(&run.join("episodes.csv"));
    assert_eq!(summary["episodes"], episodes.len());
    assert!((1..).zip(&episodes).all(|(number, row)| row.number("episode") == f64::from(number)), "one is missing");
    let last = format!("\nepisode {}  ", episodes.len());
    assert!(stdout.contains(&last), "the newest episode is always shown: {stdout}");
    let updates = summary["updates"].as_u64().unwrap();
    assert_eq!(rows(&run.join("train.csv")).len() as u64, updates / 100, "a row per 100 updates");
    assert_eq!(rows(&run.join("timing.csv")).last().unwrap().number("updates"), updates as f64);
    let output = prism(folder.path(), &["eval", "run/weights/latest.safetensors", "--episodes", "3"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_evaluation_in_a_run_does_not_delay_its_end() {
    let folder = tempfile::tempdir().unwrap();
    // A million games take minutes. They begin in the step after the one that ends the eleventh game of training.
    let mut run = LongRun::start(folder.path(), &["evaluation.period=100", "evaluation.episodes=1000000"]);
    run.wait_for_lines("episodes.csv", 12);
    assert_says(&run.interrupt(), &["interrupted at", "after 11 episodes"]);
    assert!(rows(&folder.path().join("run/evaluations.csv")).is_empty(), "an evaluation cut short says nothing");
    // The run that goes on makes it first.
    let more = ["resume", "run", "--agent-steps", "150", "--set", "evaluation.episodes=3"];
    assert!(prism(folder.path(), &more).status.success());
    let evaluations = rows(&folder.path().join("run/evaluations.csv"));
    assert_eq!(evaluations.iter().map(|row| row.number("agent_steps")).collect::<Vec<_>>(), [100.0]);
}

#[test]
fn a_run_that_the_system_tells_to_stop_says_so_with_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = LongRun::start(folder.path(), &[]);
    run.wait_for_lines("episodes.csv", 20);
    run.signal("TERM", 143);
    let summary = fs::read_to_string(folder.path().join("run/summary.json")).unwrap();
    assert_says(&summary, &["\"ending\": \"terminated\""]);
    assert!(folder.path().join("run/weights/latest.safetensors").is_file());
    assert_says(&fs::read_to_string(folder.path().join("stdout")).unwrap(), &["`prism resume run` goes on from here"]);
    let steps = rows(&folder.path().join("run/episodes.csv")).last().unwrap().number("agent_steps") as u64 + 500;
    let output = prism(folder.path(), &["resume", "run", "--agent-steps", &steps.to_string()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(rows(&folder.path().join("run/timing.csv")).last().unwrap().number("agent_steps"), steps as f64);
}

/// Where the reader of its standard output has stopped reading, a run cannot end in good order.
#[test]
fn a_second_interrupt_ends_a_run_that_does_not_stop_and_it_can_be_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let (unread, pipe) = io::pipe().unwrap();
    let mut filler = pipe.try_clone().unwrap();
    let mut run = LongRun::start_onto(
        pipe,
        Command::new(env!("CARGO_BIN_EXE_prism")),
        folder.path(),
        &["training.save_period=50"],
    );
    run.wait_for_lines("episodes.csv", 20);
    let filling = thread::spawn(move || while filler.write_all(&[b'\n'; 4096]).is_ok() {});
    run.send("INT");
    wait_until("the first one is heard", || {
        fs::read_to_string(folder.path().join("stderr")).unwrap().contains("stopping after this step")
    });
    // Signals that follow each other within 0.3 s are one request.
    thread::sleep(Duration::from_secs(1));
    assert_eq!(run.child.try_wait().unwrap(), None, "it waits for its reader");
    run.send("INT");
    run.wait_for_end(130);
    drop(unread);
    filling.join().unwrap();
    let steps = rows(&folder.path().join("run/episodes.csv")).last().unwrap().number("agent_steps") as u64 + 500;
    let output = prism(folder.path(), &["resume", "run", "--agent-steps", &steps.to_string()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(rows(&folder.path().join("run/timing.csv")).last().unwrap().number("agent_steps"), steps as f64);
}

/// A signal that is ignored when the program starts stays ignored: `nohup`, or a shell that starts it in the background,
/// has asked for that.
#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    for signal in ["HUP", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = Command::new("sh");
        let ignoring = format!("trap '' {signal}; exec \"$0\" \"$@\"");
        shell.args(["-c", &ignoring, env!("CARGO_BIN_EXE_prism")]);
        let mut run = LongRun::start_by(shell, folder.path(), &[]);
        run.wait_for_lines("episodes.csv", 20);
        run.send(signal);
        let more = run.lines("episodes.csv") + 200;
        run.wait_for_lines("episodes.csv", more);
        run.signal("TERM", 143);
    }
}
