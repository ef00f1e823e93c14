//! Each device of this machine computes what Flex, the reference, computes.

use std::io::Write;
use std::num::NonZeroUsize;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use prism::{Ending, Environments, Place, Run};
use prism_algorithms::{
    Batch, Bootstrap, DistributionTarget, GradientBound, Learner, LearnerConfig, Measure, Objective, TdLoss,
    UpdateResult,
};
use prism_environment::Seed;
use prism_model::{
    Adam, DeviceClass, Input, InputElement, Layers, NetworkConfig, Noise, Optimiser, Output, PresentDevice, QNetwork,
    RmsProp, Streams, Support, Torso,
};
use rand::RngExt;

use crate::support::preset;

const BATCH: usize = 8;

/// Every device but the reference. If there is none, a line on standard error says so, written directly because the test
/// runner hides what passing tests print; with `PRISM_REQUIRE_GRAPHICS` set the test fails.
fn others(test: &str) -> Vec<PresentDevice> {
    let others: Vec<_> = prism_model::present_devices().into_iter().filter(|device| device.name != "flex").collect();
    if others.is_empty() {
        let missing = format!("{test}: SKIPPED, this machine and build have no device beside flex (prism devices)\n");
        assert!(std::env::var_os("PRISM_REQUIRE_GRAPHICS").is_none(), "{missing}");
        std::io::stderr().write_all(missing.as_bytes()).expect("standard error is open");
    }
    others
}

fn adam(learning_rate: f64) -> Optimiser {
    Optimiser::Adam(Adam { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon: 1.5e-4 })
}

/// Agents that together use every kernel and every kind of layer, loss and optimiser. Images have the size of Atari's, or
/// the smallest that the torso takes on a software GPU.
fn agents(device: &PresentDevice) -> [(&'static str, NetworkConfig, LearnerConfig); 5] {
    let side = if device.class == DeviceClass::SoftwareGpu { 36 } else { 84 };
    let input = Input { shape: vec![4, side, side], element: InputElement::U8 };
    let network = NetworkConfig::dqn(input, 6, Torso::Nature { hidden: 64 });
    let support = Support::new(-10.0, 10.0, 51).expect("a valid support");
    let c51 = NetworkConfig { output: Output::Distribution(support), ..network.clone() };
    let rainbow = NetworkConfig {
        streams: Streams::Dueling,
        layers: Layers::Noisy { noise: Noise::Factorised, sigma: 0.5 },
        ..c51.clone()
    };
    // Small, because devices tune kernels for each of its many shapes.
    let impala = NetworkConfig {
        input: Input { shape: vec![4, 22, 21], ..network.input.clone() },
        torso: Torso::Impala { channels: vec![8, 16], hidden: vec![32] },
        ..network.clone()
    };
    let quantiles = NonZeroUsize::new(21).expect("not 0");
    let qr_dqn = NetworkConfig { output: Output::Quantiles { count: quantiles }, ..network.clone() };
    let learner = |objective, bootstrap, optimiser, gradient_bound| LearnerConfig {
        objective,
        bootstrap,
        optimiser,
        gradient_bound,
        priorities: None,
    };
    let cross_entropy = Objective::Categorical { target: DistributionTarget::Projection, support };
    let quantile = Objective::Quantile { quantiles, kappa: 1.0 };
    let rms_prop = Optimiser::RmsProp(RmsProp { learning_rate: 2.5e-4, decay: 0.95, epsilon: 1e-2 });
    [
        ("DQN", network, learner(Objective::Td(TdLoss::Huber), Bootstrap::Max, rms_prop, GradientBound::None)),
        ("C51", c51, learner(cross_entropy, Bootstrap::Max, adam(2.5e-4), GradientBound::GlobalNorm(10.0))),
        ("QR-DQN", qr_dqn, learner(quantile, Bootstrap::Max, adam(5e-5), GradientBound::None)),
        ("IMPALA", impala, learner(Objective::Td(TdLoss::Huber), Bootstrap::Max, adam(2.5e-4), GradientBound::None)),
        ("Rainbow", rainbow, learner(cross_entropy, Bootstrap::Double, adam(6.25e-5), GradientBound::GlobalNorm(1.0))),
    ]
}

/// Numbers of environments that act together. Each needs kernels of its own, which a software GPU is slow to compile
/// and tune.
fn batch_sizes(device: &PresentDevice) -> Vec<usize> {
    if device.class == DeviceClass::SoftwareGpu { vec![1, BATCH] } else { vec![1, BATCH, 32] }
}

fn batch(input: &Input, size: usize) -> Batch {
    let mut generator = Seed(3).generator();
    let mut batch = Batch::new(size, input.bytes());
    batch.observations.iter_mut().chain(&mut batch.next_observations).for_each(|byte| *byte = generator.random());
    for example in 0..size {
        batch.actions[example] = generator.random_range(0..6);
        batch.returns[example] = generator.random_range(-1.0..1.0);
        batch.discounts[example] = if example % 3 == 2 { 0.0 } else { 0.97 };
        batch.importance_weights[example] = generator.random_range(0.2..1.0);
    }
    batch
}

/// All values of a network's parameters.
fn parameters(network: &QNetwork) -> Vec<f32> {
    struct Values(Vec<f32>);
    impl ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(prism_model::read(param.val()));
        }
    }
    let mut values = Values(Vec::new());
    network.visit(&mut values);
    values.0
}

/// `usual`, or what products in TF32 can need: on CUDA devices Burn's timing may choose tensor cores, whose factors have
/// significands of 10 bits.
fn tolerance(device: &PresentDevice, usual: f32) -> f32 {
    if device.name.starts_with("cuda") { usual.max(2e-3) } else { usual }
}

/// Checks that two lists differ by at most `tolerance` times the largest magnitude of the first.
#[track_caller]
fn assert_agree(what: &str, reference: &[f32], other: &[f32], tolerance: f32) {
    assert_eq!(reference.len(), other.len(), "{what}");
    let largest = reference.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    assert!(largest > 0.0, "{what}: only zeros agree with anything");
    for (index, (reference, other)) in reference.iter().zip(other).enumerate() {
        let difference = (reference - other).abs();
        assert!(difference <= tolerance * largest, "{what}, {index}: {other} is not {reference} (largest {largest})");
    }
}

#[test]
fn forward_passes_agree_at_every_batch_size_that_acting_uses() {
    for device in others("forward passes agree") {
        for (agent, network, _) in agents(&device) {
            let q_values = |device: &Device, size| {
                let built = network.init(&mut Seed(1).generator(), device).expect("a valid network");
                let observations = batch(&network.input, size).observations;
                prism_model::read(built.forward(network.input.upload(&observations, device)))
            };
            for size in batch_sizes(&device) {
                let reference = q_values(&prism_model::open_device("flex").expect("tests are built with flex"), size);
                let what = format!("{agent}, {} observations on {}", size, device.name);
                assert_agree(&what, &reference, &q_values(&device.open(), size), tolerance(&device, 1e-4));
            }
        }
    }
}

#[test]
fn losses_and_gradients_agree() {
    for device in others("losses and gradients agree") {
        for (agent, network, config) in agents(&device) {
            // The change of one step of plain gradient descent is proportional to the gradient.
            let config = LearnerConfig { optimiser: Optimiser::Sgd { learning_rate: 1.0 }, ..config };
            let run = |device: &Device| -> (UpdateResult, Vec<f32>) {
                let mut learner = Learner::new(config, network.clone(), Seed(1), device).expect("a valid learner");
                let before = parameters(&learner.online());
                let result = learner.update(&batch(&network.input, BATCH), Measure::GradientNorm).read();
                let after = parameters(&learner.online());
                (result, before.iter().zip(after).map(|(before, after)| before - after).collect())
            };
            let (reference, gradient) = run(&prism_model::open_device("flex").expect("tests are built with flex"));
            let (other, other_gradient) = run(&device.open());
            let what = |part: &str| format!("{part} of {agent} on {}", device.name);
            assert_agree(&what("losses"), &reference.losses, &other.losses, tolerance(&device, 1e-4));
            assert_agree(&what("q-values"), &reference.q_values, &other.q_values, tolerance(&device, 1e-4));
            let norm = |result: UpdateResult| [result.gradient_norm.expect("it was measured")];
            assert_agree(&what("gradient norm"), &norm(reference), &norm(other), tolerance(&device, 1e-3));
            // The gradient is computed from a difference of weights, which loses some digits.
            assert_agree(&what("gradient"), &gradient, &other_gradient, tolerance(&device, 1e-3));
        }
    }
}

#[test]
fn ten_updates_agree() {
    for device in others("ten updates agree") {
        for (agent, network, config) in agents(&device) {
            let batch = batch(&network.input, BATCH);
            let run = |device: &Device| -> Vec<Vec<f32>> {
                let mut learner = Learner::new(config, network.clone(), Seed(1), device).expect("a valid learner");
                let losses = (0..10).map(|_| learner.update(&batch, Measure::Losses).read().losses).collect();
                learner.replace_target();
                losses
            };
            let reference = run(&prism_model::open_device("flex").expect("tests are built with flex"));
            for (update, (reference, other)) in reference.iter().zip(run(&device.open())).enumerate() {
                let what = format!("losses of update {update} of {agent} on {}", device.name);
                assert_agree(&what, reference, &other, 5e-3);
            }
        }
    }
}

#[test]
fn catch_is_learned_on_every_device() {
    for device in others("catch is learned") {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Few updates, because a software GPU needs tens of milliseconds for one.
        let settings = [
            "learning.period=8",
            "learning.n_step=3",
            "optimiser.learning_rate=4e-3",
            "exploration.epsilon_decay=3000",
            "training.stop_score=0.8",
        ];
        let settings = preset("catch", &settings).with_run(Seed(1), &device.name).expect("it has a name");
        let environments = Environments::of(settings.environment(), None).expect("Catch needs no file");
        let run = Run::new(&settings, environments, Place::At(folder.path().join("run")));
        let summary = run.and_then(Run::go).expect("the run ends by itself");
        assert_eq!(summary.ending, Ending::Solved, "{}: mean score {:?}", device.name, summary.mean_score);
        let log = std::fs::read_to_string(folder.path().join("run/log.txt")).expect("every run writes it");
        assert!(log.contains(&device.name) && log.contains("at their first use"), "nobody is warned: {log}");
    }
}
