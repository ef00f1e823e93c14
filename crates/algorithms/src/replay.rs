//! Replay: it stores transitions and samples batches of them.

mod frame_store;
mod prioritized;
mod rank_heap;
mod sampling;
mod saved;
mod sum_tree;
#[cfg(test)]
mod tests;
mod transition_store;
mod uniform;

use std::ops::Range;

use prism_environment::{Generator, ObservationSpec, StepType, TimeStep};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::frame_store::FrameStore;
use self::prioritized::Prioritized;
pub use self::sampling::{PrioritySpread, Sampling};
pub use self::saved::{ReplayExtent, ReplayHead, ReplayLoader, ReplayPart};
use self::transition_store::{Record, TransitionStore};
use crate::batch::Batch;
use crate::n_step::NStepAccumulator;
use crate::transition::TransitionId;

/// What a [`Replay`] is built from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayConfig {
    /// Transitions it holds at most, over all streams; the oldest leave first.
    pub capacity: usize,
    /// Environments that feed it, each as a stream of its own.
    pub streams: usize,
    /// Shape of the observations. The stack is at most 255 frames.
    pub observation: ObservationSpec,
    /// Agent steps per transition, unless an episode ends before.
    pub n: u16,
    /// Discount per agent step, 0 to 1.
    pub gamma: f64,
    /// How transitions are kept and drawn.
    pub sampling: Sampling,
}

/// Why a replay cannot be built or loaded, or an observation cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A value of the configuration is out of range.
    #[error("replay: {name} is {value}, it must be {expected}")]
    BadConfig {
        /// The field.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Frames are stored once, and this observation has others than the ones before it.
    #[error(
        "environment {stream}: an observation of {stack} frames is not the previous one shifted by one frame (frame {frame}, \
         counted from 0)"
    )]
    NotShifted {
        /// The stream of the observation.
        stream: usize,
        /// A frame that differs, counted from 0.
        frame: usize,
        /// Frames of an observation.
        stack: usize,
    },
    /// A saved replay contradicts itself.
    #[error("this saved replay is damaged: {reason}; start from an older checkpoint or with an empty replay")]
    BadState {
        /// The contradiction.
        reason: String,
    },
}

/// Stores the last transitions of several environments and samples from them.
///
/// Each frame is stored once, as bytes; observations are stacked again when they are sampled. An 84x84x4 transition
/// takes one frame (7,056 bytes), 32 bytes for the rest, and its share of what surrounds it: one more frame per episode,
/// partly filled chunks. Priorities, where the sampling has them, take at most 40 bytes more. Memory is taken as it fills.
///
/// Each environment is a stream: [`begin`](Self::begin) with the first observation of an episode, then
/// [`add`](Self::add) for every agent step. Only complete, valid transitions enter.
#[derive(Debug)]
pub struct Replay {
    config: ReplayConfig,
    streams: Vec<Stream>,
    transitions: TransitionStore,
    frames: FrameStore,
    /// None where draws are uniform.
    prioritized: Option<Prioritized>,
}

/// The running episode of one environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stream {
    accumulator: NStepAccumulator,
    /// Number of the first stored frame of the running episode; the stream's newest frame is the current one.
    episode_start: Option<u64>,
}

impl Replay {
    /// An empty replay.
    ///
    /// # Errors
    /// [`ReplayError::BadConfig`] with the first value that is out of range.
    pub fn new(config: ReplayConfig) -> Result<Self, ReplayError> {
        config.check()?;
        let accumulator = NStepAccumulator::new(config.n, config.gamma);
        Ok(Self {
            streams: vec![Stream { accumulator, episode_start: None }; config.streams],
            transitions: TransitionStore::new(config.capacity),
            frames: FrameStore::new(config.observation.frame_bytes(), config.streams),
            prioritized: Prioritized::new(config.sampling, config.capacity),
            config,
        })
    }

    /// What it was built from.
    pub fn config(&self) -> &ReplayConfig {
        &self.config
    }

    /// How many transitions it holds.
    pub fn len(&self) -> usize {
        self.transitions.records().len()
    }

    /// Whether there is nothing to sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids of the transitions it holds.
    pub fn living(&self) -> Range<TransitionId> {
        self.transitions.living()
    }

    /// Bytes on the heap for frames, transitions and priorities, spare capacity included.
    pub fn memory_bytes(&self) -> usize {
        let priorities = self.prioritized.as_ref().map_or(0, Prioritized::memory_bytes);
        self.frames.memory_bytes() + self.transitions.memory_bytes() + priorities
    }

    /// Starts an episode of a stream with the observation of its reset, newest frame last. Leading frames of
    /// zeros pad the stack at an episode's start and take no memory.
    ///
    /// If the stream's previous episode still runs, it is abandoned: its incomplete transitions are dropped.
    ///
    /// # Panics
    /// When there is no such stream or the observation has the wrong size.
    pub fn begin(&mut self, stream: usize, first_observation: &[u8]) {
        self.check_arguments(stream, first_observation);
        let frame_bytes = self.config.observation.frame_bytes();
        let older_frames = first_observation.len() - frame_bytes;
        let missing_bytes =
            first_observation[..older_frames].iter().position(|&byte| byte != 0).unwrap_or(older_frames);
        let missing_frames = missing_bytes / frame_bytes;
        let start = self.frames.stored(stream).end;
        for frame in first_observation.chunks_exact(frame_bytes).skip(missing_frames) {
            self.frames.push(stream, frame);
        }
        let stream = &mut self.streams[stream];
        stream.accumulator.clear();
        stream.episode_start = Some(start);
    }

    /// Adds one agent step of a stream: the action, the time step that answered it, and the observation that came with
    /// it, newest frame last. A step of type Last ends the episode.
    ///
    /// # Errors
    /// [`ReplayError::NotShifted`] when the observation is not the previous one shifted by one frame; nothing is added then.
    ///
    /// # Panics
    /// When there is no such stream, no episode runs on it, the reward or discount is not finite, or the step is a First.
    pub fn add(
        &mut self,
        stream: usize,
        action: usize,
        step: &TimeStep,
        next_observation: &[u8],
    ) -> Result<(), ReplayError> {
        self.check_arguments(stream, next_observation);
        let TimeStep { reward, discount, .. } = *step;
        assert!(
            reward.is_finite() && discount.is_finite(),
            "stream {stream}: reward {reward} and discount {discount} must be finite"
        );
        let Some(episode_start) = self.streams[stream].episode_start else {
            panic!("stream {stream} has no running episode: call begin first");
        };
        self.check_shifted(stream, episode_start, next_observation)?;

        let action = i32::try_from(action).expect("an action is an index into a short list");
        let newest = next_observation.len() - self.config.observation.frame_bytes();
        let frame = self.frames.push(stream, &next_observation[newest..]);
        for transition in self.streams[stream].accumulator.add(action, step) {
            let frame = frame - u64::from(transition.steps);
            let stored_frames = self.config.stored_frames(episode_start, frame);
            let record = Record { frame, stream: stream as u32, stored_frames, transition };
            for _ in 0..=self.config.sampling.copies(transition.n_step_return) {
                let id = self.transitions.living().end;
                if let Some(evicted) = self.transitions.push(record) {
                    // Every later transition of that stream, complete or not, starts at this frame or after.
                    self.frames.release_before(evicted.stream as usize, evicted.oldest_frame());
                }
                if let Some(prioritized) = &mut self.prioritized {
                    prioritized.add(id);
                }
            }
        }
        if step.step_type == StepType::Last {
            self.streams[stream].episode_start = None;
        }
        Ok(())
    }

    /// Fills the batch with transitions drawn as [`ReplayConfig::sampling`] says, with replacement.
    ///
    /// Where N transitions have probabilities P, the importance weights are `(N P(i))^-b` divided by the largest one in the
    /// batch, with `b` the importance exponent, 0 (no correction) to 1 (full) (Schaul et al. 2016, section 3.4). Uniform
    /// draws all have weight 1, whatever the exponent.
    ///
    /// # Panics
    /// When the replay is empty, the exponent lies outside 0 to 1, or the batch was made for observations of another size.
    pub fn sample_into(&self, batch: &mut Batch, importance_exponent: f64, generator: &mut Generator) {
        assert!(!self.is_empty(), "an empty replay cannot be sampled: add transitions first");
        assert!(
            (0.0..=1.0).contains(&importance_exponent),
            "the importance exponent is {importance_exponent}: it must lie between 0 and 1"
        );
        let Batch { ids, importance_weights, .. } = batch;
        match &self.prioritized {
            None => {
                uniform::sample(self.living(), generator, ids);
                importance_weights.fill(1.0);
            }
            Some(prioritized) => {
                prioritized.sample(self.living(), importance_exponent, generator, ids, importance_weights);
            }
        }
        self.gather(batch);
    }

    /// Sets raw priorities `[B]` of transitions `[B]`. Ids of evicted transitions are ignored; of several priorities for one
    /// id the last counts. Does nothing where the sampling has no priorities.
    ///
    /// Until its first update, a transition has the largest priority seen before it was added, or 1 if that is larger.
    /// Proportional sampling never draws a priority of 0 unless all are 0, when all are equally likely.
    ///
    /// # Panics
    /// Where the sampling has priorities: when the two lengths differ, a priority is negative or not finite (a loss that
    /// has blown up should have stopped the training before), or no transition with such an id was ever added.
    pub fn update_priorities(&mut self, ids: &[TransitionId], priorities: &[f32]) {
        let living = self.living();
        let Some(prioritized) = &mut self.prioritized else {
            return;
        };
        assert_eq!(ids.len(), priorities.len(), "ids and priorities differ in number");
        for (&id, &priority) in ids.iter().zip(priorities) {
            assert!(
                priority >= 0.0 && priority.is_finite(),
                "the priority of {id} is {priority}: it must be finite and not negative"
            );
            assert!(id < living.end, "{id} cannot have a priority: it was never added");
        }
        prioritized.update(living, ids, priorities);
    }

    /// How far the raw priorities spread; none where the sampling has no priorities or the replay is empty. Reads 4 bytes
    /// per transition.
    pub fn priority_spread(&self) -> Option<PrioritySpread> {
        self.prioritized.as_ref().and_then(Prioritized::spread)
    }

    /// Fills the rest of a batch whose ids are set.
    pub(crate) fn gather(&self, batch: &mut Batch) {
        let bytes = self.config.observation.bytes();
        let Batch { observations, next_observations, actions, returns, discounts, ids, importance_weights } = batch;
        let size = ids.len();
        assert!(
            observations.len() == size * bytes && next_observations.len() == size * bytes,
            "this batch of {size} has {} and {} observation bytes, this replay needs {size} times {bytes}",
            observations.len(),
            next_observations.len()
        );
        assert!(
            [actions.len(), returns.len(), discounts.len(), importance_weights.len()] == [size; 4],
            "the columns of this batch of {size} differ in length"
        );
        let outputs = observations.chunks_exact_mut(bytes).zip(next_observations.chunks_exact_mut(bytes));
        for (i, (observation, next_observation)) in outputs.enumerate() {
            let record = self.transitions.get(ids[i]);
            let steps = u64::from(record.transition.steps);
            self.stack(record.stream, record.oldest_frame(), record.frame, observation);
            self.stack(record.stream, record.oldest_frame(), record.frame + steps, next_observation);
            actions[i] = record.transition.action;
            returns[i] = record.transition.n_step_return;
            discounts[i] = record.transition.discount;
        }
    }

    /// Writes the observation whose newest frame is `newest`; frames before `oldest` are zeros.
    fn stack(&self, stream: u32, oldest: u64, newest: u64, out: &mut [u8]) {
        let frames = self.config.stored_frames(oldest, newest);
        let missing = self.config.observation.stack - usize::from(frames);
        let (zeros, stored) = out.split_at_mut(missing * self.config.observation.frame_bytes());
        zeros.fill(0);
        self.frames.copy(stream as usize, newest + 1 - u64::from(frames)..newest + 1, stored);
    }

    fn check_arguments(&self, stream: usize, observation: &[u8]) {
        assert!(stream < self.streams.len(), "stream {stream} does not exist: there are {}", self.streams.len());
        let expected = self.config.observation.bytes();
        assert_eq!(observation.len(), expected, "stream {stream}: an observation has the wrong number of bytes");
    }

    /// Frames are stored once, so a stack that did not shift by exactly one frame could not be rebuilt.
    fn check_shifted(&self, stream: usize, episode_start: u64, next_observation: &[u8]) -> Result<(), ReplayError> {
        let frame_bytes = self.config.observation.frame_bytes();
        let current = self.frames.stored(stream).end - 1;
        // From the second newest frame, which was the newest before, to the oldest.
        for (age, frame) in next_observation.rchunks_exact(frame_bytes).skip(1).enumerate() {
            let same = match current.checked_sub(age as u64) {
                Some(number) if number >= episode_start => self.frames.frame(stream, number) == frame,
                _ => frame.iter().all(|&byte| byte == 0),
            };
            if !same {
                let stack = self.config.observation.stack;
                return Err(ReplayError::NotShifted { stream, frame: stack - 2 - age, stack });
            }
        }
        Ok(())
    }

    /// Checks the replay's invariants. They hold for every replay that was built or loaded without an error.
    ///
    /// # Errors
    /// [`ReplayError::BadState`] with the first contradiction found.
    pub fn check_valid(&self) -> Result<(), ReplayError> {
        self.find_contradiction().map_err(|reason| ReplayError::BadState { reason })
    }

    /// The first transition whose action is none of so many, with that action.
    pub(crate) fn unknown_action(&self, actions: usize) -> Option<(TransitionId, i32)> {
        let mut transitions = (self.living().start.0..).zip(self.transitions.records());
        let known = |action: i32| usize::try_from(action).is_ok_and(|action| action < actions);
        transitions.find_map(|(id, record)| {
            let action = record.transition.action;
            (!known(action)).then_some((TransitionId(id), action))
        })
    }

    fn find_contradiction(&self) -> Result<(), String> {
        let streams = self.config.streams;
        if self.streams.len() != streams || self.frames.streams() != streams {
            let (states, frames) = (self.streams.len(), self.frames.streams());
            return Err(format!("it has {states} stream states and frames of {frames} streams instead of {streams}"));
        }
        for (index, stream) in self.streams.iter().enumerate() {
            let stored = self.frames.stored(index);
            stream.check_valid(&self.config, stored).map_err(|reason| format!("stream {index}: {reason}"))?;
        }
        let mut newest_start = vec![0; streams];
        for (record, id) in self.transitions.records().iter().zip(self.living().start.0..) {
            self.check_record(record, &mut newest_start).map_err(|reason| format!("{}: {reason}", TransitionId(id)))?;
        }
        self.prioritized.as_ref().map_or(Ok(()), |prioritized| prioritized.check_valid(self.len()))
    }

    fn check_record(&self, record: &Record, newest_start: &mut [u64]) -> Result<(), String> {
        let Record { frame, stream, stored_frames, transition } = *record;
        let Some(newest_start) = newest_start.get_mut(stream as usize) else {
            return Err(format!("stream {stream} does not exist"));
        };
        let stored = self.frames.stored(stream as usize);
        if !(1..=self.config.observation.stack).contains(&usize::from(stored_frames)) {
            return Err(format!("{stored_frames} stored frames in a stack of {}", self.config.observation.stack));
        }
        if !(1..=self.config.n).contains(&transition.steps) {
            return Err(format!("it spans {} steps, n is {}", transition.steps, self.config.n));
        }
        let before = frame.checked_sub(u64::from(stored_frames) - 1);
        let after = frame.checked_add(u64::from(transition.steps));
        if before.is_none_or(|before| before < stored.start) || after.is_none_or(|after| after >= stored.end) {
            return Err(format!("frame {frame} with its neighbours is not among the stored {stored:?}"));
        }
        if frame < *newest_start {
            return Err(format!("it starts at frame {frame}, before an earlier one of its stream"));
        }
        if !transition.n_step_return.is_finite() || !transition.discount.is_finite() {
            return Err(format!("return {} and discount {}", transition.n_step_return, transition.discount));
        }
        *newest_start = frame;
        Ok(())
    }
}

impl ReplayConfig {
    fn check(&self) -> Result<(), ReplayError> {
        let bad = |name, value: &dyn ToString, expected| {
            Err(ReplayError::BadConfig { name, value: value.to_string(), expected })
        };
        if self.capacity == 0 {
            return bad("capacity", &self.capacity, "at least 1 transition");
        }
        if self.streams == 0 || u32::try_from(self.streams).is_err() {
            return bad("streams", &self.streams, "at least 1 environment and a 32-bit number");
        }
        if self.observation.stack == 0 || u8::try_from(self.observation.stack).is_err() {
            return bad("observation stack", &self.observation.stack, "1 to 255 frames");
        }
        if self.observation.frame_bytes() == 0 {
            return bad("observation frame", &format!("{:?}", self.observation.frame), "a shape without a 0");
        }
        if self.n == 0 {
            return bad("n", &self.n, "at least 1 agent step");
        }
        if !(0.0..=1.0).contains(&self.gamma) {
            return bad("gamma", &self.gamma, "between 0 and 1");
        }
        self.check_sampling()
    }

    /// How many frames of the stack that ends with frame `newest` are stored, where `oldest` is the first that counts.
    fn stored_frames(&self, oldest: u64, newest: u64) -> u8 {
        let stack = self.observation.stack as u64;
        (newest + 1 - oldest).min(stack) as u8
    }
}

impl Stream {
    fn check_valid(&self, config: &ReplayConfig, stored: Range<u64>) -> Result<(), String> {
        self.accumulator.check_valid(config.n, config.gamma)?;
        let open = self.accumulator.open_starts() as u64;
        let Some(episode_start) = self.episode_start else {
            return if open == 0 { Ok(()) } else { Err(format!("{open} starts are open outside an episode")) };
        };
        if episode_start >= stored.end || open > stored.end - 1 - episode_start {
            return Err(format!("{open} starts are open since frame {episode_start} of {}", stored.end));
        }
        let oldest_start = stored.end - 1 - open;
        let needed = oldest_start + 1 - u64::from(config.stored_frames(episode_start, oldest_start));
        if needed < stored.start {
            return Err(format!("frame {needed} is needed, frames before {} are missing", stored.start));
        }
        Ok(())
    }
}
