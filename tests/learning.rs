//! Does it learn? Short, seeded, and each able to fail.

use std::num::{NonZeroU32, NonZeroUsize};

use prism::Ending;
use prism_algorithms::{
    ActingNoise, Actor, Batch, Bootstrap, GradientBound, Learner, LearnerConfig, Loss, Measure, Replay, ReplayConfig,
    Sampling, TdLoss,
};
use prism_environment::{Chain, Environment, Seed, StepType, TimeLimit};
use prism_model::{Adam, Input, InputElement, NetworkConfig, Optimiser, Torso};
use rand::RngExt;

use crate::support::{preset, rows, train_into};

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
        loss: Loss::Td(TdLoss::Squared),
        bootstrap: Bootstrap::Max,
        optimiser: Optimiser::Adam(Adam { learning_rate: 3e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }),
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

    let mut actor = Actor::new(spec.actions.len(), ActingNoise::Off, seed.derive("acting", 0));
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
        learner.update(&batch, Measure::Losses);
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
    for (seed, settings) in [(1, &[][..]), (2, &[]), (3, &["environment.count=4"]), (4, &["learning.pipeline=true"])] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let summary = train_into(&folder.path().join("run"), &preset("catch", settings), seed);
        // The preset stops at a mean of 0.95 over 100 games; 50,000 agent steps are its limit.
        assert_eq!(summary.ending, Ending::Solved, "seed {seed}: mean score {:?}", summary.mean_score);
    }
}

/// Groups of settings that make each member of the family out of the preset `catch`.
const FAMILY: [(&str, &[&[&str]]); 11] = [
    ("n-step", &[&["learning.n_step=3"]]),
    ("double", &[&["learning.bootstrap=double"]]),
    ("dueling", &[&["network.streams=dueling"]]),
    ("noisy, independent", &[&["network.layers=noisy-independent", "network.sigma=0.017"], NO_EPSILON]),
    ("noisy, factorised", &[FACTORISED, NO_EPSILON]),
    ("proportional", &[&["replay.sampling=proportional"], PRIORITIES]),
    ("rank-based", &[&["replay.sampling=rank-based"], PRIORITIES]),
    ("copy-rewarded", &[&["replay.sampling=copy-rewarded", "replay.copies=5", "replay.copies_above=0"]]),
    ("C51", &[DISTRIBUTION]),
    (
        "the book's combination",
        &[
            &["network.streams=dueling", "replay.sampling=proportional", "learning.n_step=4", "learning.loss=squared"],
            FACTORISED,
            NO_EPSILON,
            PRIORITIES,
        ],
    ),
    (
        "Rainbow",
        &[
            &["network.streams=dueling", "replay.sampling=proportional", "learning.n_step=3"],
            &["learning.bootstrap=double"],
            FACTORISED,
            NO_EPSILON,
            PRIORITIES,
            DISTRIBUTION,
        ],
    ),
];
const FACTORISED: &[&str] = &["network.layers=noisy-factorised", "network.sigma=0.5"];
const NO_EPSILON: &[&str] = &["exploration.epsilon_start=0", "exploration.epsilon_end=0"];
const PRIORITIES: &[&str] = &[
    "replay.priority=loss",
    "replay.priority_offset=1e-5",
    "replay.priority_exponent=0.6",
    "replay.importance_start=0.4",
    "replay.importance_end=1",
    "replay.importance_decay=20000",
];
const DISTRIBUTION: &[&str] = &[
    "network.output=distribution",
    "network.atoms=21",
    "network.v_min=-1.5",
    "network.v_max=1.5",
    "learning.loss=cross-entropy",
    "learning.distribution_target=projection",
];

#[test]
fn catch_is_learned_by_every_member_of_the_family_from_three_seeds() {
    for (name, settings) in FAMILY {
        for seed in 1..=3 {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let summary = train_into(&folder.path().join("run"), &preset("catch", &settings.concat()), seed);
            // As above: the preset stops at a mean of 0.95 over 100 games; 50,000 agent steps are its limit.
            assert_eq!(summary.ending, Ending::Solved, "{name}, seed {seed}: mean score {:?}", summary.mean_score);
        }
    }
}

#[test]
fn the_priorities_of_a_run_follow_its_losses() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = [PRIORITIES, &["replay.sampling=proportional", "training.agent_steps=2500"]].concat();
    train_into(&folder.path().join("run"), &preset("catch", &settings), 1);
    let rows = rows(&folder.path().join("run/train.csv"));
    let last = rows.last().expect("20 rows");
    // Every transition comes with the largest priority seen, at least 1; most losses of Catch are far below that.
    let [min, mean, max] = ["priority_min", "priority_mean", "priority_max"].map(|column| last.number(column));
    assert!(min < 0.01 && mean < 0.5 && max >= mean, "priorities from {min} to {max}, mean {mean}");
    assert!((last.number("importance_exponent") - (0.4 + 0.6 * 2500.0 / 20000.0)).abs() < 0.01);
}

/// Mean q-value of the only action of the first state of a two-state process, learned with a target network that lags
/// behind. The action leads to the second state, where ten actions end the episode with rewards of mean 0 and standard
/// deviation 1: the true value is 0.
fn learned_value_of_a_noisy_choice(bootstrap: Bootstrap) -> f64 {
    const ACTIONS: usize = 10;
    const BATCH: usize = 32;
    let device = prism_model::open_device("flex").expect("tests are built with flex");
    let input = Input { shape: vec![2], element: InputElement::F32 };
    // One linear layer over one-hot states is a table.
    let network = NetworkConfig::dqn(input.clone(), ACTIONS, Torso::Mlp { hidden: vec![] });
    let config = LearnerConfig {
        loss: Loss::Td(TdLoss::Squared),
        bootstrap,
        optimiser: Optimiser::Sgd { learning_rate: 0.5 },
        gradient_bound: GradientBound::None,
    };
    let mut learner = Learner::new(config, network, Seed(1), &device).expect("a valid network");
    let mut generator = Seed(2).generator();
    let states: [&[u8]; 2] = [bytemuck::cast_slice(&[1.0f32, 0.0]), bytemuck::cast_slice(&[0.0f32, 1.0])];
    let mut batch = Batch::new(BATCH, input.bytes());
    let (mut sum, mut count) = (0.0, 0);
    for update in 0..3_000 {
        let places =
            batch.observations.chunks_mut(input.bytes()).zip(batch.next_observations.chunks_mut(input.bytes()));
        for (example, (observation, next_observation)) in places.enumerate() {
            let first = example % 4 == 0;
            observation.copy_from_slice(states[usize::from(!first)]);
            next_observation.copy_from_slice(states[1]);
            batch.actions[example] = if first { 0 } else { generator.random_range(0..ACTIONS as i32) };
            // The sum of three uniform numbers in -1..1 has variance 1.
            let noise: f32 = (0..3).map(|_| generator.random_range(-1.0..1.0)).sum();
            batch.returns[example] = if first { 0.0 } else { noise };
            batch.discounts[example] = if first { 1.0 } else { 0.0 };
        }
        let result = learner.update(&batch, Measure::Losses).read();
        if update % 20 == 0 {
            learner.replace_target();
        }
        if update >= 500 {
            sum += f64::from(result.q_values[0]);
            count += 1;
        }
    }
    sum / f64::from(count)
}

#[test]
fn double_learning_overestimates_less() {
    let plain = learned_value_of_a_noisy_choice(Bootstrap::Max);
    let double = learned_value_of_a_noisy_choice(Bootstrap::Double);
    assert!(plain > 0.2, "the largest of ten noisy estimates is biased upwards, not {plain}");
    assert!(double.abs() < 0.5 * plain, "double: {double}, plain: {plain}");
}
