//! Preprocessing of real screens, and agent steps of one environment, game by game. Needs the ROM files.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use prism_environment::{
    Action, Ale, AleSettings, AtariConfig, AtariEnvironment, Colour, Emulator, Environment, Preprocessing, Protocol,
    Rom, RomLibrary, Seed, StepType,
};

const GAMES: [&str; 5] = ["pong", "breakout", "seaquest", "montezuma_revenge", "space_invaders"];

fn rom(game: &str) -> Rom {
    RomLibrary::locate(None).and_then(|library| library.rom(game)).unwrap_or_else(|error| panic!("{error}"))
}

/// Two successive screens from within a game.
fn screens(game: &str) -> (Vec<u8>, Vec<u8>, Ale) {
    let settings = AleSettings { mode: 0, difficulty: 0, seed: Seed(1) };
    let mut ale = Ale::new(&rom(game), settings).expect("an emulator");
    let actions = ale.minimal_actions().to_vec();
    for frame in 0..500 {
        ale.act(actions[frame / 8 % actions.len()]);
    }
    let (height, width) = ale.screen_size();
    let (mut previous, mut newest) = (vec![0; height * width], vec![0; height * width]);
    ale.read_screen(&mut previous);
    ale.act(Action::Noop);
    ale.read_screen(&mut newest);
    (newest, previous, ale)
}

fn preprocessing(c: &mut Criterion) {
    let mut group = c.benchmark_group("preprocessing");
    for game in GAMES {
        let (newest, previous, ale) = screens(game);
        for (name, colour) in [("grey", Colour::Grey), ("rgb", Colour::Rgb)] {
            let mut preprocessing = Preprocessing::new(ale.palette(), ale.screen_size(), colour, (84, 84));
            let mut frame = vec![0; preprocessing.frame_bytes()];
            preprocessing.process(&newest, Some(&previous), &mut frame);
            assert!(frame.iter().any(|value| *value > 0), "{game} shows something");
            group.bench_function(BenchmarkId::new(name, game), |b| {
                b.iter(|| preprocessing.process(black_box(&newest), Some(black_box(&previous)), &mut frame));
            });
        }
        let mut screen = newest.clone();
        group.bench_function(BenchmarkId::new("read_screen", game), |b| {
            b.iter(|| ale.read_screen(black_box(&mut screen)))
        });
    }
    // No two rows alike, no two screens alike: nothing to be saved.
    let noise: Vec<u8> = (0..2 * 210 * 160u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 & 0xfe).collect();
    let (newest, previous) = noise.split_at(210 * 160);
    let mut preprocessing = Preprocessing::new(prism_environment::Palette::NTSC, (210, 160), Colour::Grey, (84, 84));
    let mut frame = vec![0; preprocessing.frame_bytes()];
    group.bench_function(BenchmarkId::new("grey", "noise"), |b| {
        b.iter(|| preprocessing.process(black_box(newest), Some(black_box(previous)), &mut frame));
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
            let settings = AleSettings { mode: 0, difficulty: 0, seed: Seed(1) };
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
