//! Atari through the ALE library: needs the ROM files.
#![cfg(feature = "ale")]

use prism_environment::{AtariConfig, AtariEnvironment, Environment, GAMES, Protocol, RomLibrary, Seed, StepType};

fn library() -> RomLibrary {
    RomLibrary::locate(None).expect("the ROM directories can be read")
}

fn environment(game: &str, protocol: Protocol, seed: u64) -> AtariEnvironment {
    let rom = library().rom(game).unwrap_or_else(|error| panic!("{error}"));
    let config = AtariConfig::from_protocol(game, protocol).expect("a game");
    AtariEnvironment::new(&config, &rom, Seed(seed)).expect("an environment")
}

#[test]
fn every_game_starts_and_plays() {
    for game in &GAMES {
        let mut environment = environment(game.name, Protocol::Cleanrl, 3);
        let mut observation = vec![0; environment.spec().observation.bytes()];
        environment.reset(&mut observation).expect("a start");
        for index in 0..100 {
            let action = index % environment.spec().actions.len();
            let step = environment.step(action, &mut observation).expect("a step");
            if step.step_type == StepType::Last {
                environment.reset(&mut observation).expect("a start");
            }
        }
        assert!(observation.iter().any(|byte| *byte > 0), "{} shows nothing", game.name);
    }
}

#[test]
fn a_restored_environment_goes_on_as_the_saved_one() {
    for game in ["pong", "breakout", "seaquest", "montezuma_revenge"] {
        let mut first = environment(game, Protocol::Dopamine, 1);
        let mut second = environment(game, Protocol::Dopamine, 2);
        let mut observation = vec![0; first.spec().observation.bytes()];
        let mut expected = observation.clone();
        first.reset(&mut observation).expect("a start");
        let actions = first.spec().actions.len();
        for index in 0..300 {
            if first.step(index * 7 % actions, &mut observation).expect("a step").step_type == StepType::Last {
                first.reset(&mut observation).expect("a start");
            }
        }
        let state = first.save_state().expect("a state");
        second.load_state(&state).expect("the same game");
        for index in 0..2000 {
            let a = first.step(index * 5 % actions, &mut expected).expect("a step");
            let b = second.step(index * 5 % actions, &mut observation).expect("a step");
            assert_eq!((a, index), (b, index), "{game}");
            assert!(observation == expected, "{game}: step {index}");
            if a.step_type == StepType::Last {
                first.reset(&mut expected).expect("a start");
                second.reset(&mut observation).expect("a start");
                assert!(observation == expected, "{game}: reset {index}");
            }
        }
    }
}
