//! Replay of 84x84x4 observations: bytes per transition, and the time to add one and to sample a batch.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use prism_algorithms::{Batch, Replay, ReplayConfig};
use prism_environment::{Element, ObservationSpec, Seed, StepType, TimeStep};

const TRANSITIONS: usize = 100_000;
const STREAMS: usize = 8;
/// Pong games take about this many agent steps.
const EPISODE: usize = 1_000;

/// What feeds one stream: frames that differ from each other, and say where they come from.
struct Feed {
    stream: usize,
    steps: usize,
    stacked: Vec<u8>,
    frame_bytes: usize,
}

impl Feed {
    /// The value of every byte of the frame that came with a step: never 0, the value of missing frames.
    fn shade(stream: usize, step: usize) -> u8 {
        1 + ((stream * 31 + step) % 251) as u8
    }

    fn step(&mut self, replay: &mut Replay) {
        let shade = Self::shade(self.stream, self.steps);
        if self.steps.is_multiple_of(EPISODE) {
            self.stacked.fill(0);
        } else {
            self.stacked.copy_within(self.frame_bytes.., 0);
        }
        let newest = self.stacked.len() - self.frame_bytes;
        self.stacked[newest..].fill(shade);
        if self.steps.is_multiple_of(EPISODE) {
            replay.begin(self.stream, &self.stacked);
        } else {
            let (step_type, discount) =
                if self.steps % EPISODE == EPISODE - 1 { (StepType::Last, 0.0) } else { (StepType::Mid, 1.0) };
            let time_step = TimeStep { step_type, discount, reward: f32::from(shade), ..TimeStep::first(0) };
            replay.add(self.stream, self.steps % 18, &time_step, &self.stacked);
        }
        self.steps += 1;
    }
}

/// A full replay whose ring has gone round, and what feeds it.
fn filled() -> (Replay, Vec<Feed>) {
    let observation = ObservationSpec { stack: 4, frame: vec![84, 84], element: Element::U8 };
    let (bytes, frame_bytes) = (observation.bytes(), observation.frame_bytes());
    let config = ReplayConfig { capacity: TRANSITIONS, streams: STREAMS, observation, n: 3, gamma: 0.99 };
    let mut replay = Replay::new(config).expect("the configuration is valid");
    let feed = |stream| Feed { stream, steps: 0, stacked: vec![0; bytes], frame_bytes };
    let mut feeds: Vec<_> = (0..STREAMS).map(feed).collect();
    for _ in 0..TRANSITIONS * 5 / 4 / STREAMS {
        feeds.iter_mut().for_each(|feed| feed.step(&mut replay));
    }
    (replay, feeds)
}

/// Each sampled observation must be a run of frames as they were fed, and the reward that of the frame after `s`.
fn assert_answer(batch: &Batch, frame_bytes: usize) {
    let stacks =
        batch.observations.chunks_exact(4 * frame_bytes).zip(batch.next_observations.chunks_exact(4 * frame_bytes));
    for (i, (observation, next_observation)) in stacks.enumerate() {
        let shades = |stack: &[u8]| -> Vec<u8> {
            let uniform = |frame: &[u8]| frame.iter().all(|&byte| byte == frame[0]).then_some(frame[0]);
            stack.chunks_exact(frame_bytes).map(|frame| uniform(frame).expect("a frame is of one shade")).collect()
        };
        let (now, next) = (shades(observation), shades(next_observation));
        let after = |shade: u8| shade % 251 + 1;
        for stack in [&now, &next] {
            assert!(stack.windows(2).all(|pair| pair[0] == 0 || pair[1] == after(pair[0])), "{stack:?}");
        }
        // From the newest frame of s: its successors' shades are the rewards on the way to s'.
        let (mut shade, mut expected, mut discount, mut steps) = (now[3], 0.0, 1.0, 0);
        while shade != next[3] {
            shade = after(shade);
            expected += discount * f64::from(shade);
            discount *= 0.99;
            steps += 1;
        }
        assert!((1..=3).contains(&steps), "{now:?} -> {next:?}");
        assert!((f64::from(batch.returns[i]) - expected).abs() < 1e-3, "return {} not {expected}", batch.returns[i]);
    }
}

fn replay(criterion: &mut Criterion) {
    let (mut replay, mut feeds) = filled();
    let (bytes, frame_bytes) = (replay.config().observation.bytes(), replay.config().observation.frame_bytes());
    let per_transition = replay.memory_bytes() as f64 / replay.len() as f64;
    println!("replay: {} transitions from {STREAMS} streams, {per_transition:.0} bytes each", replay.len());
    assert_eq!(replay.len(), TRANSITIONS);
    assert!(per_transition <= 7_300.0, "{per_transition} bytes per transition are more than was promised");

    let mut generator = Seed(1).generator();
    let mut group = criterion.benchmark_group("replay/sample");
    for size in [32, 256] {
        let mut batch = Batch::new(size, bytes);
        replay.sample_into(&mut batch, &mut generator);
        assert_answer(&batch, frame_bytes);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| {
                replay.sample_into(&mut batch, &mut generator);
                black_box(&batch);
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("replay/add");
    group.throughput(Throughput::Elements(1));
    let mut turn = 0;
    group.bench_function("full", |bencher| {
        bencher.iter(|| {
            feeds[turn % STREAMS].step(&mut replay);
            turn += 1;
        });
    });
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
