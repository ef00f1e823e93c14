//! Checkpoints: their files, and behind the checksums of these the state of a run and the parts of its replay.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use prism::{Environments, Override, Resumption, Run, RunFolder};
use prism_algorithms::{Batch, Replay, ReplayConfig, ReplayExtent, ReplayHead, ReplayLoader, Sampling};
use prism_environment::{Element, Game, ObservationSpec, Seed, TimeStep};
use prism_runs::{CheckpointEntry, Checkpoints, WholeCheckpoint};
use tempfile::TempDir;

use super::{Answer, Target, scratch, words_of};
use crate::support::{Family, crc_32c, preset, train_into};

/// Agent steps of the runs that go on.
const STEPS: u64 = 150;

/// A run that has ended, and its last checkpoint.
struct Ended {
    run: PathBuf,
    entry: CheckpointEntry,
    state: Vec<u8>,
    /// The newest part.
    part: Vec<u8>,
    _folder: TempDir,
}

impl Ended {
    /// Trains a member of the family on Catch for a moment.
    fn of(member: Option<&str>) -> Self {
        let family = Family::read();
        let mut settings = member.map_or_else(Vec::new, |member| family.settings(&family.members[member]));
        let limit = format!("training.agent_steps={STEPS}");
        settings.extend([
            "network.hidden=[3]",
            "replay.capacity=100",
            "replay.warm_up=40",
            "learning.batch_size=4",
            &limit,
        ]);
        settings.extend(["training.score_window=3", "diagnostics.record_period=20", "diagnostics.held_out=3"]);
        let folder = scratch();
        let run = folder.path().join("run");
        train_into(&run, &preset("catch", &settings), 3);
        let mut checkpoints = Checkpoints::of(&RunFolder::open(&run).expect("a run"));
        let whole = checkpoints.newest_whole().expect("a checkpoint");
        let part = read_part(whole.parts.last().expect("a part")).expect("a whole part");
        Self { run, entry: whole.entry, state: whole.state, part, _folder: folder }
    }

    /// The same run in another folder, with another state and newest part in its checkpoint.
    fn changed(&self, folder: &Path, state: &[u8], part: &[u8]) {
        copy(&self.run, folder);
        let mut checkpoints = Checkpoints::of(&RunFolder::open(folder).expect("a run"));
        checkpoints.newest_whole().expect("a checkpoint");
        let name = self.entry.parts.last().expect("a part");
        checkpoints.write_part(name, &|out| out.write_all(part)).expect("a file");
        checkpoints.write_head(self.entry.clone(), &|out| out.write_all(state)).expect("a file");
    }

    /// Goes on with the run for a few steps.
    fn go_on(&self, state: &[u8], part: &[u8]) -> Answer {
        let folder = scratch();
        let run = folder.path().join("run");
        self.changed(&run, state, part);
        let limit = Override::parse(&format!("training.agent_steps={}", STEPS + 20)).expect("a setting");
        let resumption = Resumption::open(&run, &[limit]).map_err(|error| words_of(&error))?;
        let environments = Environments::of(resumption.config().environment(), None).expect("Catch");
        let run = Run::resume(resumption, environments).map_err(|error| words_of(&error))?;
        run.go().map(drop).map_err(|error| words_of(&error))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a file");
        }
    }
}

fn read_part(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut part = WholeCheckpoint::open_part(path).map_err(|error| words_of(&error))?;
    part.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

#[test]
fn states_of_runs() {
    for (member, inputs) in [("plain", 60), ("rainbow", 40), ("rank-based", 40), ("copy-rewarded", 20)] {
        let ended = Ended::of((member != "plain").then_some(member));
        let (name, seeds) = (format!("run_states/{member}"), vec![ended.state.clone()]);
        let target = Target { name: &name, seeds, words: &[], room: 64 << 20, inputs };
        target.run(|input| ended.go_on(input, &ended.part));
    }
}

#[test]
fn parts_of_replays() {
    for (member, inputs) in [("plain", 40), ("rainbow", 40)] {
        let ended = Ended::of((member != "plain").then_some(member));
        let (name, seeds) = (format!("replay_parts/{member}"), vec![ended.part.clone()]);
        let target = Target { name: &name, seeds, words: &[], room: 64 << 20, inputs };
        target.run(|input| ended.go_on(&ended.state, input));
    }
}

/// The files themselves, as they are and with checksums that fit.
#[test]
fn files_of_checkpoints() {
    let ended = Ended::of(None);
    let head = ended.run.join("checkpoints").join(format!("{STEPS:012}.head"));
    let folder = scratch();
    let run = folder.path().join("run");
    copy(&ended.run, &run);
    let checkpoints = run.join("checkpoints");
    fs::remove_dir_all(&checkpoints).expect("a folder");
    fs::create_dir(&checkpoints).expect("a folder");
    let run = RunFolder::open(&run).expect("a run");
    let parts: Vec<PathBuf> =
        Checkpoints::of(&RunFolder::open(&ended.run).expect("a run")).newest_whole().expect("a checkpoint").parts;
    for part in &parts {
        fs::copy(part, checkpoints.join(part.file_name().expect("a name"))).expect("a file");
    }
    let seeds = [&head].into_iter().chain(&parts).map(|path| fs::read(path).expect("a file"));
    let seeds: Vec<Vec<u8>> = seeds.filter(|bytes| bytes.len() < 1 << 16).collect();
    let read = |input: &[u8]| -> Answer {
        // A part has no other form than a head.
        let path = checkpoints.join("fuzz.part");
        fs::write(&path, input).expect("a file");
        let part = read_part(&path);
        fs::remove_file(&path).expect("a file");
        fs::write(checkpoints.join("000000000150.head"), input).expect("a file");
        let head = Checkpoints::of(&run).newest_whole().map(drop).map_err(|error| words_of(&error));
        let outside = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(outside, 1, "something was written outside the run");
        part.and(head.or(Ok(())))
    };
    // One block of a megabyte can come from 4 kB.
    Target {
        name: "checkpoint_files",
        seeds,
        words: &["../../a", "\"parts\":[\"/tmp/a\"]"],
        room: 64 << 20,
        inputs: 3_000,
    }
    .run(|input| read(input).and(read(&sealed(input))));
}

/// The file with checksums that fit its blocks, as far as it has any.
fn sealed(file: &[u8]) -> Vec<u8> {
    /// Magic and format.
    const START: usize = 12;
    /// Of a block, before its checksum.
    const LENGTHS: usize = 8;
    const HEADER: usize = 12;
    let (mut sealed, mut at, mut number) = (file.to_vec(), START, 0_u64);
    while let Some(header) = file.get(at..at + HEADER) {
        let stored = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let Some(block) = file.get(at + HEADER..).and_then(|rest| rest.get(..stored)) else { break };
        let checksum = crc_32c(&[&number.to_le_bytes(), &header[..LENGTHS], block].concat());
        sealed[at + LENGTHS..at + HEADER].copy_from_slice(&checksum.to_le_bytes());
        (at, number) = (at + HEADER + stored, number + 1);
    }
    sealed
}

/// A replay that has been filled, by itself.
#[test]
fn replays() {
    for (name, sampling) in [
        ("replays/uniform", Sampling::Uniform),
        ("replays/proportional", Sampling::Proportional { exponent: 0.6 }),
        ("replays/rank-based", Sampling::RankBased { exponent: 0.7 }),
    ] {
        let observation = ObservationSpec { stack: 2, frame: vec![3], element: Element::U8 };
        let config = ReplayConfig { capacity: 24, streams: 2, observation, n: 2, gamma: 0.9, sampling };
        let seeds = [5, 20, 60].map(|steps| saved(&filled(&config, steps))).to_vec();
        Target { name, seeds, words: &[], room: 64 << 20, inputs: 20_000 }.run(|input| {
            let (head, mut part): (ReplayHead, &[u8]) =
                postcard::take_from_bytes(input).map_err(|error| error.to_string())?;
            let mut loader = ReplayLoader::new(head, &config).map_err(|error| error.to_string())?;
            loader.read(&mut part).map_err(|error| error.to_string())?;
            let mut replay = loader.finish().map_err(|error| error.to_string())?;
            assert_eq!(replay.check_valid(), Ok(()));
            // It is one to learn from, and one to go on with.
            let mut batch = Batch::new(4, config.observation.bytes());
            let mut generator = Seed(1).generator();
            for _ in 0..3 {
                if !replay.is_empty() {
                    replay.sample_into(&mut batch, 0.5, &mut generator);
                    replay.update_priorities(&batch.ids, &[0.5; 4]);
                }
                (0..config.streams).for_each(|stream| play(&mut replay, stream, 6));
                assert_eq!(replay.check_valid(), Ok(()));
            }
            Ok(())
        });
    }
}

fn filled(config: &ReplayConfig, steps: usize) -> Replay {
    let mut replay = Replay::new(config.clone()).expect("a configuration");
    (0..steps.div_ceil(5)).for_each(|game| play(&mut replay, game % config.streams, 5));
    replay
}

/// A game of so many steps.
fn play(replay: &mut Replay, stream: usize, steps: u8) {
    replay.begin(stream, &[0, 0, 0, 1, 1, 1]);
    for step in 0..steps {
        let game = if step + 1 == steps { Game::Over } else { Game::Running };
        let (old, new) = (step + 1, step + 2);
        let time_step = TimeStep::after_action(f32::from(step), game);
        replay.add(stream, 1, &time_step, &[old, old, old, new, new, new]).expect("a shifted stack");
    }
}

/// Head and one part.
fn saved(replay: &Replay) -> Vec<u8> {
    let mut bytes = postcard::to_stdvec(&replay.head()).expect("plain data");
    replay.part_after(&ReplayExtent::default()).write_to(&mut bytes).expect("memory");
    bytes
}
