//! States of environments, from which they go on.

use std::num::NonZeroUsize;

#[cfg(feature = "ale")]
use prism::{Config, Environments};
use prism_environment::{CartPole, Catch, Chain, Environment, Seed, StepType, TimeLimit, VectorEnvironment};

use super::{Answer, Target, words_of};

/// Every environment here is made like this one.
const SEED: Seed = Seed(1);

/// Plays, from wherever it is.
fn play(environment: &mut dyn Environment, steps: usize) -> Result<(), String> {
    let mut observation = vec![0; environment.spec().observation.bytes()];
    let actions = environment.spec().actions.len();
    for step in 0..steps {
        let played = match environment.step(step % actions, &mut observation) {
            Ok(played) if played.step_type != StepType::Last => continue,
            Ok(_) => environment.reset(&mut observation),
            // Between episodes.
            Err(_) => environment.reset(&mut observation),
        };
        played.map_err(|error| words_of(&error))?;
    }
    Ok(())
}

/// States along some episodes, one of them between two.
fn along(mut environment: Box<dyn Environment>, steps: usize) -> Vec<Vec<u8>> {
    let mut states = Vec::new();
    for _ in 0..6 {
        states.push(environment.save_state().expect("it can be saved"));
        play(environment.as_mut(), steps).expect("it plays");
    }
    states
}

fn fuzz(name: &str, inputs: u64, steps: usize, make: impl Fn() -> Box<dyn Environment>) {
    let (seeds, mut environment) = (along(make(), steps), make());
    Target { name, seeds, words: &[], room: 64 << 20, inputs }.run(|input| -> Answer {
        environment.load_state(input).map_err(|error| words_of(&error))?;
        play(environment.as_mut(), 2 * steps).expect("a state that was loaded is one to go on from");
        Ok(())
    });
}

#[test]
fn states_of_small_environments() {
    let states = NonZeroUsize::new(7).expect("above 0");
    fuzz("states/catch", 10_000, 4, || Box::new(Catch::new(SEED)));
    fuzz("states/chain", 10_000, 4, || Box::new(Chain::new(states, TimeLimit::None, SEED)));
    fuzz("states/cart_pole", 10_000, 9, || Box::new(CartPole::new(SEED)));
}

#[test]
fn states_of_several_environments() {
    let make = || {
        let environments: Vec<Box<dyn Environment>> = (0..3)
            .map(|index| Box::new(Catch::new(SEED.derive("environment", index))) as Box<dyn Environment>)
            .collect();
        VectorEnvironment::new(environments, NonZeroUsize::MIN).expect("one thread")
    };
    let mut environments = make();
    environments.reset().expect("a start");
    let mut seeds = Vec::new();
    for _ in 0..4 {
        environments.step(&[0, 1, 2]).expect("a step");
        seeds.push(environments.save_state().expect("they can be saved"));
    }
    Target { name: "states/several", seeds, words: &[], room: 64 << 20, inputs: 5_000 }.run(|input| {
        environments.load_state(input).map_err(|error| words_of(&error))?;
        environments.reset().expect("a start");
        Ok(())
    });
}

#[test]
#[cfg(feature = "ale")]
fn states_of_atari() {
    let config = Config::preset("pong").expect("a preset");
    let environments = Environments::of(config.environment(), None).expect("the ROM of Pong");
    let mut pong = environments.build(config.environment(), NonZeroUsize::MIN, SEED).expect("an emulator");
    let mut seeds = Vec::new();
    pong.reset().expect("a start");
    for _ in 0..3 {
        seeds.push(pong.save_state().expect("it can be saved"));
        pong.step(&[0]).expect("a step");
    }
    Target { name: "states/atari", seeds, words: &[], room: 64 << 20, inputs: 500 }.run(|input| {
        pong.load_state(input).map_err(|error| words_of(&error))?;
        for _ in 0..3 {
            match pong.step(&[1]) {
                Ok(_) => {}
                Err(_) => drop(pong.reset().expect("a start")),
            }
        }
        Ok(())
    });
}
