//! Work of a replay: batches drawn from it.

use prism_algorithms::{Batch, Replay, ReplayConfig};
use prism_environment::{Seed, StepType, TimeStep};
use rand::RngExt;

use super::networks::atari_observation;
use super::subject::Scheme;
use super::work::{Work, WorkError, WrongResult, check_numbers};

/// Transitions in the replay that is drawn from, which takes 0.73 GB: what the preset `pong` remembers.
pub(super) const TRANSITIONS: usize = 100_000;
/// Games of Pong take about this many agent steps.
const EPISODE: usize = 1_000;
/// Where the presets' importance exponent starts (Schaul et al. 2016).
const IMPORTANCE_EXPONENT: f64 = 0.4;
/// Frames are of one shade each, which rises by 1 from frame to frame through these: never 0, that of missing frames.
const SHADES: usize = 255;
const SEED: Seed = Seed(0);

/// Drawing batches from a replay of `transitions`: ids, importance weights, stacked observations.
pub(super) fn draw(scheme: Scheme, size: usize, transitions: usize) -> Result<Work, WorkError> {
    let replay = filled(scheme, transitions)?;
    let mut batch = Batch::new(size, atari_observation().bytes());
    let mut generator = SEED.derive("replay", 0).generator();
    replay.sample_into(&mut batch, IMPORTANCE_EXPONENT, &mut generator);
    check(&batch)?;
    Ok(Work::of_batches(move |operations| {
        for _ in 0..operations {
            replay.sample_into(&mut batch, IMPORTANCE_EXPONENT, &mut generator);
        }
        Ok(())
    }))
}

/// A full replay of one environment; priorities, where it has any, are random.
fn filled(scheme: Scheme, transitions: usize) -> Result<Replay, WorkError> {
    let config = scheme.agent().config()?;
    let sampling = config.agent().replay.sampling;
    assert!(scheme.is(sampling), "the preset draws otherwise: {sampling:?}");
    let observation = atari_observation();
    let (bytes, frame_bytes) = (observation.bytes(), observation.frame_bytes());
    let mut replay = Replay::new(ReplayConfig { capacity: transitions, ..config.agent().replay(&observation, 1) })?;
    let mut stack = vec![0; bytes];
    let mut step = 0;
    while replay.len() < transitions {
        let in_episode = step % EPISODE;
        if in_episode == 0 {
            stack.fill(0);
        } else {
            stack.copy_within(frame_bytes.., 0);
        }
        let shade = 1 + step % SHADES;
        stack[bytes - frame_bytes..].fill(shade as u8);
        if in_episode == 0 {
            replay.begin(0, &stack);
        } else {
            let (step_type, discount) =
                if in_episode == EPISODE - 1 { (StepType::Last, 0.0) } else { (StepType::Mid, 1.0) };
            let time_step = TimeStep { step_type, discount, reward: 1.0, ..TimeStep::first(0) };
            replay.add(0, step % 6, &time_step, &stack).expect("frames are shifted by one");
        }
        step += 1;
    }
    let mut generator = SEED.derive("priorities", 0).generator();
    let living = replay.living();
    let ids: Vec<_> = (living.start.0..living.end.0).map(prism_algorithms::TransitionId).collect();
    let priorities: Vec<f32> = ids.iter().map(|_| generator.random_range(0.01..10.0)).collect();
    replay.update_priorities(&ids, &priorities);
    Ok(replay)
}

/// Stacks must be runs of rising shades, and the largest importance weight 1.
fn check(batch: &Batch) -> Result<(), WrongResult> {
    check_numbers("returns of a batch", &batch.returns, batch.size())?;
    let frame_bytes = atari_observation().frame_bytes();
    for stack in batch.observations.chunks_exact(atari_observation().bytes()) {
        let shades: Vec<u8> = stack.chunks_exact(frame_bytes).map(|frame| frame[0]).collect();
        let rises = |pair: &[u8]| pair[0] == 0 || usize::from(pair[1]) == usize::from(pair[0]) % SHADES + 1;
        let of_one_shade = stack.chunks_exact(frame_bytes).all(|frame| frame.iter().all(|&byte| byte == frame[0]));
        if !of_one_shade || shades[3] == 0 || !shades.windows(2).all(rises) {
            let found = format!("frames that begin with {shades:?}");
            return Err(WrongResult { what: "a sampled stack", found, expected: "rising shades".to_owned() });
        }
    }
    let largest = batch.importance_weights.iter().copied().fold(0.0, f32::max);
    if largest != 1.0 {
        let expected = "1".to_owned();
        return Err(WrongResult { what: "the largest importance weight", found: largest.to_string(), expected });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_a_small_replay_are_drawn_and_checked() {
        for scheme in [Scheme::Uniform, Scheme::Proportional] {
            let mut work = draw(scheme, 16, 1_500).unwrap();
            (work.run)(3).unwrap();
            assert_eq!(work.units, 1);
        }
    }

    #[test]
    fn a_stack_that_is_no_run_of_frames_is_told() {
        let replay = filled(Scheme::Proportional, 1_200).unwrap();
        assert_eq!(replay.len(), 1_200);
        let mut batch = Batch::new(8, atari_observation().bytes());
        replay.sample_into(&mut batch, IMPORTANCE_EXPONENT, &mut SEED.generator());
        check(&batch).unwrap();
        let spread = replay.priority_spread().expect("priorities");
        assert!(spread.min < 1.0 && spread.max > 9.0, "{spread:?}");
        let newest = batch.observations.len() - 1;
        batch.observations[newest] ^= 1;
        let message = check(&batch).unwrap_err().to_string();
        assert!(message.contains("a sampled stack"), "{message}");
    }
}
