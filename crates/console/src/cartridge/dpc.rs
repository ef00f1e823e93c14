//! The chip in Pitfall II: eight counters that walk through 2 KiB of graphics, a random number, and music.

use serde::{Deserialize, Serialize};

/// Where the graphics begin in the file.
pub const GRAPHICS: usize = 0x2000;
/// Bytes of graphics.
const GRAPHICS_BYTES: u16 = 0x800;
/// Cycles of the music's oscillator in a processor cycle: 20 kHz against 1.19 MHz.
const OSCILLATIONS_PER_CYCLE: f64 = 20_000.0 / 1_193_191.666_666_67;

/// The chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dpc {
    top: [u8; 8],
    bottom: [u8; 8],
    counter: [u16; 8],
    flag: [u8; 8],
    /// Whether each of the last three counters makes music.
    music: [bool; 3],
    random: u8,
    /// Processor cycle, of this frame, up to which the music's counters have been moved.
    moved: i32,
    /// The part of an oscillation that is left over.
    fraction: f64,
}

// Only the fraction is no integer, and it is never NaN.
impl Eq for Dpc {}

impl Default for Dpc {
    fn default() -> Self {
        Self {
            top: [0; 8],
            bottom: [0; 8],
            counter: [0; 8],
            flag: [0; 8],
            music: [false; 3],
            random: 1,
            moved: 0,
            fraction: 0.0,
        }
    }
}

/// The music's loudness for each set of voices that are on.
const LOUDNESS: [u8; 8] = [0x00, 0x04, 0x05, 0x09, 0x06, 0x0A, 0x0B, 0x0F];

impl Dpc {
    /// The frame's cycles are counted from here on.
    pub fn begin_frame(&mut self, cycles: u32) {
        self.moved -= cycles as i32;
    }

    /// Reads a register.
    pub fn read(&mut self, offset: u16, graphics: &[u8], cycles: u32) -> u8 {
        self.clock_random();
        let fetcher = usize::from(offset & 7);
        let function = offset >> 3 & 7;
        if self.counter[fetcher] as u8 == self.top[fetcher] {
            self.flag[fetcher] = 0xFF;
        } else if self.counter[fetcher] as u8 == self.bottom[fetcher] {
            self.flag[fetcher] = 0;
        }
        let graphics =
            |counter: u16| graphics[usize::from((GRAPHICS_BYTES - 1).wrapping_sub(counter) % GRAPHICS_BYTES)];
        let result = match function {
            0 if fetcher < 4 => self.random,
            0 => {
                self.move_music(cycles);
                let voices = (0..3).filter(|voice| self.music[*voice] && self.flag[5 + voice] != 0);
                LOUDNESS[voices.fold(0, |set, voice| set | 1 << voice)]
            }
            1 => graphics(self.counter[fetcher]),
            2 => graphics(self.counter[fetcher]) & self.flag[fetcher],
            7 => self.flag[fetcher],
            _ => 0,
        };
        if fetcher < 5 || !self.music[fetcher - 5] {
            self.counter[fetcher] = self.counter[fetcher].wrapping_sub(1) & (GRAPHICS_BYTES - 1);
        }
        result
    }

    /// Writes a register.
    pub fn write(&mut self, offset: u16, value: u8, _cycles: u32) {
        self.clock_random();
        let fetcher = usize::from(offset & 7);
        match offset >> 3 & 7 {
            0 => {
                self.top[fetcher] = value;
                self.flag[fetcher] = 0;
            }
            1 => self.bottom[fetcher] = value,
            2 => {
                let low = if fetcher >= 5 && self.music[fetcher - 5] { self.top[fetcher] } else { value };
                self.counter[fetcher] = self.counter[fetcher] & 0x700 | u16::from(low);
            }
            3 => {
                self.counter[fetcher] = u16::from(value & 7) << 8 | self.counter[fetcher] & 0xFF;
                if fetcher >= 5 {
                    self.music[fetcher - 5] = value & 0x10 != 0;
                }
            }
            6 => self.random = 1,
            _ => {}
        }
    }

    fn clock_random(&mut self) {
        let bits = [7, 5, 4, 3].map(|bit| self.random >> bit & 1);
        let feedback = 1 ^ bits[0] ^ bits[1] ^ bits[2] ^ bits[3];
        self.random = self.random << 1 | feedback;
    }

    /// Moves the counters that make music by the oscillations since they were last moved.
    fn move_music(&mut self, cycles: u32) {
        let passed = cycles as i32 - self.moved;
        self.moved = cycles as i32;
        let oscillations = OSCILLATIONS_PER_CYCLE * f64::from(passed) + self.fraction;
        let whole = oscillations as i32;
        self.fraction = oscillations - f64::from(whole);
        if whole <= 0 {
            return;
        }
        for fetcher in 5..8 {
            if !self.music[fetcher - 5] {
                continue;
            }
            let top = i32::from(self.top[fetcher]) + 1;
            let mut low = i32::from(self.counter[fetcher] & 0xFF);
            if self.top[fetcher] != 0 {
                low -= whole % top;
                if low < 0 {
                    low += top;
                }
            } else {
                low = 0;
            }
            if low <= i32::from(self.bottom[fetcher]) {
                self.flag[fetcher] = 0;
            } else if low <= i32::from(self.top[fetcher]) {
                self.flag[fetcher] = 0xFF;
            }
            self.counter[fetcher] = self.counter[fetcher] & 0x700 | low as u16;
        }
    }
}
