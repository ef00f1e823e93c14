//! The program that trains the agent, as it is called.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use lanterns::{AgentCaptain, Strength};

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanterns-train"));
    command.args(arguments).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What it says, on standard output and then on standard error, and how it ends.
fn end(output: Output) -> (String, Option<i32>) {
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).expect("it is text"), output.status.code())
}

#[test]
fn what_would_fail_after_the_training_is_refused_before_it() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("there")).expect("it can be made");
    for (arguments, code, says) in [
        (&["--help"][..], 0, "Usage: lanterns-train [FOLDER] [FILE.safetensors] [SEED]"),
        (&["--seed", "3"], 2, "unexpected argument '--seed'"),
        (&["run", "agent.safetensors", "three"], 2, "invalid value 'three' for '[SEED]'"),
        (&["run", "agent.safetensors", "3", "4"], 2, "unexpected argument '4'"),
        (&["run", "agent.bin"], 1, "error: the name agent.bin does not end in .safetensors"),
        (
            &["run", "absent/agent.safetensors"],
            1,
            "error: cannot write absent/agent.safetensors: there is no folder absent",
        ),
        #[cfg(target_os = "linux")]
        (&["run", "/proc/agent.safetensors"], 1, "error: cannot write /proc/agent.safetensors: "),
        (&["there", "agent.safetensors"], 1, "error: choose another run folder: there exists already"),
    ] {
        let (text, ended) = end(program(folder.path(), arguments).output().expect("it starts"));
        assert!(text.contains(says) && ended == Some(code), "{arguments:?} ends with {ended:?}: {text}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 1, "{arguments:?} left something");
    }
}

#[test]
fn ctrl_c_keeps_the_agent() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = program(folder.path(), &["run", "agent.safetensors"]).spawn().expect("it starts");
    let games = folder.path().join("run/episodes.csv");
    while std::fs::read_to_string(&games).map_or(0, |rows| rows.lines().count()) < 10 {
        assert_eq!(child.try_wait().expect("it is ours"), None, "nobody has asked it to end");
        sleep(Duration::from_millis(20));
    }
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("sh starts").success());
    let (text, code) = end(child.wait_with_output().expect("it ends"));
    assert!(text.contains("the best agent so far is in agent.safetensors"), "{text}");
    assert!(
        text.contains("stopping and saving") && !text.contains("games won") && code == Some(130),
        "{code:?}: {text}"
    );
    let agent = std::fs::read(folder.path().join("agent.safetensors")).expect("it is there");
    AgentCaptain::new(&agent, Strength::Captain, 0).expect("it plays");
}
