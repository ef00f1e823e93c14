//! Preprocessing of real screens, and agent steps of one environment, game by game. Needs the ROM files.
//!
//! `preprocessing` goes through the real screens of 64 agent steps in order, because it is faster where screens do not change.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use prism_environment::{
    Ale, AtariConfig, AtariEnvironment, Colour, ConsoleSettings, Emulator, Environment, Palette, Preprocessing,
    Protocol, Rom, RomLibrary, Seed, StepType,
};

const GAMES: [&str; 5] = ["pong", "breakout", "seaquest", "montezuma_revenge", "space_invaders"];

fn rom(game: &str) -> Rom {
    RomLibrary::locate(None).and_then(|library| library.rom(game)).unwrap_or_else(|error| panic!("{error}"))
}

/// Palette bytes of a screen and of the one before it.
type Screens = (Vec<u8>, Vec<u8>);

/// The last two screens of each of 64 agent steps within a game.
fn screens(game: &str) -> (Vec<Screens>, Ale) {
    let settings = ConsoleSettings { mode: 0, difficulty: 0, seed: Seed(1) };
    let mut ale = Ale::new(&rom(game), settings).expect("an emulator");
    let actions = ale.minimal_actions().to_vec();
    for frame in 0..500 {
        ale.act(actions[frame / 8 % actions.len()]);
    }
    let (height, width) = ale.screen_size();
    let mut screens = Vec::new();
    for step in 0..64 {
        let mut last = [vec![0; height * width], vec![0; height * width]];
        for frame in 0..4 {
            ale.act(actions[step % actions.len()]);
            ale.read_screen(&mut last[frame % 2]);
        }
        let [previous, newest] = last;
        screens.push((newest, previous));
    }
    (screens, ale)
}

fn preprocessing(c: &mut Criterion) {
    let mut group = c.benchmark_group("preprocessing");
    for game in GAMES {
        let (screens, ale) = screens(game);
        for (name, colour) in [("grey", Colour::Grey), ("rgb", Colour::Rgb)] {
            let mut preprocessing = Preprocessing::new(ale.palette(), ale.screen_size(), colour, (84, 84));
            let mut frame = vec![0; preprocessing.frame_bytes()];
            preprocessing.process(&screens[0].0, Some(&screens[0].1), &mut frame);
            assert!(frame.iter().any(|value| *value > 0), "{game} shows something");
            let mut turn = screens.iter().cycle();
            group.bench_function(BenchmarkId::new(name, game), |b| {
                b.iter(|| {
                    let (newest, previous) = turn.next().expect("an endless cycle");
                    preprocessing.process(black_box(newest), Some(black_box(previous)), &mut frame);
                });
            });
        }
        let mut screen = screens[0].0.clone();
        group.bench_function(BenchmarkId::new("read_screen", game), |b| {
            b.iter(|| ale.read_screen(black_box(&mut screen)))
        });
    }
    // The worst case: everything has changed since the frame before, and no two rows are equal.
    let noise: Vec<u8> = (0..3 * 210 * 160u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 & 0xfe).collect();
    let screens: Vec<&[u8]> = noise.chunks_exact(210 * 160).collect();
    let mut preprocessing = Preprocessing::new(Palette::NTSC, (210, 160), Colour::Grey, (84, 84));
    let mut frame = vec![0; preprocessing.frame_bytes()];
    let mut turn = (0..3).cycle();
    group.bench_function(BenchmarkId::new("grey", "noise"), |b| {
        b.iter(|| {
            let turn = turn.next().expect("an endless cycle");
            preprocessing.process(black_box(screens[turn]), Some(black_box(screens[(turn + 1) % 3])), &mut frame);
        });
    });
}

fn agent_steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("agent_step");
    group.throughput(Throughput::Elements(1));
    for game in GAMES {
        let config = AtariConfig::from_protocol(game, Protocol::Deepmind).expect("a game");
        let mut environment = AtariEnvironment::new(&config, &rom(game), Seed(1)).expect("an environment");
        let mut observation = vec![0; environment.spec().observation.bytes()];
        let actions = environment.spec().actions.len();
        environment.reset(&mut observation).expect("a start");
        let mut action = 0;
        group.bench_function(game, |b| {
            b.iter(|| {
                action = (action + 1) % actions;
                let step = environment.step(action, &mut observation).expect("a step");
                assert_eq!(step.raw_reward.fract(), 0.0);
                if step.step_type == StepType::Last {
                    environment.reset(&mut observation).expect("a start");
                }
            });
        });
        group.bench_function(BenchmarkId::new("emulator_only", game), |b| {
            let settings = ConsoleSettings { mode: 0, difficulty: 0, seed: Seed(1) };
            let mut ale = Ale::new(&rom(game), settings).expect("an emulator");
            let actions = ale.minimal_actions().to_vec();
            let mut action = 0;
            b.iter(|| {
                action = (action + 1) % actions.len();
                for _ in 0..4 {
                    ale.act(actions[action]);
                }
                if ale.game_over() {
                    ale.reset();
                }
            });
        });
    }
}

criterion_group!(benches, preprocessing, agent_steps);
criterion_main!(benches);
