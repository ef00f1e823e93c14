//! The last few frames that an observation is made of.

/// The last frames of an observation, a ring: a new frame replaces the oldest.
///
/// It is cleared at an episode's start and takes one frame for each agent step. [`Screens`](crate::Screens) does both.
#[derive(Clone, Debug)]
pub struct FrameStack {
    frames: Vec<u8>,
    frame_bytes: usize,
    /// Byte where the oldest frame starts, the next to be replaced.
    oldest: usize,
}

impl FrameStack {
    /// A stack of `frames` frames of zeros of `frame_bytes` bytes each.
    ///
    /// # Panics
    /// When it would be empty.
    pub fn new(frames: usize, frame_bytes: usize) -> Self {
        assert!(frames * frame_bytes > 0, "a stack of {frames} frames of {frame_bytes} bytes holds nothing");
        Self { frames: vec![0; frames * frame_bytes], frame_bytes, oldest: 0 }
    }

    /// Fills all frames with zeros, as at the start of an episode.
    pub fn clear(&mut self) {
        self.frames.fill(0);
    }

    /// The place of a new frame, to be written in full: it is the newest from here on and held the oldest before.
    pub fn advance(&mut self) -> &mut [u8] {
        let start = self.oldest;
        self.oldest = (start + self.frame_bytes) % self.frames.len();
        &mut self.frames[start..start + self.frame_bytes]
    }

    /// Writes all frames, oldest first: a whole observation.
    ///
    /// # Panics
    /// When the buffer does not have an observation's size.
    pub fn write(&self, observation: &mut [u8]) {
        assert_eq!(observation.len(), self.frames.len(), "the buffer must hold an observation");
        let (newer, older) = self.frames.split_at(self.oldest);
        observation[..older.len()].copy_from_slice(older);
        observation[older.len()..].copy_from_slice(newer);
    }

    /// Takes over the frames of an observation that [`FrameStack::write`] wrote.
    ///
    /// # Panics
    /// When the observation has another size.
    pub fn read(&mut self, observation: &[u8]) {
        self.frames.copy_from_slice(observation);
        self.oldest = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_frame_comes_last_and_the_oldest_leaves() {
        let mut stack = FrameStack::new(3, 2);
        let mut observation = [9; 6];
        for frame in 1..=4 {
            stack.advance().fill(frame);
        }
        stack.write(&mut observation);
        assert_eq!(observation, [2, 2, 3, 3, 4, 4]);

        let mut other = FrameStack::new(3, 2);
        other.read(&observation);
        other.advance().fill(5);
        other.write(&mut observation);
        assert_eq!(observation, [3, 3, 4, 4, 5, 5]);

        stack.clear();
        stack.advance().fill(7);
        stack.write(&mut observation);
        assert_eq!(observation, [0, 0, 0, 0, 7, 7], "missing frames are zeros");
    }
}
