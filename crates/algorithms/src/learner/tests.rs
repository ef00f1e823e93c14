use burn::tensor::activation::softmax;
use prism_model::{Adam, Input, InputElement, Layers, Noise, Output, Support, Torso};
use rand::RngExt;

use super::*;
use crate::objective::categorical::DistributionTarget;
use crate::objective::td::TdLoss;

const SIZE: usize = 8;

fn network() -> NetworkConfig {
    let input = Input { shape: vec![3], element: InputElement::F32 };
    NetworkConfig::dqn(input, 2, Torso::Mlp { hidden: vec![16] })
}

fn categorical() -> NetworkConfig {
    NetworkConfig { output: Output::Distribution(support()), ..network() }
}

fn config() -> LearnerConfig {
    LearnerConfig {
        objective: Objective::Td(TdLoss::Squared),
        bootstrap: Bootstrap::Max,
        optimiser: Optimiser::Adam(Adam { learning_rate: 1e-2, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }),
        gradient_bound: GradientBound::None,
        priorities: None,
    }
}

fn support() -> Support {
    Support::new(-2.0, 2.0, 9).expect("a valid support")
}

fn c51() -> LearnerConfig {
    LearnerConfig {
        objective: Objective::Categorical { target: DistributionTarget::Projection, support: support() },
        ..config()
    }
}

fn build(config: LearnerConfig, network: NetworkConfig) -> Learner {
    let device = prism_model::open_device("flex").expect("tests are built with flex");
    Learner::new(config, network, Seed(3), &device).expect("a valid network")
}

fn learner(bound: GradientBound) -> Learner {
    build(LearnerConfig { gradient_bound: bound, ..config() }, network())
}

/// One update and its result.
fn update(learner: &mut Learner, batch: &Batch) -> UpdateResult {
    learner.update(batch, Measure::Losses).read()
}

fn batch(seed: u64) -> Batch {
    let mut rng = Seed(seed).generator();
    let mut floats = || (0..3 * SIZE).map(|_| rng.random_range(-1.0f32..1.0)).collect::<Vec<_>>();
    let mut batch = Batch::new(SIZE, 3 * size_of::<f32>());
    batch.observations = bytemuck::cast_slice(&floats()).to_vec();
    batch.next_observations = bytemuck::cast_slice(&floats()).to_vec();
    batch.actions = (0..SIZE as i32).map(|index| index % 2).collect();
    batch.returns = floats()[..SIZE].to_vec();
    batch.discounts = vec![0.9; SIZE];
    batch
}

fn q_values(learner: &Learner) -> Vec<f32> {
    let observations = learner.network_config.input.upload(&batch(77).observations, &learner.device);
    learner.online().forward(observations).into_data().try_to_vec().expect("floats")
}

#[test]
fn losses_are_those_of_the_documented_target() {
    let mut learner = learner(GradientBound::None);
    let batch = batch(1);
    let values = |network: &QNetwork, observations: &[u8]| -> Vec<f32> {
        let observations = learner.network_config.input.upload(observations, &learner.device);
        network.forward(observations).into_data().try_to_vec().expect("floats")
    };
    let q = values(&learner.online.valid(), &batch.observations);
    let next = values(&learner.target, &batch.next_observations);
    let result = update(&mut learner, &batch);
    for example in 0..SIZE {
        let best = next[2 * example].max(next[2 * example + 1]);
        let chosen = q[2 * example + batch.actions[example] as usize];
        let error = batch.returns[example] + batch.discounts[example] * best - chosen;
        assert!((result.q_values[example] - chosen).abs() < 1e-6);
        assert!((result.losses[example] - error * error).abs() < 1e-5);
    }
}

/// Q-values `[batch][action]` of a network.
fn rows(learner: &Learner, network: &QNetwork, observations: &[u8]) -> Vec<Vec<f32>> {
    let observations = learner.network_config.input.upload(observations, &learner.device);
    prism_model::read(network.forward(observations)).chunks(2).map(<[f32]>::to_vec).collect()
}

fn argmax(row: &[f32]) -> usize {
    usize::from(row[1] > row[0])
}

#[test]
fn a_double_target_takes_the_online_networks_action_and_the_target_networks_value() {
    let mut learner = build(LearnerConfig { bootstrap: Bootstrap::Double, ..config() }, network());
    for step in 0..40 {
        update(&mut learner, &batch(step));
    }
    let batch = batch(1);
    let q = rows(&learner, &learner.online.valid(), &batch.observations);
    let online = rows(&learner, &learner.online.valid(), &batch.next_observations);
    let target = rows(&learner, &learner.target, &batch.next_observations);
    assert!(online.iter().zip(&target).any(|(a, b)| argmax(a) != argmax(b)), "the networks agree: no test");
    let result = update(&mut learner, &batch);
    for example in 0..SIZE {
        let next = target[example][argmax(&online[example])];
        let error = batch.returns[example] + 0.9 * next - q[example][batch.actions[example] as usize];
        assert!((result.losses[example] - error * error).abs() < 1e-5, "example {example}");
    }
}

/// Probabilities `[batch][action][atom]` of a network.
fn distributions(learner: &Learner, network: &QNetwork, observations: &[u8]) -> Vec<Vec<Vec<f64>>> {
    let observations = learner.network_config.input.upload(observations, &learner.device);
    let probabilities = prism_model::read(softmax(network.logits(observations), 2));
    let atoms = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
    probabilities.chunks(2 * 9).map(|actions| actions.chunks(9).map(atoms).collect()).collect()
}

/// Bellemare et al. 2017, algorithm 1, for 9 atoms from -2 to 2.
fn projected(return_: f64, discount: f64, probabilities: &[f64]) -> Vec<f64> {
    let mut target = vec![0.0; 9];
    for (atom, probability) in probabilities.iter().enumerate() {
        let place = ((return_ + discount * (0.5 * atom as f64 - 2.0)).clamp(-2.0, 2.0) + 2.0) / 0.5;
        let (below, share) = (place.floor(), place.fract());
        target[below as usize] += (1.0 - share) * probability;
        if share > 0.0 {
            target[below as usize + 1] += share * probability;
        }
    }
    target
}

#[test]
fn losses_of_distributions_are_those_of_the_documented_target() {
    let mean = |probabilities: &Vec<f64>| -> f64 {
        probabilities.iter().enumerate().map(|(atom, mass)| (0.5 * atom as f64 - 2.0) * mass).sum()
    };
    let best = |actions: &[Vec<f64>]| usize::from(mean(&actions[1]) > mean(&actions[0]));
    for bootstrap in [Bootstrap::Max, Bootstrap::Double] {
        let mut learner = build(LearnerConfig { bootstrap, ..c51() }, categorical());
        for step in 0..40 {
            update(&mut learner, &batch(step));
        }
        let batch = batch(1);
        let now = distributions(&learner, &learner.online.valid(), &batch.observations);
        let online = distributions(&learner, &learner.online.valid(), &batch.next_observations);
        let target = distributions(&learner, &learner.target, &batch.next_observations);
        assert!(online.iter().zip(&target).any(|(a, b)| best(a) != best(b)), "the networks agree: no test");
        let result = update(&mut learner, &batch);
        for example in 0..SIZE {
            let judge = if bootstrap == Bootstrap::Max { &target[example] } else { &online[example] };
            let next = &target[example][best(judge)];
            let wanted = projected(batch.returns[example].into(), 0.9, next);
            let predicted = &now[example][batch.actions[example] as usize];
            let loss: f64 = wanted.iter().zip(predicted).map(|(mass, predicted)| -mass * predicted.ln()).sum();
            assert!((f64::from(result.losses[example]) - loss).abs() < 1e-4, "{bootstrap:?}, example {example}");
            assert!((f64::from(result.q_values[example]) - mean(predicted)).abs() < 1e-5, "{bootstrap:?}");
        }
    }
}

#[test]
fn a_distributional_learner_learns_the_distribution_and_not_only_its_mean() {
    let mut learner = build(c51(), categorical());
    let mut batch = batch(1);
    batch.discounts.fill(0.0);
    // Each observation stands twice in the batch and has two returns, far apart.
    let half = batch.observations.len() / 2;
    let (first, second) = batch.observations.split_at_mut(half);
    second.copy_from_slice(first);
    batch.actions.fill(0);
    batch.returns = [[-1.5; SIZE / 2], [1.5; SIZE / 2]].concat();
    for _ in 0..300 {
        update(&mut learner, &batch);
    }
    let result = update(&mut learner, &batch);
    let observations = learner.network_config.input.upload(&batch.observations, &learner.device);
    let probabilities = prism_model::read(softmax(learner.online().logits(observations), 2));
    // Atoms from -2 to 2 in steps of a half: -1.5 and 1.5 are the second and the last but one.
    for distributions in probabilities.chunks(2 * 9) {
        assert!((distributions[1] - 0.5).abs() < 0.05 && (distributions[7] - 0.5).abs() < 0.05, "{distributions:?}");
    }
    assert!(result.q_values.iter().all(|q_value| q_value.abs() < 0.1), "{:?}", result.q_values);
    // The entropy of a fair coin.
    assert!(result.losses.iter().all(|loss| (loss - 2f32.ln()).abs() < 0.2), "{:?}", result.losses);
}

#[test]
fn priorities_are_losses_or_sizes_of_errors_of_every_objective() {
    let measured = |priorities| {
        let mut learner = build(LearnerConfig { priorities, ..config() }, network());
        update(&mut learner, &batch(1))
    };
    assert_eq!(measured(None).priorities, None);
    let by_loss = measured(Some(PriorityMeasure::Loss));
    assert_eq!(by_loss.priorities.as_ref(), Some(&by_loss.losses));
    let by_error = measured(Some(PriorityMeasure::TdError));
    for (error, loss) in by_error.priorities.expect("errors are wanted").into_iter().zip(by_loss.losses) {
        assert!((error * error - loss).abs() < 1e-5, "an error of {error} has a squared loss of {loss}");
    }

    // Of distributions: the target's mean less the q-value.
    let by_error = LearnerConfig { priorities: Some(PriorityMeasure::TdError), ..c51() };
    let mut learner = build(by_error, categorical());
    let batch = Batch { returns: vec![1.0; SIZE], discounts: vec![0.0; SIZE], ..batch(1) };
    let result = update(&mut learner, &batch);
    for (error, q_value) in result.priorities.expect("errors are wanted").into_iter().zip(result.q_values) {
        assert!((error - (1.0 - q_value).abs()).abs() < 1e-5, "error {error} at q-value {q_value}");
    }
}

#[test]
fn every_update_of_noisy_networks_draws_new_noise_and_acting_has_none() {
    let noisy = NetworkConfig { layers: Layers::Noisy { noise: Noise::Factorised, sigma: 0.5 }, ..network() };
    let sgd = LearnerConfig { optimiser: Optimiser::Sgd { learning_rate: f64::MIN_POSITIVE }, ..config() };
    let mut learner = build(sgd, noisy);
    let before = q_values(&learner);
    let losses: Vec<_> = (0..3).map(|_| update(&mut learner, &batch(1)).losses).collect();
    assert!(losses[0] != losses[1] && losses[1] != losses[2], "equal weights and batches differ by noise alone");
    assert_eq!(q_values(&learner), before);
}

#[test]
fn an_update_is_read_once_and_writes_observations_and_numbers_whatever_it_computes() {
    let mut learner = build(c51(), categorical());
    let (before, writes_before) = (prism_model::reads(), prism_model::writes());
    for step in 0..10 {
        update(&mut learner, &batch(step));
    }
    assert_eq!(prism_model::reads() - before, 10);
    assert_eq!(prism_model::writes() - writes_before, 2 * 10);
    let measured = learner.update(&batch(1), Measure::GradientNorm).read();
    assert_eq!(prism_model::reads() - before, 11);
    assert!(measured.gradient_norm.is_some_and(|norm| norm > 0.0));
}

#[test]
fn the_target_network_changes_only_when_it_is_replaced() {
    let mut learner = learner(GradientBound::None);
    let (batch, same_targets) = (batch(1), |a: &UpdateResult, b: &UpdateResult| {
        let target = |result: &UpdateResult| (result.losses[0].sqrt(), result.q_values[0]);
        // |y - q| and q before and after give y up to the error's sign, which two small steps do not flip.
        let ((error_a, q_a), (error_b, q_b)) = (target(a), target(b));
        ((q_a + error_a) - (q_b + error_b)).abs() < 1e-4 || ((q_a - error_a) - (q_b - error_b)).abs() < 1e-4
    });
    let first = update(&mut learner, &batch);
    let second = update(&mut learner, &batch);
    assert!(same_targets(&first, &second));
    for _ in 0..30 {
        update(&mut learner, &batch);
    }
    let before = update(&mut learner, &batch);
    learner.replace_target();
    let after = update(&mut learner, &batch);
    assert!(!same_targets(&before, &after));
}

#[test]
fn an_importance_weight_of_0_silences_an_example() {
    let (mut silenced, mut absent) = (learner(GradientBound::None), learner(GradientBound::None));
    let mut weighted = batch(1);
    weighted.importance_weights[0] = 0.0;
    let mut replaced = weighted.clone();
    replaced.returns[0] = 1000.0;
    update(&mut silenced, &weighted);
    update(&mut absent, &replaced);
    assert_eq!(q_values(&silenced), q_values(&absent));
    let mut heard = learner(GradientBound::None);
    update(&mut heard, &batch(1));
    assert_ne!(q_values(&silenced), q_values(&heard));
}

#[test]
fn a_bound_on_the_gradient_changes_the_moments_of_a_large_one() {
    // Adam's first step ignores the gradient's size, so the bound shows from the second one on.
    let (mut free, mut bounded) = (learner(GradientBound::None), learner(GradientBound::GlobalNorm(0.01)));
    for step in 0..3 {
        update(&mut free, &batch(step));
        update(&mut bounded, &batch(step));
    }
    assert_ne!(q_values(&free), q_values(&bounded));
}

#[test]
fn a_restored_learner_goes_on_as_the_saved_one() {
    let mut saved = learner(GradientBound::GlobalNorm(1.0));
    for step in 0..5 {
        update(&mut saved, &batch(step));
    }
    let state = saved.state();
    let mut restored = learner(GradientBound::GlobalNorm(1.0));
    restored.restore(&state).expect("the state is whole");
    for step in 5..10 {
        assert_eq!(update(&mut saved, &batch(step)), update(&mut restored, &batch(step)));
    }
    assert_eq!(q_values(&saved), q_values(&restored));
    assert_eq!(restored.updates(), 10);
}

#[test]
fn a_damaged_state_is_refused_and_changes_nothing() {
    let mut learner = learner(GradientBound::None);
    let before = q_values(&learner);
    let mut state = learner.state();
    state.target.truncate(state.target.len() / 2);
    update(&mut learner, &batch(1));
    let after = q_values(&learner);
    learner.restore(&state).expect_err("half a network");
    assert_eq!(q_values(&learner), after);
    assert_ne!(before, after);
}
