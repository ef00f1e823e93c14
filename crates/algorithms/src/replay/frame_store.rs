//! Frames as bytes, each stored once.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Frames in a chunk, the unit of allocation. Each stream wastes one chunk on average (half at either end): 16 frames keep
/// the waste of 64 streams of 7 kB frames below 8 MB, and four of five reads of a stack of 4 within one chunk.
const FRAMES_PER_CHUNK: u64 = 16;

/// Once it is full it never changes, so that a checkpoint can be written from it while the replay goes on.
type Chunk = Arc<[u8]>;

/// The frames of several streams, numbered from 0 in each. Memory grows as frames come in; chunks of released frames are
/// used again by any stream.
#[derive(Debug)]
pub(super) struct FrameStore {
    frame_bytes: usize,
    streams: Vec<FrameStream>,
    spare: Vec<Chunk>,
}

/// The frames `first..next` of one stream. Chunk boundaries lie at multiples of [`FRAMES_PER_CHUNK`].
#[derive(Debug, Default)]
struct FrameStream {
    first: u64,
    next: u64,
    chunks: VecDeque<Chunk>,
}

/// Consecutive frames of one stream, shared with the store where they fill chunks.
#[derive(Clone, Debug)]
pub(super) struct SharedFrames {
    pub(super) numbers: Range<u64>,
    /// The frames in the pieces that the chunk boundaries cut: where each lies in its chunk.
    pieces: Vec<(Chunk, Range<usize>)>,
}

impl SharedFrames {
    /// The frames, oldest first, several to a piece.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(|(chunk, place)| &chunk[place.clone()])
    }
}

impl FrameStore {
    pub(super) fn new(frame_bytes: usize, streams: usize) -> Self {
        Self::starting_at(frame_bytes, &vec![0; streams])
    }

    /// An empty store whose streams begin with the frames of these numbers.
    pub(super) fn starting_at(frame_bytes: usize, first: &[u64]) -> Self {
        let mut store = Self { frame_bytes, streams: Vec::new(), spare: Vec::new() };
        for &first in first {
            // A stream whose next frame belongs inside a chunk holds that chunk.
            let chunks = if first.is_multiple_of(FRAMES_PER_CHUNK) { None } else { Some(store.chunk()) };
            store.streams.push(FrameStream { first, next: first, chunks: chunks.into_iter().collect() });
        }
        store
    }

    /// Stores the next frame of a stream and returns its number.
    pub(super) fn push(&mut self, stream: usize, frame: &[u8]) -> u64 {
        assert_eq!(frame.len(), self.frame_bytes, "a frame has the wrong number of bytes");
        self.next_frame(stream).copy_from_slice(frame);
        self.streams[stream].next - 1
    }

    /// Adds a frame to a stream, for the caller to fill.
    pub(super) fn next_frame(&mut self, stream: usize) -> &mut [u8] {
        if self.streams[stream].next.is_multiple_of(FRAMES_PER_CHUNK) {
            let chunk = self.chunk();
            self.streams[stream].chunks.push_back(chunk);
        }
        let stream = &mut self.streams[stream];
        let place = place(stream.next, self.frame_bytes);
        stream.next += 1;
        let chunk = stream.chunks.back_mut().expect("a chunk was added at its first frame");
        let chunk = Arc::get_mut(chunk).expect("a chunk is shared once it is full");
        &mut chunk[place..place + self.frame_bytes]
    }

    /// A chunk that nothing else has: a spare one, unless it is still being written to a checkpoint.
    fn chunk(&mut self) -> Chunk {
        let spare = self.spare.pop().filter(|chunk| Arc::strong_count(chunk) == 1);
        // Collected, not made of a vector, which would be copied.
        spare.unwrap_or_else(|| std::iter::repeat_n(0, FRAMES_PER_CHUNK as usize * self.frame_bytes).collect())
    }

    /// The numbers of a stream's stored frames.
    pub(super) fn stored(&self, stream: usize) -> Range<u64> {
        self.streams[stream].first..self.streams[stream].next
    }

    /// One stored frame.
    pub(super) fn frame(&self, stream: usize, number: u64) -> &[u8] {
        let place = place(number, self.frame_bytes);
        &self.streams[stream].chunk(number)[place..place + self.frame_bytes]
    }

    /// Copies consecutive frames, oldest first.
    pub(super) fn copy(&self, stream: usize, frames: Range<u64>, mut out: &mut [u8]) {
        let stream = &self.streams[stream];
        for piece in pieces(frames.clone()) {
            let place = bytes_of(&piece, self.frame_bytes);
            let (head, rest) = out.split_at_mut(place.len());
            head.copy_from_slice(&stream.chunk(piece.start)[place]);
            out = rest;
        }
        assert!(out.is_empty(), "{} bytes were not filled by {frames:?}", out.len());
    }

    /// The stored frames of a stream from number `first` on. Costs no copy but of the last chunk, unless that is full.
    pub(super) fn share(&self, stream: usize, first: u64) -> SharedFrames {
        let stream = &self.streams[stream];
        let numbers = first.clamp(stream.first, stream.next)..stream.next;
        let pieces = pieces(numbers.clone()).map(|piece| {
            let (chunk, place) = (stream.chunk(piece.start), bytes_of(&piece, self.frame_bytes));
            if piece.end.is_multiple_of(FRAMES_PER_CHUNK) {
                (Arc::clone(chunk), place)
            } else {
                (Arc::from(&chunk[place.clone()]), 0..place.len())
            }
        });
        SharedFrames { pieces: pieces.collect(), numbers }
    }

    /// Frees the frames of a stream whose numbers are below `first`.
    pub(super) fn release_before(&mut self, stream: usize, first: u64) {
        let stream = &mut self.streams[stream];
        debug_assert!(first <= stream.next);
        let first = first.max(stream.first);
        let freed = first / FRAMES_PER_CHUNK - stream.first / FRAMES_PER_CHUNK;
        self.spare.extend(stream.chunks.drain(..freed as usize));
        stream.first = first;
    }

    /// Bytes of all chunks, spare ones included.
    pub(super) fn memory_bytes(&self) -> usize {
        let chunks = self.spare.len() + self.streams.iter().map(|stream| stream.chunks.len()).sum::<usize>();
        chunks * FRAMES_PER_CHUNK as usize * self.frame_bytes
    }

    pub(super) fn streams(&self) -> usize {
        self.streams.len()
    }
}

impl FrameStream {
    fn chunk(&self, number: u64) -> &Chunk {
        assert!((self.first..self.next).contains(&number), "frame {number} is not stored");
        &self.chunks[(number / FRAMES_PER_CHUNK - self.first / FRAMES_PER_CHUNK) as usize]
    }
}

/// Where in its chunk a frame begins.
fn place(number: u64, frame_bytes: usize) -> usize {
    (number % FRAMES_PER_CHUNK) as usize * frame_bytes
}

/// Where in their chunk frames of one chunk are.
fn bytes_of(piece: &Range<u64>, frame_bytes: usize) -> Range<usize> {
    let start = place(piece.start, frame_bytes);
    start..start + (piece.end - piece.start) as usize * frame_bytes
}

/// The part of `frames` in each chunk.
fn pieces(frames: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let Range { mut start, end } = frames;
    std::iter::from_fn(move || {
        let piece = start..end.min((start / FRAMES_PER_CHUNK + 1) * FRAMES_PER_CHUNK);
        start = piece.end;
        (piece.start < piece.end).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(frames: u64) -> FrameStore {
        let mut store = FrameStore::new(2, 1);
        for number in 0..frames {
            assert_eq!(store.push(0, &[number as u8, 255 - number as u8]), number);
        }
        store
    }

    #[test]
    fn runs_of_frames_are_exact_across_chunk_ends() {
        let store = filled(50);
        let mut out = [0; 2 * 20];
        store.copy(0, 14..34, &mut out);
        for (frame, number) in out.chunks(2).zip(14..) {
            assert_eq!(frame, [number, 255 - number]);
            assert_eq!(frame, store.frame(0, u64::from(number)));
        }
    }

    #[test]
    fn chunks_of_released_frames_are_used_again_by_other_streams() {
        let mut store = FrameStore::new(2, 2);
        for _ in 0..48 {
            store.push(0, &[1, 1]);
        }
        let full = store.memory_bytes();
        assert_eq!(full, 48 * 2);
        store.release_before(0, 33);
        assert_eq!(store.stored(0), 33..48);
        assert_eq!(store.memory_bytes(), full);
        for number in 0..32 {
            store.push(1, &[2, number]);
        }
        assert_eq!(store.memory_bytes(), full);
        assert_eq!(store.frame(0, 33), [1, 1]);
        assert_eq!(store.frame(1, 31), [2, 31]);
        store.push(1, &[2, 32]);
        assert!(store.memory_bytes() > full);
    }

    #[test]
    #[should_panic(expected = "frame 4 is not stored")]
    fn released_frames_are_not_read() {
        let mut store = filled(8);
        store.release_before(0, 5);
        store.frame(0, 4);
    }

    #[test]
    fn shared_frames_are_those_of_the_moment_they_were_shared() {
        for (released, first) in [(0, 0), (5, 0), (5, 20), (17, 16), (0, 32), (0, 40), (40, 0), (0, 90)] {
            let mut store = filled(40);
            store.release_before(0, released);
            let shared = store.share(0, first);
            assert_eq!(shared.numbers, first.clamp(released, 40)..40);
            // Neither new frames nor the release of old ones, whose chunks are then used again, change them.
            for _ in 40..100 {
                store.push(0, &[7, 7]);
            }
            store.release_before(0, 99);
            for _ in 100..160 {
                store.push(0, &[8, 8]);
            }
            let expected: Vec<u8> =
                shared.numbers.clone().flat_map(|number| [number as u8, 255 - number as u8]).collect();
            assert_eq!(shared.pieces().collect::<Vec<_>>().concat(), expected);
        }
    }

    #[test]
    fn a_store_begins_at_any_number() {
        for first in 0..=33 {
            let mut store = FrameStore::starting_at(2, &[first]);
            for number in first..first + 40 {
                assert_eq!(store.push(0, &[number as u8, 1]), number);
            }
            store.release_before(0, first + 3);
            assert_eq!(store.stored(0), first + 3..first + 40);
            for number in first + 3..first + 40 {
                assert_eq!(store.frame(0, number), [number as u8, 1]);
            }
        }
    }
}
