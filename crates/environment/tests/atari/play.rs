//! Random play, saved states, seeds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use prism_environment::{
    AtariConfig, AtariEnvironment, AtariOptions, Environment, GAMES, Game, Protocol, RomLibrary, Seed, StepType,
};
use rand::RngExt;

fn environment(options: AtariOptions, seed: u64) -> AtariEnvironment {
    let rom = RomLibrary::locate(None)
        .and_then(|library| library.rom(&options.game))
        .unwrap_or_else(|error| panic!("{error}"));
    let config = AtariConfig::new(options).expect("valid options");
    AtariEnvironment::new(&config, &rom, Seed(seed)).expect("an environment")
}

/// Random play: 60 agent steps a game, or as many as `PRISM_SOAK_STEPS` says.
#[test]
fn every_game_starts_plays_and_ends() {
    let steps: usize = std::env::var("PRISM_SOAK_STEPS").map_or(60, |steps| steps.parse().expect("a number of steps"));
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(game) = GAMES.get(next.fetch_add(1, Ordering::Relaxed)) {
                    soak(game.name, steps);
                }
            });
        }
    });
}

/// Plays to the end of a game by truncation at the least, and checks each step against what must hold in any game.
fn soak(game: &str, steps: usize) {
    let limit = 4 * (steps as u32 * 3 / 4);
    let options = AtariOptions { frame_limit: Some(limit), no_op_max: 8, ..Protocol::Machado.options(game) };
    let mut environment = environment(options, 3);
    let mut observation = vec![0; environment.spec().observation.bytes()];
    let mut generator = Seed(4).generator();
    environment.reset(&mut observation).expect("a start");
    let (mut shown, mut ended, mut frames) = (false, 0, 0);
    for _ in 0..steps {
        let step = environment.step(generator.random_range(0..18), &mut observation).expect("a step");
        frames += step.frames;
        shown |= observation.iter().any(|byte| *byte > 0);
        assert!((1..=4).contains(&step.frames), "{game}: {step:?}");
        assert_eq!(step.step_type == StepType::Last, step.game != Game::Running, "{game}: {step:?}");
        assert_eq!(step.discount == 0.0, step.game == Game::Over, "{game}: {step:?}");
        assert_eq!(step.game == Game::Truncated, frames == limit && step.game != Game::Over, "{game}: {step:?}");
        if step.step_type == StepType::Last {
            (ended, frames) = (ended + 1, 0);
            let first = environment.reset(&mut observation).expect("a start");
            assert_eq!(first.step_type, StepType::First);
        }
    }
    assert!(shown, "{game} shows nothing");
    assert!(ended > 0, "{game} does not end");
}

#[test]
fn a_restored_environment_goes_on_as_the_saved_one() {
    for game in ["pong", "breakout", "seaquest", "air_raid"] {
        let options = AtariOptions { no_op_max: 30, ..Protocol::Dopamine.options(game) };
        let mut first = environment(options.clone(), 1);
        let mut second = environment(options, 2);
        let mut observation = vec![0; first.spec().observation.bytes()];
        let mut expected = observation.clone();
        let actions = first.spec().actions.len();
        first.reset(&mut expected).expect("a start");
        for index in 0..100 {
            if first.step(index * 7 % actions, &mut expected).expect("a step").step_type == StepType::Last {
                first.reset(&mut expected).expect("a start");
            }
        }
        second.load_state(&first.save_state().expect("a state")).expect("the same game");
        for index in 0..400 {
            let a = first.step(index * 5 % actions, &mut expected).expect("a step");
            let b = second.step(index * 5 % actions, &mut observation).expect("a step");
            assert_eq!(a, b, "{game}: step {index}");
            assert!(observation == expected, "{game}: step {index}");
            // A reset of its own now and then: the no-op start must be the same as well.
            if a.step_type == StepType::Last || index % 150 == 149 {
                first.reset(&mut expected).expect("a start");
                second.reset(&mut observation).expect("a start");
                assert!(observation == expected, "{game}: reset after step {index}");
            }
        }
    }
}

#[test]
fn equal_seeds_give_equal_games_and_other_seeds_others() {
    let play = |seed| {
        let mut environment = environment(Protocol::Dopamine.options("space_invaders"), seed);
        let mut observation = vec![0; environment.spec().observation.bytes()];
        environment.reset(&mut observation).expect("a start");
        for index in 0..150 {
            environment.step(index % 6, &mut observation).expect("a step");
        }
        observation
    };
    assert!(play(1) == play(1));
    assert!(play(1) != play(2));
}

#[test]
fn a_rom_of_another_game_is_refused() {
    let rom =
        RomLibrary::locate(None).and_then(|library| library.rom("pong")).unwrap_or_else(|error| panic!("{error}"));
    let config = AtariConfig::from_protocol("breakout", Protocol::Deepmind).expect("a game");
    let error = AtariEnvironment::new(&config, &rom, Seed(1)).map(|_| ()).expect_err("another game");
    assert_eq!(error.to_string(), "cannot play breakout with the ROM of pong");
}
