//! Work of networks: forward passes, updates, the projection; on 84x84x4 observations of random bytes, with 6 actions.

use burn::tensor::{Tensor, TensorData};
use prism_algorithms::{ActingNoise, Batch, Learner, Measure, Policy};
use prism_environment::{Element, EnvironmentSpec, Generator, ObservationSpec, Seed};
use prism_model::{Device, NetworkConfig, Support};
use rand::{Rng, RngExt};

use super::subject::Agent;
use super::work::{Work, WorkError, WrongResult, check_numbers};
use crate::config::Config;

/// As many as Pong has.
const ACTIONS: usize = 6;
/// Atoms and ends of C51's support (Bellemare et al. 2017).
const SUPPORT: (f32, f32, usize) = (-10.0, 10.0, 51);
const SEED: Seed = Seed(0);

/// Acting: observations go to the device, the network runs, q-values are read and the best actions taken. Noisy layers
/// draw fresh noise.
pub(super) fn forward(agent: Agent, batch: usize, device: &Device) -> Result<Work, WorkError> {
    let network_config = atari_network(&agent.config()?);
    let network = network_config.init(&mut SEED.derive("network", 0).generator(), device)?;
    let observations = random_bytes(batch * network_config.input.bytes());
    let seed = SEED.derive("acting", 0);
    let mut policy = Policy::new(network, network_config, ActingNoise::Fresh, seed, device.clone());

    check_numbers("q-values", &policy.values(&observations), batch * ACTIONS)?;
    Ok(Work::of_batches(move |operations| {
        for _ in 0..operations {
            policy.act(&observations, 0.0);
        }
        Ok(())
    }))
}

/// Learning as the run loop does it: an update, then the result of the one before is read.
pub(super) fn update(agent: Agent, batch: usize, device: &Device) -> Result<Work, WorkError> {
    let config = agent.config()?;
    let mut learner =
        Learner::new(config.agent().learner(), atari_network(&config), SEED.derive("network", 0), device)?;
    let batch = random_batch(batch, learner.network_config().input.bytes(), &config);

    let result = learner.update(&batch, Measure::Losses).read();
    check_numbers("losses", &result.losses, batch.size())?;
    check_numbers("q-values of a batch", &result.q_values, batch.size())?;
    let mut unread = None;
    Ok(Work::of_batches(move |operations| {
        for _ in 0..operations {
            let output = learner.update(&batch, Measure::Losses);
            if let Some(before) = unread.replace(output) {
                before.read();
            }
        }
        // Its numbers are put together after the optimiser's step, so this waits for the weights too.
        if let Some(last) = unread.take() {
            last.read();
        }
        Ok(())
    }))
}

/// C51's projection of distributions that lie on the device; only the last result is read.
pub(super) fn projection(batch: usize, device: &Device) -> Result<Work, WorkError> {
    let (v_min, v_max, atoms) = SUPPORT;
    let support = Support::new(v_min, v_max, atoms).expect("the paper's support");
    let mut generator = SEED.derive("projection", 0).generator();
    let mut column = |range: std::ops::Range<f32>| {
        let values: Vec<f32> = (0..batch).map(|_| generator.random_range(range.clone())).collect();
        Tensor::<1>::from_data(TensorData::new(values, [batch]), device)
    };
    let (returns, discounts) = (column(-3.0..3.0), column(0.0..1.0));
    let mut probabilities: Vec<f32> = (0..batch * atoms).map(|_| generator.random_range(0.0..1.0)).collect();
    for row in probabilities.chunks_exact_mut(atoms) {
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|probability| *probability /= sum);
    }
    let probabilities = Tensor::<2>::from_data(TensorData::new(probabilities, [batch, atoms]), device);
    let project = move || prism_model::project(returns.clone(), discounts.clone(), probabilities.clone(), &support);

    let projected = prism_model::read(project());
    check_numbers("projected probabilities", &projected, batch * atoms)?;
    check_masses(&projected, atoms)?;
    Ok(Work::of_batches(move |operations| {
        let mut last = project();
        for _ in 1..operations {
            last = project();
        }
        prism_model::read(last);
        Ok(())
    }))
}

/// Each distribution must still add up to 1.
fn check_masses(probabilities: &[f32], atoms: usize) -> Result<(), WrongResult> {
    let masses = probabilities.chunks_exact(atoms).map(|row| row.iter().sum::<f32>());
    match masses.into_iter().find(|mass| (mass - 1.0).abs() > 1e-4) {
        Some(mass) => {
            Err(WrongResult { what: "mass of a projected distribution", found: mass.to_string(), expected: "1".into() })
        }
        None => Ok(()),
    }
}

/// The network of a preset for Atari's observations.
fn atari_network(config: &Config) -> NetworkConfig {
    let spec = EnvironmentSpec {
        name: "benchmark".to_owned(),
        observation: atari_observation(),
        actions: (0..ACTIONS).map(|action| action.to_string()).collect(),
    };
    config.agent().network(&spec)
}

/// Four grey frames of 84x84 bytes.
pub(super) fn atari_observation() -> ObservationSpec {
    ObservationSpec { stack: 4, frame: vec![84, 84], element: Element::U8 }
}

fn random_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    SEED.derive("observations", 0).generator().fill_bytes(&mut bytes);
    bytes
}

/// A batch as the preset's replay would give it: clipped rewards, one transition in sixteen at an ending.
fn random_batch(size: usize, observation_bytes: usize, config: &Config) -> Batch {
    let mut generator: Generator = SEED.derive("batch", 0).generator();
    let mut batch = Batch::new(size, observation_bytes);
    generator.fill_bytes(&mut batch.observations);
    generator.fill_bytes(&mut batch.next_observations);
    let learning = &config.agent().learning;
    let discount = learning.gamma.powi(i32::from(learning.n_step)) as f32;
    for i in 0..size {
        batch.actions[i] = generator.random_range(0..ACTIONS as i32);
        batch.returns[i] = generator.random_range(-1..=1) as f32;
        batch.discounts[i] = if generator.random_bool(1.0 / 16.0) { 0.0 } else { discount };
        batch.importance_weights[i] = generator.random_range(0.5..=1.0);
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_results_are_told() {
        let message = check_numbers("losses", &[1.0, f32::NAN], 2).unwrap_err().to_string();
        assert!(message.contains("losses: NaN, expected only finite numbers"), "{message}");
        let message = check_numbers("losses", &[1.0], 2).unwrap_err().to_string();
        assert!(message.contains("losses: 1 numbers, expected 2"), "{message}");
        check_numbers("losses", &[1.0, 2.0], 2).unwrap();
        let message = check_masses(&[0.5, 0.5, 0.5, 0.25], 2).unwrap_err().to_string();
        assert!(message.contains("0.75, expected 1"), "{message}");
        check_masses(&[0.5, 0.5, 0.25, 0.75], 2).unwrap();
    }

    #[test]
    fn batches_are_those_of_the_preset() {
        let config = Agent::preset("rainbow").config().unwrap();
        let batch = random_batch(256, 28_224, &config);
        let discount = 0.99f64.powi(3) as f32;
        assert!(batch.discounts.iter().all(|&found| found == 0.0 || found == discount), "{:?}", batch.discounts);
        assert!(batch.discounts.contains(&0.0) && batch.discounts.contains(&discount));
        assert!(batch.actions.iter().all(|action| (0..6).contains(action)));
        assert_ne!(batch.observations, batch.next_observations);
    }
}
