//! Replay of 84x84x4 observations: bytes per transition, and the time to add one and to sample a batch. Then sampling by
//! priority and updating priorities among a million transitions with observations of 4 bytes, which take
//! almost no time to copy, compared with a sampler that reads all priorities for each batch; benches/peers/replay.sh adds
//! NumPy's times.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use prism_algorithms::{Batch, Replay, ReplayConfig, Sampling, TransitionId};
use prism_environment::{Element, ObservationSpec, Seed, StepType, TimeStep};

const TRANSITIONS: usize = 100_000;
const STREAMS: usize = 8;
const BATCH_SIZES: [usize; 2] = [32, 256];
/// Capacity of the prioritized replay, as in Schaul et al. 2016.
const PRIORITIZED: usize = 1_000_000;
/// Priority exponent of the proportional variant (Schaul et al. 2016); the importance exponent at the start is also from
/// there.
const PRIORITY_EXPONENT: f64 = 0.6;
const IMPORTANCE_EXPONENT: f64 = 0.4;
/// Pong games take about this many agent steps.
const EPISODE: usize = 1_000;

/// Feeds one stream with frames that differ from each other and tell their position.
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
            replay.add(self.stream, self.steps % 18, &time_step, &self.stacked).expect("frames are shifted by one");
        }
        self.steps += 1;
    }
}

/// A full replay that has evicted transitions, and its feed.
fn filled(sampling: Sampling) -> (Replay, Vec<Feed>) {
    let observation = ObservationSpec { stack: 4, frame: vec![84, 84], element: Element::U8 };
    let (bytes, frame_bytes) = (observation.bytes(), observation.frame_bytes());
    let config = ReplayConfig { capacity: TRANSITIONS, streams: STREAMS, observation, n: 3, gamma: 0.99, sampling };
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
    let proportional = Sampling::Proportional { exponent: PRIORITY_EXPONENT };
    for (name, sampling) in [("uniform", Sampling::Uniform), ("proportional", proportional)] {
        let (mut replay, mut feeds) = filled(sampling);
        let (bytes, frame_bytes) = (replay.config().observation.bytes(), replay.config().observation.frame_bytes());
        let per_transition = replay.memory_bytes() as f64 / replay.len() as f64;
        println!("replay, {name}: {} transitions from {STREAMS} streams, {per_transition:.0} bytes each", replay.len());
        assert_eq!(replay.len(), TRANSITIONS);
        assert!(per_transition <= 7_300.0, "{per_transition} bytes per transition are more than was promised");

        let mut generator = Seed(1).generator();
        let mut group = criterion.benchmark_group("replay/sample");
        for size in BATCH_SIZES {
            let mut batch = Batch::new(size, bytes);
            replay.sample_into(&mut batch, IMPORTANCE_EXPONENT, &mut generator);
            assert_answer(&batch, frame_bytes);
            group.throughput(Throughput::Elements(size as u64));
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| {
                    replay.sample_into(&mut batch, IMPORTANCE_EXPONENT, &mut generator);
                    black_box(&batch);
                });
            });
        }
        group.finish();

        let mut group = criterion.benchmark_group("replay/add");
        group.throughput(Throughput::Elements(1));
        let mut turn = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                feeds[turn % STREAMS].step(&mut replay);
                turn += 1;
            });
        });
        group.finish();
    }
}

/// Proportional sampling that adds up all masses for every batch.
struct Naive {
    masses: Vec<f64>,
}

impl Naive {
    fn sample(&self, generator: &mut SplitMix, ids: &mut [TransitionId], weights: &mut [f32]) {
        let part = self.masses.iter().sum::<f64>() / ids.len() as f64;
        let (mut at, mut sum) = (0, self.masses[0]);
        for (k, (id, weight)) in ids.iter_mut().zip(weights.iter_mut()).enumerate() {
            let target = part * (k as f64 + generator.uniform());
            while sum <= target && at + 1 < self.masses.len() {
                at += 1;
                sum += self.masses[at];
            }
            *id = TransitionId(at as u64);
            *weight = self.masses[at] as f32;
        }
        let least = weights.iter().copied().fold(f32::INFINITY, f32::min);
        for weight in weights {
            *weight = f64::from(least / *weight).powf(IMPORTANCE_EXPONENT) as f32;
        }
    }

    fn update(&mut self, ids: &[TransitionId], priorities: &[f32]) {
        for (id, &priority) in ids.iter().zip(priorities) {
            self.masses[id.0 as usize] = f64::from(priority).powf(PRIORITY_EXPONENT);
        }
    }
}

/// A small generator (Steele, Lea and Flood 2014) for the random numbers that the replay does not draw.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to 1, in steps of 2^-53.
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 * 2f64.powi(-53)
    }

    fn priority(&mut self) -> f32 {
        0.01 + 10.0 * self.uniform() as f32
    }
}

/// Ids and priorities, as a learner would send them.
type Update = (Vec<TransitionId>, Vec<f32>);

/// Updates drawn beforehand, so that drawing is not measured; enough of them to leave the caches.
fn updates(size: usize) -> Vec<Update> {
    let mut generator = SplitMix(2);
    let update = |_| {
        let ids = (0..size).map(|_| TransitionId(generator.next() % PRIORITIZED as u64)).collect();
        (ids, (0..size).map(|_| generator.priority()).collect())
    };
    (0..1024).map(update).collect()
}

/// A replay of a million transitions and the priorities that all of them were given at once.
fn prioritized_replay(sampling: Sampling) -> (Replay, Update) {
    let observation = ObservationSpec { stack: 1, frame: vec![4], element: Element::U8 };
    let config = ReplayConfig { capacity: PRIORITIZED, streams: 1, observation, n: 1, gamma: 0.99, sampling };
    let mut replay = Replay::new(config).expect("the configuration is valid");
    replay.begin(0, &[0; 4]);
    for step in 0..PRIORITIZED as u32 {
        let time_step = TimeStep { step_type: StepType::Mid, reward: 1.0, discount: 1.0, ..TimeStep::first(0) };
        replay.add(0, 0, &time_step, &step.to_le_bytes()).expect("frames are shifted by one");
    }
    let ids: Vec<_> = (0..PRIORITIZED as u64).map(TransitionId).collect();
    let mut generator = SplitMix(3);
    let priorities: Vec<_> = ids.iter().map(|_| generator.priority()).collect();
    replay.update_priorities(&ids, &priorities);
    (replay, (ids, priorities))
}

/// Checks that the k-th of a batch comes from the k-th part of the summed masses and has the formula's weight.
fn assert_draws(masses: &[f64], ids: &[TransitionId], weights: &[f32]) {
    let mut sums = vec![0.0];
    sums.extend(masses.iter().scan(0.0, |sum, mass| {
        *sum += mass;
        Some(*sum)
    }));
    let (part, rounding) = (sums[masses.len()] / ids.len() as f64, 1e-9 * sums[masses.len()]);
    let least = ids.iter().map(|id| masses[id.0 as usize]).fold(f64::INFINITY, f64::min);
    for (k, (id, &weight)) in ids.iter().zip(weights).enumerate() {
        let slot = id.0 as usize;
        assert!(sums[slot] <= part * (k + 1) as f64 + rounding, "draw {k} is {id}");
        assert!(sums[slot + 1] >= part * k as f64 - rounding, "draw {k} is {id}");
        let expected = (least / masses[slot]).powf(IMPORTANCE_EXPONENT);
        assert!((f64::from(weight) - expected).abs() < 1e-5, "{id} weighs {weight}, not {expected}");
    }
}

fn prioritized(criterion: &mut Criterion) {
    let schemes = [
        ("uniform", Sampling::Uniform),
        ("proportional", Sampling::Proportional { exponent: PRIORITY_EXPONENT }),
        ("rank-based", Sampling::RankBased { exponent: PRIORITY_EXPONENT }),
    ];
    for (name, sampling) in schemes {
        let (mut replay, (ids, priorities)) = prioritized_replay(sampling);
        let mut generator = Seed(1).generator();
        match sampling {
            Sampling::Proportional { .. } => {
                let mut naive = Naive { masses: vec![0.0; PRIORITIZED] };
                naive.update(&ids, &priorities);
                for (ids, priorities) in updates(256) {
                    replay.update_priorities(&ids, &priorities);
                    naive.update(&ids, &priorities);
                }
                let mut batch = Batch::new(256, 4);
                replay.sample_into(&mut batch, IMPORTANCE_EXPONENT, &mut generator);
                assert_draws(&naive.masses, &batch.ids, &batch.importance_weights);
                bench_naive(criterion, naive);
            }
            Sampling::RankBased { .. } => {
                // All were updated at once, so ranks are exact, and drawn from the first to the last.
                let mut batch = Batch::new(256, 4);
                replay.sample_into(&mut batch, IMPORTANCE_EXPONENT, &mut generator);
                let drawn = batch.ids.iter().map(|id| priorities[id.0 as usize]);
                assert!(drawn.is_sorted_by(|a, b| a >= b));
            }
            _ => {}
        }
        for size in BATCH_SIZES {
            let mut batch = Batch::new(size, 4);
            criterion.benchmark_group("prioritized/sample").bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| {
                    replay.sample_into(&mut batch, IMPORTANCE_EXPONENT, &mut generator);
                    black_box(&batch);
                });
            });
            if sampling == Sampling::Uniform {
                continue;
            }
            let updates = updates(size);
            let mut turn = updates.iter().cycle();
            criterion.benchmark_group("prioritized/update").bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| {
                    let (ids, priorities) = turn.next().expect("an endless cycle");
                    replay.update_priorities(ids, priorities);
                });
            });
        }
        replay.check_valid().expect("updates leave it valid");
    }
}

fn bench_naive(criterion: &mut Criterion, mut naive: Naive) {
    let mut generator = SplitMix(1);
    for size in BATCH_SIZES {
        let (mut ids, mut weights) = (vec![TransitionId(0); size], vec![0.0; size]);
        naive.sample(&mut generator, &mut ids, &mut weights);
        assert_draws(&naive.masses, &ids, &weights);
        criterion.benchmark_group("prioritized/sample").bench_function(BenchmarkId::new("naive", size), |bencher| {
            bencher.iter(|| {
                naive.sample(&mut generator, &mut ids, &mut weights);
                black_box((&ids, &weights));
            });
        });
        let updates = updates(size);
        let mut turn = updates.iter().cycle();
        criterion.benchmark_group("prioritized/update").bench_function(BenchmarkId::new("naive", size), |bencher| {
            bencher.iter(|| {
                let (ids, priorities) = turn.next().expect("an endless cycle");
                naive.update(ids, priorities);
                black_box(&naive.masses);
            });
        });
    }
}

criterion_group!(benches, replay, prioritized);
criterion_main!(benches);
