//! Frames as bytes, each stored once.

use std::collections::VecDeque;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};

/// Frames in a chunk, the unit of allocation. Each stream wastes one chunk on average (half at either end): 16 frames keep
/// the waste of 64 streams of 7 kB frames below 8 MB, and four of five reads of a stack of 4 within one chunk.
const FRAMES_PER_CHUNK: u64 = 16;

type Chunk = Box<[u8]>;

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

/// A stream as it is saved: its frames in the pieces that the chunk boundaries cut.
#[derive(Serialize)]
pub(super) struct SavedStream<'a> {
    first: u64,
    next: u64,
    pieces: Vec<&'a Bytes>,
}

/// A [`SavedStream`] as it is loaded.
#[derive(Deserialize)]
pub(super) struct LoadedStream {
    first: u64,
    next: u64,
    pieces: Vec<ByteBuf>,
}

impl FrameStore {
    pub(super) fn new(frame_bytes: usize, streams: usize) -> Self {
        Self { frame_bytes, streams: (0..streams).map(|_| FrameStream::default()).collect(), spare: Vec::new() }
    }

    /// Stores the next frame of a stream and returns its number.
    pub(super) fn push(&mut self, stream: usize, frame: &[u8]) -> u64 {
        assert_eq!(frame.len(), self.frame_bytes, "a frame has the wrong number of bytes");
        let chunk_bytes = FRAMES_PER_CHUNK as usize * self.frame_bytes;
        let stream = &mut self.streams[stream];
        let number = stream.next;
        if number.is_multiple_of(FRAMES_PER_CHUNK) {
            let chunk = self.spare.pop().unwrap_or_else(|| vec![0; chunk_bytes].into_boxed_slice());
            stream.chunks.push_back(chunk);
        }
        let place = place(number, self.frame_bytes);
        let chunk = stream.chunks.back_mut().expect("a chunk was added at its first frame");
        chunk[place..place + self.frame_bytes].copy_from_slice(frame);
        stream.next += 1;
        number
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
        let mut number = frames.start;
        while number < frames.end {
            let piece = number..frames.end.min(next_boundary(number));
            let bytes = (piece.end - piece.start) as usize * self.frame_bytes;
            let place = place(number, self.frame_bytes);
            let (head, rest) = out.split_at_mut(bytes);
            head.copy_from_slice(&stream.chunk(number)[place..place + bytes]);
            out = rest;
            number = piece.end;
        }
        assert!(out.is_empty(), "{} bytes were not filled by {frames:?}", out.len());
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

    /// The living frames, without copying them.
    pub(super) fn save(&self) -> Vec<SavedStream<'_>> {
        self.streams.iter().map(|stream| stream.save(self.frame_bytes)).collect()
    }

    /// Loads a saved store; the error says what is wrong with it.
    pub(super) fn load(frame_bytes: usize, streams: Vec<LoadedStream>) -> Result<Self, String> {
        let load = |(index, stream): (usize, LoadedStream)| {
            FrameStream::load(frame_bytes, stream).map_err(|reason| format!("frames of stream {index}: {reason}"))
        };
        let streams = streams.into_iter().enumerate().map(load).collect::<Result<_, _>>()?;
        Ok(Self { frame_bytes, streams, spare: Vec::new() })
    }

    pub(super) fn streams(&self) -> usize {
        self.streams.len()
    }
}

impl FrameStream {
    fn chunk(&self, number: u64) -> &[u8] {
        assert!((self.first..self.next).contains(&number), "frame {number} is not stored");
        &self.chunks[(number / FRAMES_PER_CHUNK - self.first / FRAMES_PER_CHUNK) as usize]
    }

    fn save(&self, frame_bytes: usize) -> SavedStream<'_> {
        let pieces = pieces(self.first..self.next).zip(&self.chunks).map(|(piece, chunk)| {
            let place = place(piece.start, frame_bytes);
            Bytes::new(&chunk[place..place + (piece.end - piece.start) as usize * frame_bytes])
        });
        SavedStream { first: self.first, next: self.next, pieces: pieces.collect() }
    }

    fn load(frame_bytes: usize, saved: LoadedStream) -> Result<Self, String> {
        let LoadedStream { first, next, pieces: loaded } = saved;
        if first > next {
            return Err(format!("the first frame is {first}, after the end at {next}"));
        }
        let mut loaded = loaded.into_iter();
        let mut chunks = VecDeque::new();
        for piece in pieces(first..next) {
            let Some(bytes) = loaded.next() else {
                return Err(format!("frames {piece:?} are missing"));
            };
            let expected = (piece.end - piece.start) as usize * frame_bytes;
            if bytes.len() != expected {
                return Err(format!("frames {piece:?} have {} bytes instead of {expected}", bytes.len()));
            }
            let mut chunk = bytes.into_vec();
            chunk.resize(FRAMES_PER_CHUNK as usize * frame_bytes, 0);
            chunk.copy_within(..expected, place(piece.start, frame_bytes));
            chunks.push_back(chunk.into_boxed_slice());
        }
        match loaded.len() {
            0 => Ok(Self { first, next, chunks }),
            extra => Err(format!("{extra} pieces follow the last frame")),
        }
    }
}

/// Where in its chunk a frame begins.
fn place(number: u64, frame_bytes: usize) -> usize {
    (number % FRAMES_PER_CHUNK) as usize * frame_bytes
}

/// The first frame of the chunk that follows the one of `number`.
fn next_boundary(number: u64) -> u64 {
    (number / FRAMES_PER_CHUNK + 1) * FRAMES_PER_CHUNK
}

/// The chunks that hold `frames`, as the part of `frames` in each. A stream with no frames whose next one belongs inside
/// a chunk still holds that chunk, as an empty part.
fn pieces(frames: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let chunks = frames.start / FRAMES_PER_CHUNK..frames.end.div_ceil(FRAMES_PER_CHUNK);
    chunks.map(move |chunk| {
        let start = chunk * FRAMES_PER_CHUNK;
        frames.start.max(start)..frames.end.min(start + FRAMES_PER_CHUNK)
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
    fn a_saved_store_comes_back_wherever_it_begins_and_ends() {
        for released in 0..=40 {
            let mut store = filled(40);
            store.release_before(0, released);
            let bytes = postcard::to_allocvec(&store.save()).unwrap();
            let mut loaded = FrameStore::load(2, postcard::from_bytes(&bytes).unwrap()).unwrap();
            store.push(0, &[40, 215]);
            loaded.push(0, &[40, 215]);
            assert_eq!(loaded.stored(0), released..41);
            for number in released..41 {
                assert_eq!(loaded.frame(0, number), [number as u8, 255 - number as u8]);
            }
        }
    }

    #[test]
    fn damaged_stores_are_refused() {
        let load = |first, next, pieces: &[usize]| {
            let pieces = pieces.iter().map(|&bytes| ByteBuf::from(vec![0; bytes])).collect();
            FrameStore::load(2, vec![LoadedStream { first, next, pieces }]).map(|_| ()).unwrap_err()
        };
        assert_eq!(load(3, 2, &[]), "frames of stream 0: the first frame is 3, after the end at 2");
        assert_eq!(load(3, 20, &[26]), "frames of stream 0: frames 16..20 are missing");
        assert_eq!(load(3, 20, &[26, 7]), "frames of stream 0: frames 16..20 have 7 bytes instead of 8");
        assert_eq!(load(3, 20, &[26, 8, 1]), "frames of stream 0: 1 pieces follow the last frame");
    }
}
