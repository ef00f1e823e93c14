//! What saving a replay costs: it becomes much smaller, and the second time only what is new is written. Times are measured with
//! many transitions, on demand, and are no matter of a test:
//!
//! ```sh
//! PRISM_TRANSITIONS=1000000 cargo test --release --test prism checkpoint_cost -- --nocapture
//! ```

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use prism::{Manifest, Position, RunFolder, RunIdentity};
use prism_algorithms::{Replay, ReplayConfig, ReplayExtent, ReplayLoader, ReplayPart, Sampling};
use prism_environment::{
    AgentSteps, AtariConfig, AtariEnvironment, Environment, Protocol, RomLibrary, Seed, StepType, TimeStep,
};
use prism_runs::{CheckpointEntry, Checkpoints, WholeCheckpoint};

/// Steps of random play, at most, that are put into the replay again and again.
const PLAYED: usize = 20_000;
/// The share of a replay that is new at the second checkpoint.
const NEW: usize = 40;

/// Each frame, and the action and step that led to it.
type Played = (Vec<Vec<u8>>, Vec<(usize, TimeStep)>);

/// Random play of Pong.
fn play(count: usize) -> Played {
    let rom = RomLibrary::locate(None).and_then(|library| library.rom("pong")).expect("the ROM is installed");
    let config = AtariConfig::from_protocol("pong", Protocol::Cleanrl).expect("a game");
    let mut pong = AtariEnvironment::new(&config, &rom, Seed(1)).expect("it can be made");
    let frame = pong.spec().observation.frame_bytes();
    let mut observation = vec![0; pong.spec().observation.bytes()];
    let actions = pong.spec().actions.len();
    let (mut frames, mut steps) = (Vec::new(), Vec::new());
    pong.reset(&mut observation).expect("a start");
    for index in 0..count {
        let action = index * 7 / 3 % actions;
        let step = pong.step(action, &mut observation).expect("a step");
        frames.push(observation[observation.len() - frame..].to_vec());
        if step.step_type == StepType::Last {
            pong.reset(&mut observation).expect("a start");
        }
        steps.push((action, TimeStep { step_type: StepType::Mid, ..step }));
    }
    (frames, steps)
}

/// Fills the replay with transitions, from the `first` step of the played ones on.
fn feed(replay: &mut Replay, stack: &mut Vec<u8>, (frames, steps): &Played, count: usize) {
    let start = replay.living().end.0 as usize;
    for index in start..start + count {
        let (action, step) = &steps[index % steps.len()];
        stack.drain(..frames[0].len());
        stack.extend_from_slice(&frames[index % frames.len()]);
        replay.add(0, *action, step, stack).expect("frames follow each other");
    }
}

fn run(parent: &Path) -> RunFolder {
    let identity = RunIdentity {
        name: "pong".to_owned(),
        environment: "pong".to_owned(),
        protocol: "cleanrl".to_owned(),
        seed: Seed(1),
        device: "flex".to_owned(),
        actions: Vec::new(),
        command: Vec::new(),
        rom: None,
        version: "0".to_owned(),
        commit: "unknown".to_owned(),
    };
    let manifest = Manifest::new(identity, String::new()).expect("no configuration is TOML");
    RunFolder::create(&parent.join("run"), &manifest).expect("a new folder")
}

#[test]
fn a_large_replay_is_saved_in_parts_and_loaded() {
    let capacity: usize = std::env::var("PRISM_TRANSITIONS").map_or(2_000, |count| count.parse().expect("a number"));
    let played = play(capacity.min(PLAYED));
    if let Some(path) = std::env::var_os("PRISM_FRAMES") {
        fs::write(path, played.0.concat()).expect("the frames are written for a peer");
    }
    let spec =
        prism_environment::ObservationSpec { stack: 4, frame: vec![84, 84], element: prism_environment::Element::U8 };
    let sampling = Sampling::Proportional { exponent: 0.5 };
    let config = ReplayConfig { capacity, streams: 1, observation: spec, n: 1, gamma: 0.99, sampling };
    let mut replay = Replay::new(config.clone()).expect("a valid configuration");
    let mut stack = vec![0; 4 * 84 * 84];
    replay.begin(0, &stack);
    feed(&mut replay, &mut stack, &played, capacity);

    let parent = tempfile::tempdir().expect("a folder");
    let run = run(parent.path());
    let mut checkpoints = Checkpoints::of(&run);
    let mut parts: Vec<ReplayPart> = Vec::new();
    let raw = replay.memory_bytes();
    println!("{} transitions take {:.0} MB in memory", replay.len(), raw as f64 / 1e6);
    let mut sizes = Vec::new();
    for which in ["first", "second"] {
        let begin = Instant::now();
        let head = replay.head();
        let part = match parts.last() {
            None => replay.part_after(&ReplayExtent::default()),
            Some(last) => replay.part_after(last.extent()),
        };
        let stalled = begin.elapsed();
        let begin = Instant::now();
        let name = part.extent().name();
        checkpoints.write_part(&name, &|out| part.write_to(out)).expect("the disk has room");
        parts.push(part);
        let names = parts.iter().map(|part| part.extent().name()).collect();
        let agent_steps = AgentSteps(replay.living().end.0);
        let entry = CheckpointEntry {
            at: Position { agent_steps, ..Position::default() },
            program: "a measurement".to_owned(),
            parts: names,
        };
        let state = postcard::to_stdvec(&head).expect("plain data");
        checkpoints.write_head(entry, &|out| out.write_all(&state)).expect("the disk has room");
        println!(
            "{which} checkpoint: training waits {:.1} ms, a thread writes for {:.2} s; {:.1} MB on the disk in all",
            stalled.as_secs_f64() * 1e3,
            begin.elapsed().as_secs_f64(),
            checkpoints.bytes() as f64 / 1e6
        );
        sizes.push(checkpoints.bytes());
        if which == "first" {
            feed(&mut replay, &mut stack, &played, capacity / NEW);
        }
    }
    drop(parts);
    // Two copies of each part, and the priorities with each head.
    assert!(sizes[0] * 5 < raw as u64, "{raw} bytes are saved as {}", sizes[0]);
    assert!(sizes[1] < sizes[0] * 5 / 4, "the second time, all is written again: {sizes:?}");

    let begin = Instant::now();
    let whole = checkpoints.newest_whole().expect("it was written just now");
    let verified = begin.elapsed();
    let mut loader = ReplayLoader::new(replay.head(), &config).expect("the same configuration");
    for path in &whole.parts {
        loader.read(&mut WholeCheckpoint::open_part(path).expect("a part")).expect("a whole part");
    }
    let loaded = loader.finish().expect("a whole replay");
    println!("loaded in {:.2} s, {:.2} s of it to check", begin.elapsed().as_secs_f64(), verified.as_secs_f64());
    assert_eq!(loaded.living(), replay.living());
    drop(loaded);

    let path = parent.path().join("plain");
    let begin = Instant::now();
    let mut file = fs::File::create(&path).expect("a file");
    for index in 0..capacity {
        file.write_all(&played.0[index % played.0.len()]).expect("the disk has room");
    }
    file.sync_all().expect("the disk has room");
    let bytes = fs::metadata(&path).expect("it was written").len();
    println!("the frames alone, written plainly: {:.2} s, {:.0} MB", begin.elapsed().as_secs_f64(), bytes as f64 / 1e6);
}
