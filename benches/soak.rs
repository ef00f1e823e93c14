//! Host and device memory over many updates. Fails where either grows.
//!
//! Each turn is what a training loop does: the agent acts in several environments, observes, and makes an update. The
//! network is Rainbow's, on images of 36x36, so that every kind of kernel and layer takes part; replay is full before
//! anything is measured.
//!
//!     cargo bench -p prism-benches --features prism/cuda,prism/wgpu --bench soak
//!
//! `PRISM_SOAK_UPDATES` is the number of updates (100,000), `PRISM_SOAK_DEVICES` a list such as `flex,cuda:0` (every
//! device but software GPUs).

use std::env;
use std::time::Instant;

use prism::bench::{device_memory, resident_memory};
use prism_algorithms::{
    Agent, AgentConfig, Bootstrap, DiagnosticsPlan, DistributionTarget, GradientBound, LearningPlan, LinearSchedule,
    Objective, OptimiserPlan, Prioritization, Priority, PriorityMeasure, ReplayPlan, Sampling,
};
use prism_environment::{AgentSteps, Element, EnvironmentSpec, Generator, ObservationSpec, Seed, StepType, TimeStep};
use prism_model::{
    Activation, Adam, DeviceClass, Layers, NetworkParts, Noise, Optimiser, Scaling, Streams, Support, Torso,
};
use rand::{Rng, RngExt};

const ENVIRONMENTS: usize = 8;
const ACTIONS: usize = 6;
const SIDE: usize = 36;
/// Transitions that replay holds, which the first part fills.
const CAPACITY: usize = 2_000;
/// Lines of the report.
const PARTS: u64 = 20;
/// Growth allowed after the first part, in bytes: allocators fragment memory, but a leak would grow beyond it.
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

/// Memory of the process and of its device, in bytes.
#[derive(Clone, Copy)]
struct Held {
    host: Option<u64>,
    device: Option<u64>,
}

/// Rainbow, with an update after each step of all environments.
fn config() -> AgentConfig {
    let constant = |value| LinearSchedule::new(value, value, AgentSteps(1)).expect("a valid schedule");
    AgentConfig {
        network: NetworkParts {
            scaling: Scaling::Elements,
            torso: Torso::Nature { hidden: 64 },
            activation: Activation::Relu,
            streams: Streams::Dueling,
            layers: Layers::Noisy { noise: Noise::Factorised, sigma: 0.5 },
        },
        exploration: constant(0.0),
        replay: ReplayPlan {
            capacity: CAPACITY,
            warm_up: AgentSteps(500),
            sampling: Sampling::Proportional { exponent: 0.5 },
            prioritization: Some(Prioritization {
                priority: Priority { measure: PriorityMeasure::Loss, offset: 1e-5 },
                importance: constant(0.4),
            }),
        },
        learning: LearningPlan {
            gamma: 0.99,
            n_step: 3,
            batch_size: 32,
            period: AgentSteps(ENVIRONMENTS as u64),
            target_period: AgentSteps(800),
            bootstrap: Bootstrap::Double,
            objective: Objective::Categorical {
                target: DistributionTarget::Projection,
                support: Support::new(-10.0, 10.0, 51).expect("the paper's support"),
            },
        },
        optimiser: OptimiserPlan {
            optimiser: Optimiser::Adam(Adam { learning_rate: 1e-4, beta_1: 0.9, beta_2: 0.999, epsilon: 1.5e-4 }),
            gradient_bound: GradientBound::GlobalNorm(10.0),
        },
        diagnostics: DiagnosticsPlan { record_period: 100, held_out: 0, distributions: None },
    }
}

/// Environments with observations of noise and endless episodes.
struct Snow {
    observations: Vec<u8>,
    bytes: usize,
    generator: Generator,
}

impl Snow {
    fn new(spec: &EnvironmentSpec) -> Self {
        let bytes = spec.observation.bytes();
        Self { observations: vec![0; ENVIRONMENTS * bytes], bytes, generator: Seed(3).generator() }
    }

    /// Shifts every stack by one frame.
    fn step(&mut self) {
        let frame = SIDE * SIDE;
        for observation in self.observations.chunks_exact_mut(self.bytes) {
            observation.copy_within(frame.., 0);
            self.generator.fill_bytes(&mut observation[self.bytes - frame..]);
        }
    }
}

fn soak(name: &str, updates: u64) {
    let choice = prism_model::find_device(name).unwrap_or_else(|error| panic!("{error}"));
    println!("{choice}\n  updates    updates/s   host MiB   device MiB");
    let device = choice.device.open();
    let spec = EnvironmentSpec {
        name: "noise".to_owned(),
        observation: ObservationSpec { stack: 4, frame: vec![SIDE, SIDE], element: Element::U8 },
        actions: (0..ACTIONS).map(|action| action.to_string()).collect(),
    };
    let mut agent = Agent::new(&config(), &spec, ENVIRONMENTS, Seed(1), &device).expect("a valid agent");
    let mut snow = Snow::new(&spec);
    snow.step();
    for (stream, observation) in snow.observations.chunks_exact(snow.bytes).enumerate() {
        agent.begin(stream, observation);
    }
    let mut turn = || {
        let mut policy = agent.policy();
        let actions = policy.act(&snow.observations, agent.position().epsilon);
        agent.retire(policy);
        snow.step();
        for (stream, observation) in snow.observations.chunks_exact(snow.bytes).enumerate() {
            let reward = snow.generator.random_range(-1..=1) as f32;
            let step = TimeStep { step_type: StepType::Mid, reward, ..TimeStep::first(0) };
            agent.observe(stream, actions[stream], &step, observation).expect("observations are shifted by one frame");
        }
        agent.learn().expect("losses are finite");
        agent.position()
    };
    while turn().agent_steps < AgentSteps(CAPACITY as u64 * 2) {}
    let mut held = Vec::new();
    for part in 0..PARTS {
        let start = Instant::now();
        let in_part = updates / PARTS;
        for _ in 0..in_part {
            turn();
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
