//! Does it learn? Short, seeded, and each able to fail.

use std::num::{NonZeroU32, NonZeroUsize};

use prism::Ending;
use prism_algorithms::{Actor, Batch, GradientBound, Learner, LearnerConfig, Replay, ReplayConfig, Sampling, TdLoss};
use prism_environment::{Chain, Environment, Seed, StepType, TimeLimit};
use prism_model::{Adam, Input, InputElement, NetworkConfig, Torso};

use crate::support::{preset, train_into};

const STATES: usize = 6;
const GAMMA: f64 = 0.9;

/// Q-values `[states, actions]` learned on a chain from uniformly random actions.
fn chain_values(n: u16, limit: TimeLimit) -> Vec<[f32; 2]> {
    let device = prism_model::open_device("flex").expect("tests are built with flex");
    let seed = Seed(11);
    let mut chain = Chain::new(NonZeroUsize::new(STATES).expect("not 0"), limit, seed.derive("environment", 0));
    let spec = chain.spec().clone();
    let network = NetworkConfig::dqn(
        Input { shape: vec![STATES], element: InputElement::F32 },
        spec.actions.len(),
        Torso::Mlp { hidden: vec![64] },
    );
    let config = LearnerConfig {
        loss: TdLoss::Squared,
        optimiser: Adam { learning_rate: 3e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
        gradient_bound: GradientBound::None,
    };
    let input = network.input.clone();
    let mut learner = Learner::new(config, network, seed.derive("network", 0), &device).expect("a valid network");
    let mut replay = Replay::new(ReplayConfig {
        capacity: 5_000,
        streams: 1,
        observation: spec.observation.clone(),
        n,
        gamma: GAMMA,
        sampling: Sampling::Uniform,
    })
    .expect("a valid replay");

    let mut actor = Actor::new(spec.actions.len(), seed.derive("acting", 0));
    let mut observation = vec![0; spec.observation.bytes()];
    chain.reset(&mut observation).expect("a chain resets");
    replay.begin(0, &observation);
    for _ in 0..5_000 {
        let action = actor.choose(&learner.online(), &input, &observation, 1.0, &device)[0];
        let step = chain.step(action, &mut observation).expect("the action exists");
        replay.add(0, action, &step, &observation);
        if step.step_type == StepType::Last {
            chain.reset(&mut observation).expect("a chain resets");
            replay.begin(0, &observation);
        }
    }
    let mut batch = Batch::new(64, spec.observation.bytes());
    let mut sampling = seed.derive("replay", 0).generator();
    for update in 0..2_500 {
        replay.sample_into(&mut batch, 0.0, &mut sampling);
        learner.update(&batch);
        if update % 50 == 0 {
            learner.replace_target();
        }
    }

    let mut positions = vec![0.0f32; STATES * STATES];
    for state in 0..STATES {
        positions[state * STATES + state] = 1.0;
    }
    let q_values = learner.online().forward(input.upload(bytemuck::cast_slice(&positions), &device));
    let q_values: Vec<f32> = q_values.into_data().try_to_vec().expect("floats");
    q_values.as_chunks::<2>().0.to_vec()
}

fn assert_advance_values(n: u16, limit: TimeLimit, expected: impl Fn(usize) -> f64) {
    for (state, [advance, quit]) in chain_values(n, limit).into_iter().enumerate() {
        let expected = expected(state);
        assert!((f64::from(advance) - expected).abs() < 0.05, "state {state}: advance {advance}, not {expected}");
        assert!(quit.abs() < 0.05, "state {state}: quit {quit}, not 0");
    }
}

/// gamma^m, m steps before the rewarding one.
fn optimal(state: usize) -> f64 {
    GAMMA.powi((STATES - 1 - state) as i32)
}

#[test]
fn one_step_learning_finds_the_optimal_values_of_the_chain() {
    assert_advance_values(1, TimeLimit::None, optimal);
}

#[test]
fn a_time_limit_changes_no_value_because_it_bootstraps() {
    // With a limit of 2 steps, 4 of 6 starts never see the reward: only bootstrapping through the cut carries it back.
    let limit = TimeLimit::Steps(NonZeroU32::new(2).expect("not 0"));
    assert_advance_values(1, limit, optimal);
}

#[test]
fn three_step_learning_finds_its_own_fixed_point() {
    let chain = Chain::new(NonZeroUsize::new(STATES).expect("not 0"), TimeLimit::None, Seed(0));
    let n = NonZeroU32::new(3).expect("not 0");
    assert_advance_values(3, TimeLimit::None, |state| chain.advance_value(state, GAMMA, n, 0.5));
}

#[test]
fn catch_is_learned_from_three_seeds_and_from_several_environments() {
    for (seed, settings) in [(1, &[][..]), (2, &[]), (3, &["environment.count=4"])] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let summary = train_into(&folder.path().join("run"), &preset("catch", settings), seed);
        // The preset stops at a mean of 0.95 over 100 games; 50,000 agent steps are its limit.
        assert_eq!(summary.ending, Ending::Solved, "seed {seed}: mean score {:?}", summary.mean_score);
    }
}
