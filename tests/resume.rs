//! Runs that end early, however they do, and go on: their records are those of runs that were never interrupted.

use std::fs;
use std::path::{Path, PathBuf};

use prism::{
    Config, Ending, Environments, Event, Interrupt, Moment, Override, Place, RecordError, Request, Resumption, Run,
    RunError, Sink, Summary,
};
use prism_environment::Seed;

use crate::support::{Family, assert_same_records, assert_says, prism, refusal_in, rows};

/// What is done when a run has made this many agent steps.
struct At<Act> {
    steps: u64,
    act: Option<Act>,
}

impl<Act: FnOnce() + Send> Sink for At<Act> {
    fn take(&mut self, event: &Event, _: &Moment) -> Result<(), RecordError> {
        if let Event::Progress(at) = event
            && at.agent_steps.0 >= self.steps
            && let Some(act) = self.act.take()
        {
            act();
        }
        Ok(())
    }
}

fn at<Act: FnOnce() + Send + 'static>(steps: u64, act: Act) -> Box<dyn Sink> {
    Box::new(At { steps, act: Some(act) })
}

/// Catch with the settings of a member of the family or of plain DQN, short and with everything that is recorded.
fn catch(member: &str, more: &[&str]) -> Config {
    let family = Family::read();
    let short = [
        "training.agent_steps=2000",
        "training.stop_score=\"none\"",
        "training.save_period=300",
        "training.score_window=20",
        "replay.warm_up=200",
        "replay.capacity=700",
        "learning.batch_size=16",
        "evaluation.period=500",
        "evaluation.episodes=10",
        "diagnostics.record_period=30",
        "diagnostics.held_out=20",
    ];
    let of_member = family.members.get(member).map_or_else(Vec::new, |groups| family.settings(groups));
    let settings = [of_member, short.to_vec(), more.to_vec()].concat();
    crate::support::preset("catch", &settings).with_run(Seed(5), "flex").expect("a device is named")
}

fn begun(folder: &Path, config: &Config) -> Run {
    let environments = Environments::of(config.environment(), None).expect("the environments can be made");
    Run::new(config, environments, Place::At(folder.to_owned())).expect("it can begin")
}

fn resumed(folder: &Path, changes: &[&str]) -> Result<Run, RunError> {
    let changes: Vec<Override> = changes.iter().map(|text| Override::parse(text).expect("key=value")).collect();
    let resumption = Resumption::open(folder, &changes)?;
    let environments = Environments::of(resumption.config().environment(), None)?;
    Run::resume(resumption, environments)
}

/// Lets a run go until it has made this many agent steps.
fn go_until(run: Run, steps: u64) -> Summary {
    let interrupt = Interrupt::default();
    let request = interrupt.clone();
    let run = run.with_interrupt(interrupt).with_sink(at(steps, move || request.request(Request::Interrupt)));
    run.and_then(Run::go).expect("it ends in good order")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copied = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &copied);
        } else if let Err(error) = fs::copy(&path, copied) {
            // What the thread that writes checkpoints has renamed or removed meanwhile.
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{}", path.display());
        }
    }
}

/// A run, the same run interrupted twice at odd moments, and copies of it as it was at two other moments, as if it had been
/// killed then.
fn goes_on_the_same(config: &Config, [first, second]: [u64; 2]) {
    let parent = tempfile::tempdir().unwrap();
    let path = |name: &str| parent.path().join(name);
    begun(&path("whole"), config).go().expect("it ends by itself");

    assert_eq!(go_until(begun(&path("parts"), config), first).ending, Ending::Interrupted);
    assert_eq!(go_until(resumed(&path("parts"), &[]).unwrap(), second).ending, Ending::Interrupted);
    assert_eq!(resumed(&path("parts"), &[]).unwrap().go().unwrap().ending, Ending::Limit);
    assert_same_records(&path("whole"), &path("parts"));

    let from = path("killed-later");
    let mut run = begun(&from, config);
    for (steps, name) in [(first, "killed-first"), (second, "killed-second")] {
        let (from, to) = (from.clone(), path(name));
        run = run.with_sink(at(steps, move || copy(&from, &to))).unwrap();
    }
    run.go().unwrap();
    for name in ["killed-first", "killed-second"] {
        resumed(&path(name), &[]).unwrap().go().unwrap();
        assert_same_records(&path("whole"), &path(name));
    }
}

/// A test for each member, so that they run side by side.
macro_rules! catch_goes_on_for {
    ($($test:ident: $member:literal at $at:expr;)*) => {
        $(#[test]
        fn $test() {
            goes_on_the_same(&catch($member, &[]), $at);
            goes_on_the_same(&catch($member, &["environment.count=3", "training.pipeline=true"]), $at);
        })*

        #[test]
        fn every_member_of_the_family_is_interrupted() {
            let tested = [$($member),*];
            assert!(Family::read().members.keys().all(|member| tested.contains(&member.as_str())), "{tested:?}");
        }
    };
}

catch_goes_on_for! {
    plain_dqn_goes_on_the_same: "dqn" at [130, 1111];
    n_step_goes_on_the_same: "n-step" at [201, 1990];
    double_goes_on_the_same: "double" at [210, 905];
    dueling_goes_on_the_same: "dueling" at [333, 1500];
    independent_noise_goes_on_the_same: "noisy-independent" at [450, 1203];
    factorised_noise_goes_on_the_same: "noisy-factorised" at [299, 300];
    proportional_priorities_go_on_the_same: "proportional" at [760, 1801];
    rank_based_priorities_go_on_the_same: "rank-based" at [777, 1430];
    copies_of_rewarded_go_on_the_same: "copy-rewarded" at [640, 1270];
    c51_goes_on_the_same: "c51" at [501, 1017];
    qr_dqn_goes_on_the_same: "qr-dqn" at [222, 1333];
    the_combination_goes_on_the_same: "combined" at [389, 1601];
    rainbow_goes_on_the_same: "rainbow" at [601, 1499];
}

/// Atari with a small replay that forgets, in several environments.
#[cfg(feature = "ale")]
fn atari(name: &str, more: &[&str]) -> Config {
    let short = [
        "training.agent_steps=900",
        "training.stop_score=\"none\"",
        "training.save_period=150",
        "training.score_window=2",
        "environment.count=2",
        "environment.frame_limit=500",
        "replay.warm_up=500",
        "replay.capacity=500",
        "learning.period=12",
        "learning.target_period=60",
        "learning.batch_size=4",
        "diagnostics.record_period=5",
        "evaluation.period=400",
        "evaluation.episodes=1",
    ];
    let settings = [&short[..], more].concat();
    crate::support::preset(name, &settings).with_run(Seed(3), "flex").expect("a device is named")
}

#[cfg(feature = "ale")]
#[test]
fn dqn_on_atari_goes_on_the_same() {
    goes_on_the_same(&atari("pong", &[]), [233, 711]);
}

#[cfg(feature = "ale")]
#[test]
fn rainbow_on_atari_that_plays_while_it_learns_goes_on_the_same() {
    let small = ["environment.game=breakout", "network.hidden=[32]", "training.pipeline=true"];
    goes_on_the_same(&atari("rainbow", &small), [655, 820]);
}

#[test]
fn small_environments_go_on_the_same() {
    for (name, more) in [("cartpole", &[][..]), ("cartpole-c51", &["environment.count=2"])] {
        let short = ["training.agent_steps=1500", "training.save_period=400", "replay.warm_up=300"];
        let config = crate::support::preset(name, &[&short[..], more].concat());
        goes_on_the_same(&config.with_run(Seed(1), "flex").unwrap(), [350, 1201]);
    }
}

#[test]
fn a_run_goes_on_beyond_its_limit_as_if_that_had_been_its_limit() {
    let parent = tempfile::tempdir().unwrap();
    let [whole, short] = ["whole", "short"].map(|name| parent.path().join(name));
    begun(&whole, &catch("dqn", &[])).go().unwrap();
    begun(&short, &catch("dqn", &["training.agent_steps=1234"])).go().unwrap();
    let Err(error) = resumed(&short, &[]) else { panic!("it is at its limit") };
    assert_says(&error.to_string(), &["at 1234 agent steps", "its limit is 1234 agent steps"]);
    let summary = resumed(&short, &["training.frames=2000"]).unwrap().go().unwrap();
    assert_eq!((summary.ending, summary.at.agent_steps.0), (Ending::Limit, 2000));
    assert_same_records(&whole, &short);
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(short.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["resumed"][0]["agent_steps"], 1234);
    assert_eq!(manifest["config"]["training"]["agent_steps"], 2000);
}

#[test]
fn a_solved_run_goes_on_as_if_no_score_had_ended_it() {
    let parent = tempfile::tempdir().unwrap();
    let [whole, solved] = ["whole", "solved"].map(|name| parent.path().join(name));
    begun(&whole, &catch("dqn", &[])).go().unwrap();
    let summary = begun(&solved, &catch("dqn", &["training.stop_score=-0.9"])).go().unwrap();
    assert!(summary.ending == Ending::Solved && summary.at.agent_steps.0 < 1900, "{summary:?}");
    resumed(&solved, &[]).unwrap().go().unwrap();
    assert_same_records(&whole, &solved);
}

/// The run in a folder, killed again and again until it ends by itself, at moments that `delay` gives in milliseconds: longer
/// ones where it made no checkpoint since the kill before, for the machine may be busy.
#[cfg(unix)]
fn killed(folder: &Path, mut delay: impl FnMut() -> u64) -> usize {
    use std::process::{Command, Stdio};
    let (mut kills, mut patience, mut newest) = (0, 1.0, None);
    loop {
        let mut child = Command::new(env!("CARGO_BIN_EXE_prism"))
            .args(["resume", "run"])
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay()).mul_f64(patience));
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        match output.status.code() {
            None => kills += 1,
            Some(0) => return kills,
            Some(code) => panic!("it ends with {code} after {kills} kills: {message}"),
        }
        let files = fs::read_dir(folder.join("run/checkpoints")).unwrap().map(|file| file.unwrap().path());
        let head = files.filter(|path| path.extension().is_some_and(|ending| ending == "head")).max();
        patience = if head == newest { patience * 1.5 } else { 1.0 };
        newest = head;
        assert!(patience < 1e4, "the run does not get on: {kills} kills");
    }
}

/// How often the soak kills in all; a few dozen times otherwise.
#[cfg(unix)]
fn kills_wanted() -> usize {
    std::env::var("PRISM_KILLS").map_or(24, |count| count.parse().expect("PRISM_KILLS is a number"))
}

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_again_and_again_becomes_that_of_one_which_never_was() {
    let parent = tempfile::tempdir().unwrap();
    let whole = parent.path().join("whole");
    let long = ["training.agent_steps=30000", "training.save_period=700", "evaluation.period=5000"];
    let config = catch("rainbow", &long);
    begun(&whole, &config).go().unwrap();
    let mut state = 88_172_645_463_325_252u64;
    let mut delay = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        20 + state % 400
    };
    let mut kills = 0;
    while kills < kills_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        go_until(begun(&run, &config), 1);
        kills += killed(folder.path(), &mut delay);
        assert_same_records(&whole, &run);
    }
    println!("killed {kills} times");
}

/// A run of Catch that was interrupted, with two checkpoints.
fn interrupted(parent: &Path) -> PathBuf {
    let run = parent.join("run");
    go_until(begun(&run, &catch("proportional", &[])), 1000);
    run
}

#[test]
fn of_damaged_checkpoints_the_one_before_is_used_or_the_copy() {
    let parent = tempfile::tempdir().unwrap();
    let whole = parent.path().join("whole");
    begun(&whole, &catch("proportional", &[])).go().unwrap();
    let run = interrupted(parent.path());
    let files = |folder: &Path| -> Vec<PathBuf> {
        let mut files: Vec<_> =
            fs::read_dir(folder.join("checkpoints")).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    };
    let count = files(&run).len();
    assert!(count >= 6, "{:?}", files(&run));
    for index in 0..count {
        let copied = parent.path().join(format!("damaged-{index}"));
        copy(&run, &copied);
        let file = &files(&copied)[index];
        let mut bytes = fs::read(file).unwrap();
        match index % 3 {
            0 => bytes.truncate(bytes.len() * 2 / 3),
            1 => bytes.clear(),
            _ => {
                let place = bytes.len() * (index + 1) / (count + 2);
                bytes[place] ^= 0x10;
            }
        }
        fs::write(file, bytes).unwrap();
        resumed(&copied, &[]).unwrap().go().unwrap();
        assert_same_records(&whole, &copied);
    }
    // The damaged head is named where the run says what it does.
    let copied = parent.path().join("named");
    copy(&run, &copied);
    let head =
        files(&copied).into_iter().rfind(|path| path.extension().is_some_and(|ending| ending == "head")).unwrap();
    fs::write(&head, "no checkpoint").unwrap();
    resumed(&copied, &[]).unwrap().go().unwrap();
    let log = fs::read_to_string(copied.join("log.txt")).unwrap();
    assert_says(&log, &["damaged, and not used: ", head.file_name().unwrap().to_str().unwrap()]);
}

#[test]
fn what_cannot_go_on_is_refused_and_nothing_is_changed() {
    let parent = tempfile::tempdir().unwrap();
    let run = interrupted(parent.path());
    let before = fs::read(run.join("episodes.csv")).unwrap();
    let refused = |arguments: &[&str]| refusal_in(parent.path(), arguments);
    assert_says(
        &refused(&["resume", "run", "--set", "learning.gamma=0.5"]),
        &["learning.gamma cannot change", "prism train"],
    );
    assert_says(&refused(&["resume", "run", "--set", "run.seed=9"]), &["run.seed cannot change"]);
    assert_says(
        &refused(&["resume", "run", "--frames", "900"]),
        &["at 1000 agent steps", "its limit is 900", "--frames"],
    );
    assert_says(&refused(&["resume", "nowhere"]), &["there is nothing at nowhere"]);
    assert_says(&refused(&["resume", "."]), &["is not the folder of a run"]);

    let none = parent.path().join("none");
    copy(&run, &none);
    fs::remove_dir_all(none.join("checkpoints")).unwrap();
    assert_says(&refused(&["resume", "none"]), &["no checkpoint to go on from", "train"]);

    let damaged = parent.path().join("all-damaged");
    copy(&run, &damaged);
    for file in fs::read_dir(damaged.join("checkpoints")).unwrap() {
        fs::write(file.unwrap().path(), "").unwrap();
    }
    assert_says(&refused(&["resume", "all-damaged"]), &["no checkpoint", "it is cut short"]);

    // A checkpoint of runs with another network and with another replay, under this run's name.
    for (name, setting, says) in [
        ("other", "network.hidden=[7]", ["network.hidden is [7]", "was [64] when its checkpoint was made"]),
        ("capacity", "replay.capacity=701", ["replay.capacity is 701", "was 700"]),
    ] {
        let other = parent.path().join(name);
        go_until(begun(&other, &catch("proportional", &[setting])), 700);
        fs::remove_dir_all(other.join("checkpoints")).unwrap();
        copy(&run.join("checkpoints"), &other.join("checkpoints"));
        assert_says(&refused(&["resume", name]), &says);
    }

    // A configuration that was edited since.
    let edited = parent.path().join("edited");
    copy(&run, &edited);
    let config = fs::read_to_string(edited.join("config.toml")).unwrap();
    assert!(config.contains("\nseed = 5"), "{config}");
    fs::write(edited.join("config.toml"), config.replace("\nseed = 5", "\nseed = 6")).unwrap();
    assert_says(&refused(&["resume", "edited"]), &["run.seed is 6", "was 5 when its checkpoint was made"]);

    // Records that are not there to go on with.
    let lost = parent.path().join("lost");
    copy(&run, &lost);
    fs::remove_file(lost.join("train.csv")).unwrap();
    assert_says(&refused(&["resume", "lost"]), &["train.csv is missing", "put back what was there"]);

    let format = parent.path().join("format");
    copy(&run, &format);
    for file in fs::read_dir(format.join("checkpoints")).unwrap() {
        let path = file.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        bytes[8] = 7;
        fs::write(path, bytes).unwrap();
    }
    assert_says(&refused(&["resume", "format"]), &["format 7", "reads format 1"]);
    assert_eq!(fs::read(run.join("episodes.csv")).unwrap(), before);
}

#[test]
fn a_run_is_trained_by_one_process_at_a_time() {
    let parent = tempfile::tempdir().unwrap();
    let run = interrupted(parent.path());
    let going = resumed(&run, &[]).unwrap();
    assert_says(&refusal_in(parent.path(), &["resume", "run"]), &["another process is training the run"]);
    drop(going);
    assert!(prism(parent.path(), &["resume", "run"]).status.success());
}

#[test]
fn evaluations_by_others_stay_when_a_run_goes_on() {
    let parent = tempfile::tempdir().unwrap();
    let run = interrupted(parent.path());
    let before = rows(&run.join("evaluations.csv")).len();
    assert!(prism(parent.path(), &["eval", "run", "--episodes", "3"]).status.success());
    assert!(prism(parent.path(), &["resume", "run"]).status.success());
    let rows = rows(&run.join("evaluations.csv"));
    assert_eq!(rows[before].number("episodes"), 3.0);
    let numbers: Vec<f64> = rows.iter().map(|row| row.number("evaluation")).collect();
    assert_eq!(numbers, (1..=rows.len()).map(|number| number as f64).collect::<Vec<_>>());
    assert!(rows.len() > before + 1);
}

#[test]
fn records_are_not_cut_back_to_before_where_the_run_has_been() {
    let parent = tempfile::tempdir().unwrap();
    let run = interrupted(parent.path());
    let more = ["resume", "run", "--set", "training.checkpoints=false"];
    assert!(prism(parent.path(), &more).status.success());
    let before = rows(&run.join("episodes.csv")).len();
    for arguments in [&["resume", "run"][..], &["resume", "run", "--agent-steps", "1500"]] {
        assert_says(&refusal_in(parent.path(), arguments), &["the run is at 2000 agent steps", "its limit is"]);
    }
    assert_eq!(rows(&run.join("episodes.csv")).len(), before);
}

/// Games whose next picture no saved state has are trained without checkpoints, and say so.
#[cfg(feature = "ale")]
#[test]
fn a_game_that_would_not_go_on_the_same_has_no_checkpoints() {
    let parent = tempfile::tempdir().unwrap();
    let [run, ram] = ["run", "ram"].map(|name| parent.path().join(name));
    let short = ["environment.game=yars_revenge", "training.agent_steps=40"];
    begun(&run, &atari("pong", &short)).go().unwrap();
    assert!(!run.join("checkpoints").exists());
    let log = fs::read_to_string(run.join("log.txt")).unwrap();
    assert_says(&log, &["no checkpoints", "yars_revenge would not go on from a saved state as it would have", "ram"]);
    let views = ["environment.view=ram", "network.kind=mlp", "network.hidden=[8]", "network.scaling=elements"];
    begun(&ram, &atari("pong", &[&short[..], &views].concat())).go().unwrap();
    assert!(ram.join("checkpoints").exists());
}

/// The console in Rust saves all of the picture.
#[cfg(feature = "ale")]
#[test]
fn a_run_on_the_console_in_rust_goes_on_the_same_in_every_game() {
    for game in ["yars_revenge", "elevator_action"] {
        let game = format!("environment.game={game}");
        goes_on_the_same(&atari("pong", &[&game, "environment.emulator=console"]), [233, 711]);
    }
}

#[test]
fn without_checkpoints_there_are_none() {
    let parent = tempfile::tempdir().unwrap();
    let run = parent.path().join("run");
    begun(&run, &catch("dqn", &["training.checkpoints=false"])).go().unwrap();
    assert!(!run.join("checkpoints").exists());
}
