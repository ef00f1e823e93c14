//! The chip in Pitfall II: eight counters that walk through 2 KiB of graphics, a random number, and music.

use serde::{Deserialize, Serialize};

/// Where the graphics begin in the file.
pub const GRAPHICS: usize = 0x2000;
/// Bytes of graphics.
const GRAPHICS_BYTES: u16 = 0x800;
/// Steps of the music's clock in a processor cycle. In ALE this clock has 15.75 kHz: a counter read once a frame moves by 1.0032
/// for each line of 76 cycles, and over thousands of frames neither this nor the processor's frequency is off by one step.
const STEPS_PER_CYCLE: f64 = 15_750.0 / 1_193_191.666_666_67;

/// The chip.
///
/// The console's reset line does not reach it: its registers stay as they are when a new game is started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dpc {
    /// Where each counter sets its flag.
    top: [u8; 8],
    /// Where each counter clears its flag.
    bottom: [u8; 8],
    /// Places in the graphics, of 11 bits, from the last byte to the first.
    counter: [u16; 8],
    /// All bits or none.
    flag: [u8; 8],
    /// Whether each of the last three counters makes music: it goes round from top to zero with the music's clock, and no read
    /// moves it.
    music: [bool; 3],
    random: u8,
    /// Processor cycle, of this frame, up to which the counters that make music have been moved; may lie before the frame.
    moved: i32,
    /// The part of a step of the music's clock that is left over.
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
            random: RANDOM_AT_FIRST,
            moved: 0,
            fraction: 0.0,
        }
    }
}

/// The random number after it has been reset.
const RANDOM_START: u8 = 1;
/// Two steps before that. A processor looks for the address to begin at when a console is made, and again at each reset. In
/// ALE the number is 1 before the first reset, so that only the looks of the resets count, each of which reads two bytes.
const RANDOM_AT_FIRST: u8 = 0x80;

/// The music's loudness for each set of voices that are on.
const LOUDNESS: [u8; 8] = [0x00, 0x04, 0x05, 0x09, 0x06, 0x0A, 0x0B, 0x0F];

impl Dpc {
    /// The console has been reset: the music's clock begins anew, with the processor's cycles. Nothing else changes.
    pub fn reset(&mut self) {
        self.moved = 0;
        self.fraction = 0.0;
    }

    /// The frame's cycles are counted from here on.
    pub fn begin_frame(&mut self, cycles: u32) {
        self.moved = self.moved.wrapping_sub(cycles as i32);
    }

    /// Reads one of the registers at 0x00 to 0x3F: eight functions of eight counters. The chip's description also has the
    /// graphics with nibbles swapped, mirrored and shifted (3 to 6), which the game does not use: in ALE these read as zero.
    pub fn read(&mut self, offset: u16, graphics: &[u8], cycles: u32) -> u8 {
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

    /// Writes one of the registers at 0x40 to 0x7F.
    pub fn write(&mut self, offset: u16, value: u8) {
        let fetcher = usize::from(offset & 7);
        match offset >> 3 & 7 {
            0 => {
                self.top[fetcher] = value;
                self.flag[fetcher] = 0;
            }
            1 => self.bottom[fetcher] = value,
            // A counter that makes music begins at its top, whatever is written.
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
            6 => self.random = RANDOM_START,
            _ => {}
        }
    }

    /// The random number's next step. In ALE it comes with each write to the cartridge, wherever that goes, and with each read
    /// of the first 128 and of the last 64 addresses, the reset vector among them; only then do registers answer.
    pub fn step_random(&mut self) {
        let bits = [7, 5, 4, 3].map(|bit| self.random >> bit & 1);
        let feedback = 1 ^ bits[0] ^ bits[1] ^ bits[2] ^ bits[3];
        self.random = self.random << 1 | feedback;
    }

    /// Moves the counters that make music by the clock's steps since they were last moved.
    fn move_music(&mut self, cycles: u32) {
        let passed = (cycles as i32).wrapping_sub(self.moved);
        self.moved = cycles as i32;
        let steps = STEPS_PER_CYCLE * f64::from(passed) + self.fraction;
        // Not enough for a step leaves the flags alone, even where top or bottom have been written meanwhile.
        let whole = steps as i32;
        self.fraction = steps - f64::from(whole);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cartridge::Scheme;
    use crate::console::Console;
    use crate::cpu::{Access, Bus, Moment};
    use crate::tia::{Television, Window};

    /// A cartridge whose graphics are the places at which the counters find them.
    fn rom() -> Vec<u8> {
        (0..0x2800_u16).map(|place| !place as u8).collect()
    }

    #[test]
    fn a_counter_walks_through_the_graphics_and_its_flag_masks_them_from_top_to_bottom() {
        let (rom, mut dpc) = (rom(), Dpc::default());
        for (register, value) in [(0x42, 0x10), (0x4A, 0x0E), (0x52, 0x11), (0x5A, 3)] {
            dpc.write(register, value);
        }
        assert_eq!([0; 5].map(|_| dpc.read(0x12, &rom, 0)), [0, 0x10, 0x0F, 0, 0]);
        assert_eq!([dpc.read(0x0A, &rom, 0), dpc.read(0x2A, &rom, 0), dpc.read(0x3A, &rom, 0)], [0x0C, 0, 0]);
    }

    #[test]
    fn music_goes_round_with_its_clock_over_the_ends_of_frames() {
        let (rom, mut dpc) = (rom(), Dpc::default());
        for (register, value) in [(0x45, 9), (0x4D, 4), (0x5D, 0x10), (0x55, 0)] {
            dpc.write(register, value);
        }
        // About one step a line of 76 cycles; cycles left over at the end of a frame count in the next.
        let mut heard = |line: u32| (dpc.read(4, &rom, 76 * line), dpc.read(0x0D, &rom, 76 * line));
        assert_eq!([0, 1, 4, 5, 9, 10, 20].map(&mut heard), [(0, 9), (4, 8), (4, 5), (0, 4), (0, 0), (4, 9), (4, 9)]);
        dpc.begin_frame(76 * 22);
        assert_eq!((dpc.read(4, &rom, 76), dpc.read(0x0D, &rom, 76)), (4, 6));
        // A reset begins a new step with the processor's cycles.
        dpc.reset();
        assert_eq!((dpc.read(4, &rom, 75), dpc.read(0x0D, &rom, 75)), (4, 6));
        assert_eq!((dpc.read(4, &rom, 76), dpc.read(0x0D, &rom, 76)), (4, 5));
    }

    #[test]
    fn the_random_number_steps_with_each_access_that_the_chip_notices() {
        let mut console = Console::new(Arc::from(rom()), Scheme::Dpc, Television::Ntsc, Window::USUAL).unwrap();
        console.reset(0);
        let moment = Moment { cycles: 0, bus: 0, after: Access::Read };
        let mut random = |read: &[u16], written: &[u16]| {
            for address in written {
                console.board.write(*address, 0, moment);
            }
            for address in read {
                console.board.read(*address, moment);
            }
            console.board.read(0x1000, moment)
        };
        // Both bytes of the reset vector have been read.
        assert_eq!(random(&[], &[]), 0x0F);
        assert_eq!(random(&[0x1080, 0x1FBF], &[]), 0x1E);
        assert_eq!(random(&[0x1040, 0x1FC0], &[]), 0xF4);
        assert_eq!(random(&[], &[0x1000, 0x1800]), 0xA1);
        assert_eq!(random(&[], &[0x1070]), 0x03);
    }
}
