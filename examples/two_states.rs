//! Learns distributions of returns for two fixed states, the toy problem of "Deep Reinforcement Learning in Action" (Zai
//! and Brown 2020, chapter 7): two random observations, one action each, rewards 0 and 8 with noise.
//!
//! ```text
//! cargo run --release --example two_states -- projection
//! cargo run --release --example two_states -- neighbour-spreading
//! ```
//!
//! It writes `two-states-distributions.svg`, the predicted distributions of every action in both states, and
//! `two-states-targets.svg`, the targets of the last update with their predictions. Only the two actions that are taken
//! learn anything.

use anyhow::{Context, bail};
use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};
use prism_algorithms::{
    Batch, Bootstrap, DistributionTarget, GradientBound, Learner, LearnerConfig, Measure, Objective,
    objective::categorical::distribution_target,
};
use prism_environment::Seed;
use prism_model::{Activation, Adam, Input, InputElement, NetworkConfig, Optimiser, Output, Support, Torso, read};
use prism_report::{Comparison, DistributionRow, distribution_grid, target_and_prediction};
use rand::RngExt;

/// Action and mean reward of each state.
const STATES: [(i32, f32); 2] = [(0, 0.0), (2, 8.0)];
const ACTIONS: usize = 3;
const ELEMENTS: usize = 128;
const UPDATES: u64 = 1_000;
const TARGET_PERIOD: u64 = 75;
/// The chapter's 1e-5 is for plain gradient descent on a sum; Adam's steps do not depend on the gradient's size.
const LEARNING_RATE: f64 = 1e-4;

fn main() -> anyhow::Result<()> {
    let kind = match std::env::args().nth(1).as_deref() {
        None | Some("projection") => DistributionTarget::Projection,
        Some("neighbour-spreading") => DistributionTarget::NeighbourSpreading,
        Some(other) => bail!("unknown target `{other}`: give projection or neighbour-spreading"),
    };
    let device = prism_model::open_device("flex")?;
    let support = Support::new(-10.0, 10.0, 51)?;
    let input = Input { shape: vec![ELEMENTS], element: InputElement::F32 };
    let network = NetworkConfig {
        activation: Activation::Selu,
        output: Output::Distribution(support),
        ..NetworkConfig::dqn(input.clone(), ACTIONS, Torso::Mlp { hidden: vec![100, 25] })
    };
    let config = LearnerConfig {
        objective: Objective::Categorical { target: kind, support },
        bootstrap: Bootstrap::Max,
        optimiser: Optimiser::Adam(Adam { learning_rate: LEARNING_RATE, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }),
        gradient_bound: GradientBound::None,
        priorities: None,
    };
    let mut learner = Learner::new(config, network, Seed(1), &device)?;

    let mut generator = Seed(2).generator();
    let observations: Vec<f32> = (0..STATES.len() * ELEMENTS).map(|_| generator.random_range(0.0..0.1)).collect();
    let mut batch = Batch::new(STATES.len(), input.bytes());
    batch.observations.copy_from_slice(bytemuck::cast_slice(&observations));
    batch.next_observations.copy_from_slice(bytemuck::cast_slice(&observations));
    for (taken, (action, _)) in batch.actions.iter_mut().zip(STATES) {
        *taken = action;
    }
    for update in 1..=UPDATES {
        for (return_, (_, reward)) in batch.returns.iter_mut().zip(STATES) {
            *return_ = reward + generator.random_range(-0.1..0.1);
        }
        // The episode ends with the reward: there is nothing to bootstrap from.
        batch.discounts.fill(0.0);
        let result = learner.update(&batch, Measure::Losses).read();
        if update.is_multiple_of(TARGET_PERIOD) {
            learner.replace_target();
        }
        if update.is_multiple_of(200) {
            println!("update {update}: losses {:.3?}, q-values {:.2?}", result.losses, result.q_values);
        }
    }

    let uploaded = input.upload(&batch.observations, &device);
    let logits = learner.online().logits(uploaded);
    let q_values = read(support.mean(softmax(logits.clone(), 2)));
    let probabilities: Vec<Vec<f64>> = read(softmax(logits, 2)).chunks(support.atoms()).map(doubles).collect();
    let title = |state: usize| format!("state {state}, reward {} for action {}", STATES[state].1, STATES[state].0);
    let rows: Vec<DistributionRow> = (0..STATES.len())
        .map(|state| DistributionRow {
            title: format!("state {state}"),
            probabilities: probabilities[state * ACTIONS..][..ACTIONS].to_vec(),
            q_values: doubles(&q_values[state * ACTIONS..][..ACTIONS]),
        })
        .collect();
    let actions: Vec<String> = (0..ACTIONS).map(|action| format!("action {action}")).collect();
    let atoms = doubles(&support.values());
    let picture = distribution_grid("Two states: learned distributions", &atoms, &actions, &rows);
    picture.write("two-states-distributions.svg".as_ref()).context("cannot write the distributions")?;

    let column = |values: &[f32]| Tensor::<1>::from_floats(values, &device);
    let uniform =
        TensorData::new(vec![1.0 / support.atoms() as f32; STATES.len() * support.atoms()], [2, support.atoms()]);
    let targets = distribution_target(
        kind,
        column(&batch.returns),
        column(&batch.discounts),
        Tensor::from_data(uniform, &device),
        &support,
    );
    let targets: Vec<Vec<f64>> = read(targets).chunks(support.atoms()).map(doubles).collect();
    let comparisons: Vec<Comparison> = (0..STATES.len())
        .map(|state| Comparison {
            title: title(state),
            target: targets[state].clone(),
            prediction: rows[state].probabilities[STATES[state].0 as usize].clone(),
        })
        .collect();
    let picture = target_and_prediction("Two states: targets and predictions", &atoms, &comparisons);
    picture.write("two-states-targets.svg".as_ref()).context("cannot write the targets")?;
    println!("the figures are two-states-distributions.svg and two-states-targets.svg");
    Ok(())
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}
