//! How a replay is saved: a head, which is small and new each time, and parts, which hold what came since the part before.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::ops::Range;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::frame_store::{FrameStore, SharedFrames};
use super::prioritized::{Priorities, Prioritized};
use super::transition_store::{Record, TransitionStore};
use super::{Replay, ReplayConfig, ReplayError, Stream};
use crate::transition::TransitionId;

/// Records that are encoded together.
const BATCH: usize = 4096;
/// Bytes of a batch at most: a record takes no more than 40, and the rest is room.
const MESSAGE: usize = 1 << 20;

/// Which transitions and which frames of each stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayExtent {
    transitions: Range<TransitionId>,
    /// By stream; none at all where nothing was saved yet.
    frames: Vec<Range<u64>>,
}

impl ReplayExtent {
    /// Whether it is one that a replay can have, however it came here: no range ends before it begins, and none is so far on
    /// that sums of them overflow.
    pub fn is_sound(&self) -> bool {
        /// More than a run has in a century.
        const MOST: u64 = 1 << 44;
        let Range { start, end } = &self.transitions;
        let transitions = start <= end && end.0 <= MOST;
        transitions && self.frames.iter().all(|frames| frames.start <= frames.end && frames.end <= MOST)
    }

    /// How many transitions.
    pub fn transitions(&self) -> u64 {
        self.transitions.end.0 - self.transitions.start.0
    }

    /// A name that no other extent of the same replay has.
    pub fn name(&self) -> String {
        let frames: u64 = self.frames.iter().map(|frames| frames.end).sum();
        format!("replay-{}-{}-{frames}", self.transitions.start.0, self.transitions.end.0)
    }

    /// Whether any of it is still alive in a replay that holds `living`.
    pub fn reaches(&self, living: &Self) -> bool {
        let frames = self.frames.iter().zip(&living.frames);
        self.transitions.end > living.transitions.start || frames.into_iter().any(|(own, alive)| own.end > alive.start)
    }

    /// This and what follows it up to the end of `later`.
    #[must_use]
    pub fn up_to(&self, later: &Self) -> Self {
        let frames = self.frames.iter().zip(&later.frames).map(|(own, later)| own.start..later.end);
        Self { transitions: self.transitions.start..later.transitions.end, frames: frames.collect() }
    }
}

/// What a replay has beside transitions and frames, and which of those it has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplayHead {
    config: ReplayConfig,
    streams: Vec<Stream>,
    living: ReplayExtent,
    priorities: Option<Priorities>,
}

/// The living transitions and frames from a point on. It shares most frames with the replay, which goes on meanwhile.
#[derive(Clone, Debug)]
pub struct ReplayPart {
    extent: ReplayExtent,
    records: Vec<Record>,
    frames: Vec<SharedFrames>,
}

impl Replay {
    /// Which transitions and frames it holds.
    pub fn extent(&self) -> ReplayExtent {
        let frames = (0..self.config.streams).map(|stream| self.frames.stored(stream));
        ReplayExtent { transitions: self.living(), frames: frames.collect() }
    }

    /// What a [`ReplayLoader`] needs beside the parts. Copies at most 12 bytes per transition.
    pub fn head(&self) -> ReplayHead {
        ReplayHead {
            config: self.config.clone(),
            streams: self.streams.clone(),
            living: self.extent(),
            priorities: self.prioritized.as_ref().map(Prioritized::save),
        }
    }

    /// What it holds of the transitions and frames that come after `saved`. Copies 32 bytes for each of these transitions.
    pub fn part_after(&self, saved: &ReplayExtent) -> ReplayPart {
        self.part(saved.transitions.end, |stream| saved.frames.get(stream).map_or(0, |frames| frames.end))
    }

    /// What it holds of the transitions and frames of `first` and all that come after.
    pub fn part_from(&self, first: &ReplayExtent) -> ReplayPart {
        self.part(first.transitions.start, |stream| first.frames.get(stream).map_or(0, |frames| frames.start))
    }

    fn part(&self, first: TransitionId, first_frame: impl Fn(usize) -> u64) -> ReplayPart {
        let living = self.living();
        let first = first.clamp(living.start, living.end);
        let frames: Vec<SharedFrames> =
            (0..self.config.streams).map(|stream| self.frames.share(stream, first_frame(stream))).collect();
        let records = self.transitions.records().range((first.0 - living.start.0) as usize..);
        ReplayPart {
            extent: ReplayExtent {
                transitions: first..living.end,
                frames: frames.iter().map(|frames| frames.numbers.clone()).collect(),
            },
            records: records.copied().collect(),
            frames,
        }
    }
}

impl ReplayPart {
    /// Which transitions and frames.
    pub fn extent(&self) -> &ReplayExtent {
        &self.extent
    }

    /// Whether it has neither transitions nor frames.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.extent.frames.iter().all(Range::is_empty)
    }

    /// Writes it for [`ReplayLoader::read`].
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        write_message(out, &self.extent)?;
        self.records.chunks(BATCH).try_for_each(|records| write_message(out, &records))?;
        self.frames.iter().flat_map(SharedFrames::pieces).try_for_each(|frames| out.write_all(frames))
    }
}

/// Puts a replay together again from its head and its parts. It needs no more memory than the replay itself.
#[derive(Debug)]
pub struct ReplayLoader {
    head: ReplayHead,
    records: VecDeque<Record>,
    frames: FrameStore,
}

impl ReplayLoader {
    /// Begins with the head of a replay that was built from `config`.
    ///
    /// # Errors
    /// [`ReplayError::BadState`] when it was built from another configuration or its head is damaged.
    pub fn new(head: ReplayHead, config: &ReplayConfig) -> Result<Self, ReplayError> {
        if head.config != *config {
            return Err(bad(format!("it was built from {:?}, not from {config:?}", head.config)));
        }
        config.check()?;
        let ReplayExtent { transitions, frames } = &head.living;
        if transitions.start > transitions.end || transitions.end.0 - transitions.start.0 > config.capacity as u64 {
            return Err(bad(format!("it holds the transitions {transitions:?}, its capacity is {}", config.capacity)));
        }
        if frames.len() != config.streams || head.streams.len() != config.streams {
            let (states, frames) = (head.streams.len(), frames.len());
            return Err(bad(format!(
                "it has {states} stream states and frames of {frames} streams instead of {}",
                config.streams
            )));
        }
        if let Some((stream, frames)) = frames.iter().enumerate().find(|(_, frames)| frames.start > frames.end) {
            return Err(bad(format!("the frames of stream {stream} are {frames:?}")));
        }
        let first: Vec<u64> = frames.iter().map(|frames| frames.start).collect();
        let frames = FrameStore::starting_at(config.observation.frame_bytes(), &first);
        Ok(Self { head, records: VecDeque::new(), frames })
    }

    /// Reads the next part, in the order in which they were written.
    ///
    /// # Errors
    /// [`ReplayError::BadState`] when `part` ends early, is no such part, or does not follow the parts before it.
    pub fn read(&mut self, part: &mut dyn Read) -> Result<(), ReplayError> {
        let extent: ReplayExtent = read_message(part)?;
        let ReplayExtent { transitions, frames } = &extent;
        let needed = self.next_transition();
        if transitions.start > needed || frames.len() != self.frames.streams() {
            return Err(bad(format!("a part begins with {}, and {needed} is missing", transitions.start)));
        }
        let mut id = transitions.start;
        while id < transitions.end {
            let records: Vec<Record> = read_message(part)?;
            let expected = (transitions.end.0 - id.0).min(BATCH as u64);
            if records.len() as u64 != expected {
                return Err(bad(format!("{} transitions follow {id} instead of {expected}", records.len())));
            }
            for record in records {
                if id >= needed {
                    self.records.push_back(record);
                }
                id.0 += 1;
            }
            if id > self.head.living.transitions.end {
                return Err(bad(format!("a part has {id}, which came after the replay was saved")));
            }
        }
        for (stream, numbers) in frames.iter().enumerate() {
            self.read_frames(stream, numbers.clone(), part)?;
        }
        Ok(())
    }

    /// The replay, once all parts are read.
    ///
    /// # Errors
    /// [`ReplayError::BadState`] when a part is missing or something contradicts something else.
    pub fn finish(self) -> Result<Replay, ReplayError> {
        let (next, end) = (self.next_transition(), self.head.living.transitions.end);
        if next != end {
            return Err(bad(format!("the transitions from {next} on are missing")));
        }
        for (stream, numbers) in self.head.living.frames.iter().enumerate() {
            if self.frames.stored(stream) != *numbers {
                let found = self.frames.stored(stream);
                return Err(bad(format!("stream {stream} has the frames {found:?} instead of {numbers:?}")));
            }
        }
        let Self { head: ReplayHead { config, streams, living, priorities }, records, frames } = self;
        let transitions = TransitionStore::load(config.capacity, living.transitions.start, records).map_err(bad)?;
        let prioritized = Prioritized::load(config.sampling, config.capacity, priorities).map_err(bad)?;
        let replay = Replay { config, streams, transitions, frames, prioritized };
        replay.check_valid()?;
        Ok(replay)
    }

    /// The transition that is to be read next.
    fn next_transition(&self) -> TransitionId {
        TransitionId(self.head.living.transitions.start.0 + self.records.len() as u64)
    }

    fn read_frames(&mut self, stream: usize, numbers: Range<u64>, part: &mut dyn Read) -> Result<(), ReplayError> {
        let needed = self.frames.stored(stream).end;
        let end = self.head.living.frames[stream].end;
        if numbers.start > needed || numbers.end > end {
            return Err(bad(format!(
                "a part has the frames {numbers:?} of stream {stream}, and {needed}..{end} are missing"
            )));
        }
        let mut evicted = vec![0; self.head.config.observation.frame_bytes()];
        for number in numbers {
            let frame = if number < needed { &mut evicted[..] } else { self.frames.next_frame(stream) };
            part.read_exact(frame).map_err(unreadable)?;
        }
        Ok(())
    }
}

fn bad(reason: String) -> ReplayError {
    ReplayError::BadState { reason }
}

fn unreadable(error: io::Error) -> ReplayError {
    bad(error.to_string())
}

/// Writes a value behind its length in bytes.
fn write_message(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let bytes = postcard::to_stdvec(value).expect("plain data always encodes");
    let length = u32::try_from(bytes.len()).expect("a batch is short");
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&bytes)
}

fn read_message<T: DeserializeOwned>(part: &mut dyn Read) -> Result<T, ReplayError> {
    let mut length = [0; 4];
    part.read_exact(&mut length).map_err(unreadable)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MESSAGE {
        return Err(bad(format!("{length} bytes are said to follow, more than {MESSAGE}")));
    }
    let mut bytes = vec![0; length];
    part.read_exact(&mut bytes).map_err(unreadable)?;
    postcard::from_bytes(&bytes).map_err(|error| bad(format!("{length} bytes do not decode: {error}")))
}

#[cfg(test)]
pub(super) mod tests {
    use prism_environment::Seed;
    use proptest::prelude::*;

    use super::super::tests::{Feed, any_sampling, config, contents, filled, sampling};
    use super::*;
    use crate::batch::Batch;

    /// A replay as bytes: its head and one part.
    fn bytes_of(replay: &Replay) -> [Vec<u8>; 2] {
        [postcard::to_stdvec(&replay.head()).unwrap(), written(&replay.part_after(&ReplayExtent::default()))]
    }

    fn written(part: &ReplayPart) -> Vec<u8> {
        let mut bytes = Vec::new();
        part.write_to(&mut bytes).unwrap();
        bytes
    }

    fn load<'a>(
        head: &[u8],
        config: &ReplayConfig,
        parts: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Replay, ReplayError> {
        let head = postcard::from_bytes(head).map_err(|error| bad(error.to_string()))?;
        let mut loader = ReplayLoader::new(head, config)?;
        parts.into_iter().try_for_each(|mut part| loader.read(&mut part))?;
        loader.finish()
    }

    /// Saves a replay and loads it.
    pub(in super::super) fn reloaded(replay: &Replay) -> Result<Replay, ReplayError> {
        let [head, part] = bytes_of(replay);
        load(&head, &replay.config, [&part[..]])
    }

    proptest! {
        #[test]
        fn a_loaded_replay_goes_on_like_the_saved_one(
            seed: u64,
            sampling in any_sampling(),
            capacity in 4..60usize,
            streams in 1..4usize,
            stack in 1..5usize,
            n in 1..5u16,
            before in prop::collection::vec(0..80usize, 1..6),
            merged in 0..7usize,
        ) {
            let config = ReplayConfig { sampling, ..config(capacity, streams, stack, n) };
            let mut replay = Replay::new(config.clone()).unwrap();
            let mut feed = Feed::new(config.clone(), seed);
            let mut generator = Seed(seed).generator();
            let mut parts: Vec<ReplayPart> = Vec::new();
            for (index, events) in before.into_iter().enumerate() {
                for _ in 0..events {
                    feed.feed(&mut replay);
                    sampling::update_some(&mut replay, &mut generator);
                }
                let part = match parts.last() {
                    None => replay.part_after(&ReplayExtent::default()),
                    // One of the parts takes the place of the one before.
                    Some(_) if index == merged => replay.part_from(&parts.pop().expect("there is one").extent),
                    Some(last) => replay.part_after(&last.extent),
                };
                parts.push(part);
            }
            // Everything is written after all of it has changed, as a thread of its own would.
            parts.retain(|part| part.extent.reaches(&replay.extent()));
            let saved: Vec<Vec<u8>> = parts.iter().map(written).collect();
            let head = postcard::to_stdvec(&replay.head()).unwrap();
            let mut loaded = load(&head, &config, saved.iter().map(Vec::as_slice)).unwrap();
            prop_assert!(bytes_of(&loaded) == bytes_of(&replay));

            let mut feeds = [feed.clone(), feed];
            let mut generators = [generator.clone(), generator];
            let bytes = replay.config.observation.bytes();
            let mut batches = [Batch::new(8, bytes), Batch::new(8, bytes)];
            for _ in 0..100 {
                for (replay, i) in [(&mut replay, 0), (&mut loaded, 1)] {
                    feeds[i].feed(replay);
                    sampling::update_some(replay, &mut generators[i]);
                    if !replay.is_empty() {
                        replay.sample_into(&mut batches[i], 0.5, &mut generators[i]);
                    }
                }
                prop_assert_eq!(&batches[0], &batches[1]);
            }
            prop_assert!(bytes_of(&loaded) == bytes_of(&replay));
        }

        /// Bytes that were damaged or made up are refused, or happen to be those of a valid replay.
        #[test]
        fn damaged_bytes_are_refused(place: prop::sample::Index, byte: u8, cut in any::<prop::sample::Index>(), which in 0..3) {
            let replay = filled(config(40, 2, 3, 2), 200);
            let [mut head, mut part] = bytes_of(&replay);
            match which {
                0 => { let place = place.index(head.len()); head[place] = byte }
                1 => { let place = place.index(part.len()); part[place] = byte }
                _ => part.truncate(cut.index(part.len())),
            }
            if let Ok(replay) = load(&head, &replay.config, [&part[..]]) {
                prop_assert_eq!(replay.check_valid(), Ok(()));
                prop_assert!(which != 2, "a part that is cut short was loaded");
            }
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut replay = filled(config(40, 2, 3, 2), 30);
        let head_before = postcard::to_stdvec(&replay.head()).unwrap();
        let first = replay.part_after(&ReplayExtent::default());
        let mut feed = Feed::new(replay.config.clone(), 9);
        (0..8).for_each(|_| feed.feed(&mut replay));
        let second = replay.part_after(first.extent());
        let head = postcard::to_stdvec(&replay.head()).unwrap();
        let [first, second] = [written(&first), written(&second)];
        let refused = |head: &[u8], config: &ReplayConfig, parts: &[&Vec<u8>]| {
            load(head, config, parts.iter().map(|part| part.as_slice())).unwrap_err().to_string()
        };
        let config = &replay.config;
        load(&head, config, [&first[..], &second[..]]).unwrap();
        let other = ReplayConfig { n: 3, ..config.clone() };
        for (message, expected) in [
            (refused(&head, config, &[&second]), "is missing"),
            (refused(&head, config, &[&first]), "on are missing"),
            (refused(&head_before, config, &[&first, &second]), "which came after the replay was saved"),
            (refused(&head, &other, &[&first, &second]), "it was built from"),
        ] {
            assert!(message.contains(expected), "{message:?} does not say {expected:?}");
        }
    }

    #[test]
    fn contents_survive_being_saved() {
        let replay = filled(config(40, 2, 4, 3), 500);
        assert_eq!(contents(&reloaded(&replay).unwrap()), contents(&replay));
    }
}
