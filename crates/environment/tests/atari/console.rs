//! The console in Rust beside ALE: beside the library in this process, and beside what ale-py 0.12 has recorded.

use std::fmt::Write;
use std::fs;
use std::sync::Arc;

use crc32fast::Hasher;
use prism_console::{Atari, Profile, WIDTH, games};
use prism_environment::{
    Action, Ale, Console, ConsoleSettings, Emulator, GAMES, GameInfo, RAM_BYTES, Rom, RomLibrary, Seed, Version,
};
use rand::RngExt;

use crate::golden::golden;

/// Frames in which each game is compared, unless `PRISM_CONSOLE_FRAMES` says how many.
const FRAMES: u32 = 250;

fn frames() -> u32 {
    std::env::var("PRISM_CONSOLE_FRAMES").map_or(FRAMES, |frames| frames.parse().expect("a number of frames"))
}

fn rom(game: &str) -> Rom {
    RomLibrary::locate(None).and_then(|library| library.rom(game)).unwrap_or_else(|error| panic!("{error}"))
}

fn settings(mode: u32, difficulty: u32) -> ConsoleSettings {
    ConsoleSettings { mode, difficulty, seed: Seed(7) }
}

fn console(game: &str) -> Console {
    Console::new(&rom(game), settings(0, 0), Version::Ale2020).expect("a console")
}

/// All that can be seen of a frame.
fn seen(emulator: &dyn Emulator) -> (bool, u32, [u8; RAM_BYTES], Vec<u8>) {
    let (height, width) = emulator.screen_size();
    let (mut ram, mut screen) = ([0; RAM_BYTES], vec![0; height * width]);
    emulator.read_ram(&mut ram);
    emulator.read_screen(&mut screen);
    (emulator.game_over(), emulator.lives(), ram, screen)
}

/// Plays both alike and returns the first frame, of so many, that differs.
fn first_difference(ours: &mut dyn Emulator, theirs: &mut dyn Emulator, frames: u32) -> Option<u32> {
    let actions = theirs.minimal_actions().to_vec();
    if ours.minimal_actions() != actions || seen(ours) != seen(theirs) {
        return Some(0);
    }
    let mut generator = Seed(3).generator();
    let mut held = (Action::Noop, 0);
    for frame in 1..=frames {
        if held.1 == 0 {
            held = (actions[generator.random_range(0..actions.len())], generator.random_range(1..20));
        }
        held.1 -= 1;
        if ours.act(held.0) != theirs.act(held.0) || seen(ours) != seen(theirs) {
            return Some(frame);
        }
        if theirs.game_over() {
            ours.reset();
            theirs.reset();
            if seen(ours) != seen(theirs) {
                return Some(frame);
            }
        }
    }
    None
}

#[test]
fn the_console_equals_the_library_of_2020_frame_by_frame() {
    let mut differ = String::new();
    for game in &GAMES {
        let rom = rom(game.name);
        let mut theirs = Ale::new(&rom, settings(0, 0)).expect("an emulator");
        let mut ours = Console::new(&rom, settings(0, 0), Version::Ale2020).expect("a console");
        if let Some(frame) = first_difference(&mut ours, &mut theirs, frames()) {
            writeln!(differ, "{}: frame {frame}", game.name).unwrap();
        }
    }
    assert!(differ.is_empty(), "these games differ from some frame on:\n{differ}");
}

#[test]
fn modes_and_difficulties_equal_the_library_of_2020() {
    for (game, mode, difficulty) in [
        ("air_raid", 3, 0),
        ("berzerk", 4, 0),
        ("breakout", 12, 1),
        ("double_dunk", 5, 0),
        ("gopher", 2, 1),
        ("jamesbond", 1, 0),
        ("ms_pacman", 2, 0),
        ("space_invaders", 9, 1),
        ("yars_revenge", 32, 0),
    ] {
        let rom = rom(game);
        let mut theirs = Ale::new(&rom, settings(mode, difficulty)).expect("an emulator");
        let mut ours = Console::new(&rom, settings(mode, difficulty), Version::Ale2020).expect("a console");
        assert_eq!(first_difference(&mut ours, &mut theirs, frames()), None, "{game} in mode {mode}");
    }
}

/// Where a line of the recorded file differs, if it does. `benches/peers/console_traces.py` says what a line holds.
fn replay(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split(',').collect();
    let [game, mode, difficulty, policy, frames, start, checkpoints, reset, _] = fields[..] else {
        panic!("a line has nine fields: {line}");
    };
    assert_eq!(policy, "random");
    let profile = Profile::Ale012 { seed: 1 };
    let info = games::find(game, profile).expect("a game of 0.12");
    let mut atari = Atari::new(info, Arc::from(rom(game).bytes()), profile).expect("a console");
    let mut screen = vec![0; atari.height() * WIDTH];
    let mut chain = Hasher::new();
    let mut picture = |chain: &mut Hasher, atari: &Atari| {
        atari.read_picture(&mut screen);
        chain.update(&atari.ram().0);
        chain.update(&screen);
    };
    let differs = |chain: &Hasher, expected: &str| format!("{:08x}", chain.clone().finalize()) != expected;
    picture(&mut chain, &atari);
    if differs(&chain, start) {
        return Some(format!("{game}: start"));
    }
    let mut words = u64::from(crc32fast::hash(format!("{game}/{mode}/{difficulty}/{policy}").as_bytes()));
    let frames: usize = frames.parse().unwrap();
    let checkpoints: Vec<&str> = checkpoints.split(' ').collect();
    let period = frames / checkpoints.len();
    for frame in 1..=frames {
        let chosen = ((split_mix(&mut words) >> 32) * info.actions.len() as u64) >> 32;
        let reward = atari.act(info.actions[chosen as usize]);
        picture(&mut chain, &atari);
        let over = atari.standing().over;
        chain.update(&reward.to_le_bytes());
        chain.update(&atari.standing().lives.to_le_bytes());
        chain.update(&[u8::from(over)]);
        chain.update(&atari.episode_frame_number().to_le_bytes());
        if over {
            atari.reset();
            picture(&mut chain, &atari);
        }
        if frame % period == 0 && differs(&chain, checkpoints[frame / period - 1]) {
            return Some(format!("{game}: by frame {frame}"));
        }
    }
    atari.reset();
    picture(&mut chain, &atari);
    differs(&chain, reset).then(|| format!("{game}: the last reset"))
}

/// The next number of Steele, Lea and Flood's generator.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut word = (*state ^ *state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ word >> 31
}

#[test]
fn the_console_equals_what_ale_0_12_has_recorded() {
    let recorded = fs::read_to_string(golden("console/ale-py-0.12.1.csv")).expect("a recorded file");
    let played = |line: &&str| {
        line.contains(",random,") && line.split(',').next().is_some_and(|game| GameInfo::find(game).is_ok())
    };
    let lines: Vec<&str> = recorded.lines().filter(played).collect();
    assert_eq!(lines.len(), GAMES.len());
    let differ: Vec<String> = lines.into_iter().filter_map(replay).collect();
    assert!(differ.is_empty(), "{differ:#?}");
}

#[test]
fn a_snapshot_in_another_console_goes_on_the_same_screen_included() {
    for game in ["elevator_action", "montezuma_revenge", "pong", "qbert", "robotank", "solaris", "yars_revenge"] {
        let (mut first, mut second) = (console(game), console(game));
        assert_eq!(first_difference(&mut first, &mut console(game), 40), None);
        second.restore(&first.snapshot()).expect("the same game");
        assert!(seen(&first) == seen(&second), "{game}: what is seen at once");
        assert_eq!(first_difference(&mut first, &mut second, 200), None, "{game}");
    }
}

#[test]
fn damaged_and_foreign_snapshots_are_refused() {
    let mut pong = console("pong");
    let good = pong.snapshot();
    let foreign = console("breakout").snapshot();
    for bad in [&good[..good.len() - 1], &good[..5], &[], &foreign[..]] {
        pong.restore(bad).expect_err("no snapshot of this game");
    }
    assert_eq!(pong.snapshot(), good);
}

#[test]
fn modes_and_difficulties_that_a_game_lacks_are_refused() {
    let refused = |mode, difficulty| {
        let console = Console::new(&rom("breakout"), settings(mode, difficulty), Version::Ale2020);
        console.map(|_| ()).expect_err("breakout has none").to_string()
    };
    assert_eq!(refused(1, 0), "breakout has no mode 1: it has 0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44");
    assert_eq!(refused(0, 3), "breakout has no difficulty 3: it has 0, 1");
}
