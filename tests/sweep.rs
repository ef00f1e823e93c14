//! Many runs of one file: begun, killed, begun again; on this machine and as tasks of Slurm.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::support::{assert_says, prism, refusal_in, rows, wait_until};

/// Two runs of Catch that end after a few agent steps.
const TINY: &str = "preset = \"catch\"\nseeds = \"0..1\"\n[set]\ntraining.agent_steps = 700\n";
/// Two runs of Catch that take longer than anybody waits.
const LONG: &str = "preset = \"catch\"\nseeds = \"0..1\"\njobs = 2\n[set]\ntraining.agent_steps = 100_000_000\n\
    training.stop_score = \"none\"\ntraining.save_period = 1000\n";

/// A folder with this file in it as `sweep.toml`.
fn folder_with(file: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sweep.toml"), file).unwrap();
    folder
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn summary(run: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(run.join("summary.json")).expect("it has ended")).unwrap()
}

fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap().success());
}

/// A sweep in the background that a failed test does not leave behind.
struct Sweep(Child);

impl Sweep {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prism"));
        let command = command.args(["sweep", "sweep.toml"]).current_dir(folder);
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn wait(mut self) -> (Option<i32>, String) {
        let mut status = None;
        wait_until("the sweep ends", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        let mut text = String::new();
        std::io::Read::read_to_string(&mut self.0.stdout.take().unwrap(), &mut text).unwrap();
        (status.unwrap().code(), text)
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        // Its runs first: killing it would leave them behind. An error means that they have ended already.
        if self.0.try_wait().is_ok_and(|status| status.is_none()) {
            for child in children(&self.0) {
                let _ = Command::new("kill").args(["-KILL", &child]).status();
            }
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// The processes that a process has started.
fn children(parent: &Child) -> Vec<String> {
    let listed = Command::new("ps").args(["-o", "pid=", "--ppid", &parent.id().to_string()]).output().unwrap();
    String::from_utf8(listed.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
}

/// The runs of [`LONG`] in this folder.
fn long_runs(folder: &Path) -> [PathBuf; 2] {
    ["sweep/catch/catch-seed0", "sweep/catch/catch-seed1"].map(|run| folder.join(run))
}

/// Waits until each run has learned something.
fn wait_for_updates(runs: &[PathBuf]) {
    let lines = |run: &PathBuf| fs::read_to_string(run.join("train.csv")).map_or(0, |text| text.lines().count());
    wait_until("the runs learn", || runs.iter().all(|run| lines(run) > 15));
}

#[test]
fn every_combination_is_trained_once_and_can_be_summarized() {
    let variants = "[[variants]]\nname = \"n3\"\nset = { learning.n_step = 3 }\n[[variants]]\nname = \"plain\"\n";
    let folder = folder_with(&format!("jobs = 2\nout = \"here\"\n{TINY}{variants}"));
    let listed = said(&prism(folder.path(), &["sweep", "sweep.toml", "--dry-run"]));
    assert_says(&listed, &["n3/catch-seed0", "plain/catch-seed1", "to begin, 700 agent steps"]);
    assert!(!folder.path().join("here").exists());

    let output = prism(folder.path(), &["sweep", "sweep.toml"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_says(&said(&output), &["4 runs: 4 ended", "700 / 700", "prism summarize here/*/*"]);
    let mut runs = Vec::new();
    for name in ["n3/catch-seed0", "n3/catch-seed1", "plain/catch-seed0", "plain/catch-seed1"] {
        let run = folder.path().join("here").join(name);
        assert_eq!(summary(&run)["ending"], "limit", "{name}");
        runs.push(run.to_str().unwrap().to_owned());
    }
    let arguments: Vec<&str> = ["summarize"].into_iter().chain(runs.iter().map(String::as_str)).collect();
    assert_says(&said(&prism(folder.path(), &arguments)), &["catch, n_step 3", "catch, n_step 1"]);

    // Again there is nothing to do.
    let before = fs::metadata(folder.path().join("here/n3/catch-seed0/log.txt")).unwrap().modified().unwrap();
    assert!(prism(folder.path(), &["sweep", "sweep.toml"]).status.success());
    let after = fs::metadata(folder.path().join("here/n3/catch-seed0/log.txt")).unwrap().modified().unwrap();
    assert_eq!(before, after);
}

#[test]
fn runs_of_a_sweep_are_those_of_train() {
    let folder = folder_with(TINY);
    assert!(prism(folder.path(), &["sweep", "sweep.toml", "--jobs", "2"]).status.success());
    assert!(
        prism(folder.path(), &["train", "catch", "--agent-steps", "700", "--seed", "1", "--out", "alone"])
            .status
            .success()
    );
    for name in ["config.toml", "episodes.csv", "train.csv"] {
        let [swept, alone] =
            ["sweep/catch/catch-seed1", "alone"].map(|run| fs::read_to_string(folder.path().join(run).join(name)));
        assert_eq!(swept.unwrap(), alone.unwrap(), "{name}");
    }
}

#[test]
fn a_sweep_that_was_killed_goes_on_and_its_runs_are_as_if_it_had_not_been() {
    let long = TINY.replace("= 700", "= 30_000\ntraining.stop_score = \"none\"\ntraining.save_period = 1000");
    let folder = folder_with(&long);
    let mut sweep = Sweep::start(folder.path());
    let first = folder.path().join("sweep/catch/catch-seed0");
    wait_for_updates(std::slice::from_ref(&first));
    sweep.0.kill().unwrap();
    sweep.0.wait().unwrap();
    // Its run goes on without it, and a second sweep waits for that instead of disturbing it.
    assert!(!first.join("summary.json").exists());
    let output = prism(folder.path(), &["sweep", "sweep.toml"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_says(&said(&output), &["catch/catch-seed0  elsewhere", "2 runs: 2 ended"]);

    let whole = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join("sweep.toml"), whole.path().join("sweep.toml")).unwrap();
    assert!(prism(whole.path(), &["sweep", "sweep.toml"]).status.success());
    for run in ["sweep/catch/catch-seed0", "sweep/catch/catch-seed1"] {
        for name in ["episodes.csv", "train.csv"] {
            let [killed, whole] = [&folder, &whole].map(|folder| fs::read(folder.path().join(run).join(name)).unwrap());
            assert!(killed == whole, "{run}/{name}");
        }
    }
}

#[test]
fn a_sweep_that_is_interrupted_has_its_runs_save_and_goes_on_with_them() {
    for (signal, code, ending) in [("INT", 130, "interrupted"), ("TERM", 143, "terminated")] {
        let folder = folder_with(LONG);
        let runs = long_runs(folder.path());
        let sweep = Sweep::start(folder.path());
        wait_for_updates(&runs);
        send(signal, &sweep.0);
        let (found, text) = sweep.wait();
        assert_eq!(found, Some(code), "{text}");
        assert_says(&text, &["2 runs: 2 stopped", "the same command goes on"]);
        for run in &runs {
            assert_eq!(summary(run)["ending"], ending);
        }
        // Where they are to end earlier, that is no other run.
        let steps = summary(&runs[0])["agent_steps"].as_u64().unwrap() + 900;
        fs::write(folder.path().join("sweep.toml"), LONG.replace("100_000_000", "1_000_000").replace("\"0..1\"", "0"))
            .unwrap();
        let listed = said(&prism(folder.path(), &["sweep", "sweep.toml", "--dry-run"]));
        assert_says(&listed, &["catch/catch-seed0  to go on, at"]);
        let shorter = LONG.replace("100_000_000", &steps.to_string()).replace("\"0..1\"", "0");
        fs::write(folder.path().join("sweep.toml"), shorter).unwrap();
        let output = prism(folder.path(), &["sweep", "sweep.toml"]);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(
            (&summary(&runs[0])["ending"], summary(&runs[0])["agent_steps"].as_u64()),
            (&"limit".into(), Some(steps))
        );
    }
}

#[test]
fn a_second_signal_kills_the_runs() {
    // Runs that are stopped cannot answer.
    let folder = folder_with(LONG);
    let sweep = Sweep::start(folder.path());
    wait_for_updates(&long_runs(folder.path()));
    for child in children(&sweep.0) {
        assert!(Command::new("kill").args(["-STOP", &child]).status().unwrap().success());
    }
    send("TERM", &sweep.0);
    std::thread::sleep(std::time::Duration::from_millis(600));
    send("TERM", &sweep.0);
    let (code, text) = sweep.wait();
    assert_eq!(code, Some(1), "{text}");
    assert_says(&text, &["2 runs: 2 failed", "killed before it had saved"]);
}

#[test]
fn a_run_that_fails_stops_no_other_and_its_reason_is_said() {
    let variants =
        "[[variants]]\nname = \"bad\"\nset = { optimiser.learning_rate = 1e30 }\n[[variants]]\nname = \"good\"\n";
    let folder = folder_with(&format!("{TINY}{variants}"));
    let output = prism(folder.path(), &["sweep", "sweep.toml"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let reason = "lower optimiser.learning_rate";
    assert_says(
        &said(&output),
        &["4 runs: 2 failed, 2 ended", "bad/catch-seed0 failed: ", "bad/catch-seed1 failed: ", reason],
    );
    assert_eq!(summary(&folder.path().join("sweep/good/catch-seed1"))["ending"], "limit");
}

#[test]
fn folders_in_which_a_run_had_hardly_begun_are_begun_anew_and_those_of_others_stay() {
    let folder = folder_with(TINY);
    assert!(prism(folder.path(), &["sweep", "sweep.toml"]).status.success());
    let run = |seed: u64| folder.path().join(format!("sweep/catch/catch-seed{seed}"));
    // The one was killed before its configuration was written, the other before its first checkpoint.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    for entry in fs::read_dir(run(0)).unwrap() {
        let path = entry.unwrap().path();
        match path.file_name().unwrap().to_str().unwrap() {
            "manifest.json" => {}
            _ if path.is_dir() => fs::remove_dir_all(path).unwrap(),
            _ => fs::remove_file(path).unwrap(),
        }
    }
    fs::File::open(run(0)).unwrap().set_modified(old).unwrap();
    fs::remove_dir_all(run(1).join("checkpoints")).unwrap();
    fs::remove_file(run(1).join("summary.json")).unwrap();
    for name in ["episodes.csv", "train.csv"] {
        let text = fs::read_to_string(run(1).join(name)).unwrap();
        fs::write(run(1).join(name), format!("{}\n", text.lines().next().unwrap())).unwrap();
    }
    assert_says(
        &said(&prism(folder.path(), &["sweep", "sweep.toml", "--dry-run"])),
        &["seed0  to begin anew", "seed1  to begin anew"],
    );
    assert!(prism(folder.path(), &["sweep", "sweep.toml"]).status.success());
    for seed in [0, 1] {
        assert_eq!(summary(&run(seed))["ending"], "limit");
        assert!(rows(&run(seed).join("episodes.csv")).len() > 50);
    }

    // With records and without a checkpoint there is something to lose.
    fs::remove_dir_all(run(1).join("checkpoints")).unwrap();
    fs::remove_file(run(1).join("summary.json")).unwrap();
    assert_says(
        &refusal_in(folder.path(), &["sweep", "sweep.toml"]),
        &["catch-seed1", "has no checkpoint to go on from", "delete"],
    );
    fs::remove_dir_all(run(0)).unwrap();
    fs::create_dir(run(0)).unwrap();
    fs::write(run(0).join("thesis.txt"), "all of it").unwrap();
    assert_says(&refusal_in(folder.path(), &["sweep", "sweep.toml"]), &["catch-seed0", "is in the way"]);
    assert!(run(0).join("thesis.txt").exists());
}

#[test]
fn a_run_with_other_settings_in_the_folder_of_one_is_refused_and_a_higher_limit_is_not() {
    let folder = folder_with(TINY);
    assert!(prism(folder.path(), &["sweep", "sweep.toml"]).status.success());
    fs::write(folder.path().join("sweep.toml"), format!("{TINY}learning.n_step = 2\n")).unwrap();
    let message = refusal_in(folder.path(), &["sweep", "sweep.toml"]);
    assert_says(&message, &["catch-seed0 was begun with learning.n_step = 1, and the sweep says 2", "another `out`"]);
    fs::write(folder.path().join("sweep.toml"), TINY.replace("700", "900")).unwrap();
    assert!(prism(folder.path(), &["sweep", "sweep.toml"]).status.success());
    assert_eq!(summary(&folder.path().join("sweep/catch/catch-seed1"))["agent_steps"], 900);
}

#[test]
fn a_run_that_has_been_where_its_lowered_limit_is_has_ended() {
    let folder = folder_with(&LONG.replace("0..1", "0"));
    let sweep = Sweep::start(folder.path());
    wait_for_updates(&[folder.path().join("sweep/catch/catch-seed0")]);
    send("INT", &sweep.0);
    assert_eq!(sweep.wait().0, Some(130));
    fs::write(folder.path().join("sweep.toml"), LONG.replace("0..1", "0").replace("100_000_000", "510")).unwrap();
    assert_says(&said(&prism(folder.path(), &["sweep", "sweep.toml", "--dry-run"])), &["catch/catch-seed0  ended"]);
    assert!(prism(folder.path(), &["sweep", "sweep.toml"]).status.success());
}

#[test]
fn what_cannot_be_used_is_refused_with_its_line_before_anything_begins() {
    let refused = |file: &str| {
        let folder = folder_with(file);
        let message = refusal_in(folder.path(), &["sweep", "sweep.toml"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{message}");
        message
    };
    for (file, parts) in [
        ("seeds = 1\n", &["sweep.toml: the key `presets` is missing", "--help"][..]),
        ("preset = \"catch\"\nsedes = 1\n", &["sweep.toml, line 2", "unknown key `sedes`", "did you mean `seeds`?"]),
        ("preset = \"catch\"\nlearning.gamma = 1\n", &["line 2", "unknown key `learning`", "`[set]`"]),
        ("preset = \"pnog\"\n", &["line 1", "`pnog`", "did you mean `pong`?"]),
        ("preset = \"other.toml\"\n", &["line 1", "other.toml"]),
        ("preset = [\n", &["line 1", "not valid TOML"]),
        ("preset = \"catch\"\nseeds = \"4..1\"\n", &["line 2", "seeds = \"4..1\"", "0..4"]),
        ("preset = \"catch\"\nseeds = [1, 1]\n", &["line 2", "seeds = [1, 1]", "each once"]),
        ("preset = \"catch\"\njobs = 0\n", &["line 2", "jobs = 0", "from 1 on"]),
        ("preset = \"catch\"\nslurm = [\"fast\"]\n", &["line 2", "slurm = [\"fast\"]", "--time=12:00:00"]),
        ("preset = \"catch\"\n\n[set]\nrun.seed = 3\n", &["line 4", "run.seed = 3", "`seeds`"]),
        ("preset = \"catch\"\n[set]\njobs = 2\n", &["line 3", "jobs = 2", "above [set]"]),
        (
            "preset = \"catch\"\n[set]\n\"learning.n_stepp\" = 3\n",
            &["line 3", "`learning.n_stepp`", "`learning.n_step`"],
        ),
        ("preset = \"catch\"\n[[variants]]\nset = { learning.gamma = 1.5 }\n", &["[[variants]]", "a name"]),
        ("preset = \"catch\"\n[[variants]]\nname = \"a/b\"\n", &["line 3", "name = \"a/b\"", "letters"]),
        (
            "preset = \"catch\"\n[[variants]]\nname = \"a\"\nset.learning.gamma = 7\n",
            &["line 4", "learning.gamma = 7", "runs in a/"],
        ),
        (
            "preset = \"catch\"\n[[variants]]\nname = \"a\"\n[[variants]]\nname = \"a\"\n",
            &["two runs", "a/catch-seed0"],
        ),
        ("preset = \"dqn\"\ngames = [\"pnog\"]\n", &["line 2", "pnog", "pong", "prism list"]),
        ("preset = \"catch\"\n[set]\nrun.device = \"abacus\"\n", &["abacus", "prism devices"]),
        (
            "preset = \"catch\"\nseeds = \"0..9999\"\njobs = 10000\n[set]\nreplay.capacity = 10_000_000\ntraining.agent_steps = 1_000_000_000\n",
            &["10000 runs at a time need", "--jobs"],
        ),
    ] {
        assert_says(&refused(file), parts);
    }
    let folder = folder_with(TINY);
    let message = refusal_in(folder.path(), &["sweep", "sweep.toml", "--only", "catch/catch-seed9"]);
    assert_says(&message, &["no run `catch/catch-seed9`", "`catch/catch-seed0`"]);
    assert_says(&refusal_in(folder.path(), &["sweep", "nowhere.toml"]), &["cannot read", "nowhere.toml"]);
}

/// Programs of Slurm that write down how they are called, below a folder.
fn fake_slurm(folder: &Path) -> String {
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    let answers = [("sbatch", "echo Submitted batch job 17"), ("scontrol", ":"), ("squeue", "echo RUNNING")];
    for (name, answer) in answers {
        let path = bin.join(name);
        let text = format!("#!/bin/sh\necho \"$@\" >> {}/{name}.calls\n{answer}\n", folder.display());
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

#[test]
fn a_job_array_has_a_task_for_each_run_that_has_not_ended() {
    let folder = folder_with(&format!("slurm = [\"--time=0:10:00\"]\njobs = 2\n{TINY}"));
    let path = fake_slurm(folder.path());
    let submitted = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prism"));
        command
            .args(["sweep", "sweep.toml"])
            .args(arguments)
            .current_dir(folder.path())
            .env("PATH", &path)
            .output()
            .unwrap()
    };
    let output = submitted(&["--slurm"]);
    let script = folder.path().join("sweep/slurm.sh");
    assert_eq!(said(&output).trim(), script.to_str().unwrap());
    assert!(!folder.path().join("sbatch.calls").exists());
    let text = fs::read_to_string(&script).unwrap();
    assert_says(
        &text,
        &[
            "#SBATCH --array=0-1%2\n",
            "#SBATCH --requeue\n",
            "#SBATCH --signal=B:TERM@120\n",
            "#SBATCH --time=0:10:00\n",
        ],
    );

    assert!(prism(folder.path(), &["sweep", "sweep.toml", "--only", "catch/catch-seed0"]).status.success());
    let output = submitted(&["--submit", "--jobs", "3"]);
    assert_says(&said(&output), &["slurm.sh", "Submitted batch job 17"]);
    assert_eq!(fs::read_to_string(folder.path().join("sbatch.calls")).unwrap().trim(), script.to_str().unwrap());
    let text = fs::read_to_string(&script).unwrap();
    assert_says(&text, &["#SBATCH --array=0-0%3\n", "'catch/catch-seed1'"]);
    assert!(!text.contains("catch-seed0"), "{text}");

    assert!(prism(folder.path(), &["sweep", "sweep.toml"]).status.success());
    assert_says(&said(&submitted(&["--submit"])), &["there is nothing to submit"]);
}

#[test]
fn a_refusal_of_sbatch_is_passed_on() {
    let folder = folder_with(TINY);
    let path = fake_slurm(folder.path());
    fs::write(folder.path().join("bin/sbatch"), "#!/bin/sh\necho 'sbatch: error: invalid partition' >&2\nexit 1\n")
        .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_prism"));
    command.args(["sweep", "sweep.toml", "--submit"]).current_dir(folder.path()).env("PATH", &path);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_says(&said(&output), &["sbatch refused", "invalid partition", "slurm = [...]"]);
}

/// A task as Slurm runs it: its shell gets SIGTERM before its time is up, and the task comes back.
#[test]
fn a_task_whose_time_is_up_saves_and_goes_back_into_the_queue() {
    let folder = folder_with(LONG);
    let path = fake_slurm(folder.path());
    assert!(prism(folder.path(), &["sweep", "sweep.toml", "--slurm"]).status.success());
    let task = || {
        let mut command = Command::new("bash");
        command.arg("sweep/slurm.sh").current_dir(folder.path()).env("PATH", &path);
        command.env("SLURM_ARRAY_TASK_ID", "1").env("SLURM_JOB_ID", "18").stdout(Stdio::piped()).stderr(Stdio::piped());
        Sweep(command.spawn().unwrap())
    };
    let run = &long_runs(folder.path())[1];
    for times in 1..3 {
        let task = task();
        let lines = || fs::read_to_string(run.join("train.csv")).map_or(0, |text| text.lines().count());
        let before = lines();
        wait_until("the task learns", || lines() > before + 15);
        send("TERM", &task.0);
        let (code, text) = task.wait();
        assert_eq!(code, Some(143), "{text}");
        assert_eq!(summary(run)["ending"], "terminated");
        let calls = fs::read_to_string(folder.path().join("scontrol.calls")).unwrap();
        assert_eq!(calls, "requeue 18\n".repeat(times));
    }
    assert!(!long_runs(folder.path())[0].exists(), "another task's");
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["resumed"].as_array().unwrap().len(), 1);
}
