//! Memory over many updates: host and device memory must not grow. Fails where they do.
//!
//! Each turn is what a training loop does with a device: act on a batch of observations, update from another, read the
//! update before, replace the target network now and then. The network is Rainbow's, on images of 36x36, so that every
//! kind of kernel and layer takes part.
//!
//!     cargo bench --workspace --features cuda,wgpu --bench soak
//!
//! `PRISM_SOAK_UPDATES` is the number of updates (100,000), `PRISM_SOAK_DEVICES` a list such as `flex,cuda:0` (every
//! device but software GPUs).

use std::env;
use std::time::Instant;

use prism::bench::{device_memory, resident_memory};
use prism_algorithms::{
    ActingNoise, Actor, Batch, Bootstrap, DistributionTarget, GradientBound, Learner, LearnerConfig, Loss, Measure,
};
use prism_environment::Seed;
use prism_model::{
    Adam, DeviceClass, Input, InputElement, Layers, NetworkConfig, Noise, Optimiser, Output, Streams, Support, Torso,
};
use rand::RngExt;

const BATCH: usize = 32;
const ACTING: usize = 8;
const ACTIONS: usize = 6;
const TARGET_PERIOD: u64 = 100;
/// Lines of the report.
const PARTS: u64 = 20;
/// What allocators may take and keep after the first part, in bytes: fragments, not a leak, which would go on growing.
const SLACK: u64 = 32 << 20;

fn main() {
    let updates: u64 = env::var("PRISM_SOAK_UPDATES")
        .map_or(100_000, |text| text.parse().expect("PRISM_SOAK_UPDATES is a whole number of updates"));
    assert!(updates >= PARTS, "PRISM_SOAK_UPDATES is at least {PARTS}");
    let devices: Vec<String> = match env::var("PRISM_SOAK_DEVICES") {
        Ok(names) => names.split(',').map(str::to_owned).collect(),
        Err(_) => prism_model::present_devices()
            .into_iter()
            .filter(|device| device.class != DeviceClass::SoftwareGpu)
            .map(|device| device.name)
            .collect(),
    };
    for device in devices {
        soak(&device, updates);
    }
}

/// What a process and its device hold, in bytes.
#[derive(Clone, Copy)]
struct Held {
    host: Option<u64>,
    device: Option<u64>,
}

fn soak(name: &str, updates: u64) {
    let choice = prism_model::find_device(name).unwrap_or_else(|error| panic!("{error}"));
    println!("{choice}\n  updates    updates/s   host MiB   device MiB");
    let device = choice.device.open();
    let input = Input { shape: vec![4, 36, 36], element: InputElement::U8 };
    let network = NetworkConfig {
        streams: Streams::Dueling,
        layers: Layers::Noisy { noise: Noise::Factorised, sigma: 0.5 },
        output: Output::Distribution(Support::new(-10.0, 10.0, 51).expect("the paper's support")),
        ..NetworkConfig::dqn(input.clone(), ACTIONS, Torso::Nature { hidden: 64 })
    };
    let config = LearnerConfig {
        loss: Loss::CrossEntropy(DistributionTarget::Projection),
        bootstrap: Bootstrap::Double,
        optimiser: Optimiser::Adam(Adam { learning_rate: 1e-4, beta_1: 0.9, beta_2: 0.999, epsilon: 1.5e-4 }),
        gradient_bound: GradientBound::GlobalNorm(10.0),
    };
    let mut learner = Learner::new(config, network, Seed(1), &device).expect("a valid learner");
    let mut actor = Actor::new(ACTIONS, ActingNoise::Fresh, Seed(2));
    let mut generator = Seed(3).generator();
    let mut batch = Batch::new(BATCH, input.bytes());
    batch.observations.iter_mut().chain(&mut batch.next_observations).for_each(|byte| *byte = generator.random());
    let mut unread = None;
    let mut held = Vec::new();
    for part in 0..PARTS {
        let start = Instant::now();
        let in_part = updates / PARTS;
        for update in 0..in_part {
            let observations = &batch.observations[..ACTING * input.bytes()];
            actor.choose(&learner.online(), &input, observations, 0.0, &device);
            let output = learner.update(&batch, Measure::Losses);
            if let Some(earlier) = unread.replace(output) {
                assert!(earlier.read().losses.iter().all(|loss| loss.is_finite()), "a loss is not finite");
            }
            if (part * in_part + update).is_multiple_of(TARGET_PERIOD) {
                learner.replace_target();
            }
        }
        let rate = in_part as f64 / start.elapsed().as_secs_f64();
        let now = Held { host: resident_memory(), device: device_memory(&device) };
        let mib = |bytes: Option<u64>| {
            bytes.map_or("-".to_owned(), |bytes| format!("{:.1}", bytes as f64 / (1 << 20) as f64))
        };
        println!("{:>9} {rate:>12.1} {:>10} {:>12}", (part + 1) * in_part, mib(now.host), mib(now.device));
        held.push(now);
    }
    for (what, of) in [("host", (|held| held.host) as fn(Held) -> Option<u64>), ("device", |held| held.device)] {
        // The first part compiles, tunes and fills caches.
        let Some((first, last)) = of(held[1]).zip(of(held[PARTS as usize - 1])) else {
            println!("  {what} memory is not known here");
            continue;
        };
        let grown = last.saturating_sub(first);
        assert!(grown <= SLACK, "{what} memory of {name} grew by {grown} bytes after the first part");
        println!("  {what} memory grew by {:.1} MiB after the first part", grown as f64 / (1 << 20) as f64);
    }
}
