//! The video chip, the Television Interface Adaptor, as the processor sees it.
//!
//! Nothing that the processor does depends on what the chip draws, but for the collision latches. So a write is only put
//! down with its time; [`Beam`] carries the writes out when somebody asks for collisions or for the picture.

mod beam;
mod collisions;
mod motion;
mod objects;
mod paint;
mod picture;

use serde::{Deserialize, Serialize};

use self::beam::{Beam, Write};
pub use self::beam::{Comb, Window};
use self::picture::Picture;
pub use self::picture::WIDTH;
use crate::controls::Controls;
use crate::cpu::{Access, Moment, Written};

/// Clocks of the chip in a processor cycle.
pub(crate) const CLOCKS_PER_CYCLE: u32 = 3;
/// Clocks in a line of the television.
pub(crate) const LINE_CLOCKS: u32 = 228;
/// Processor cycles in a line.
const LINE_CYCLES: u32 = 76;

const VSYNC: u8 = 0x00;
const VBLANK: u8 = 0x01;
const WSYNC: u8 = 0x02;

/// A time later than any.
const NEVER: u32 = u32::MAX;

/// What television the game was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Television {
    /// 60 pictures of 262 lines in a second.
    Ntsc,
    /// 50 pictures of 312 lines in a second.
    Pal,
}

impl Television {
    /// A write to the chip after this line ends the frame.
    fn last_line(self) -> u32 {
        match self {
            Self::Ntsc => 290,
            Self::Pal => 342,
        }
    }
}

/// The chip. Times are in clocks since the beginning of line 0 of the frame.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tia {
    television: Television,
    /// Clock at which the frame began, and with it the processor's count of cycles.
    begin: u32,
    /// When the vertical synchronisation will have lasted a line.
    vsync_lasts: u32,
    vblank: u8,
    /// Processor cycle, of this frame, at which the paddles' capacitors were last let go; may lie before the frame.
    released: u32,
    /// What was written since the frame began, or since the picture was brought up to date within it.
    writes: Vec<Write>,
    /// How many of them the beam has carried out.
    carried_out: usize,
    beam: Beam,
    /// How far accesses of the processor have brought the beam.
    reached: u32,
    picture: Picture,
}

impl Tia {
    /// A chip that has just been switched on.
    pub fn new(television: Television, window: Window) -> Self {
        let beam = Beam::new(window);
        Self {
            television,
            begin: 0,
            vsync_lasts: NEVER,
            vblank: 0,
            released: 0,
            writes: Vec::new(),
            carried_out: 0,
            picture: Picture::new(&beam),
            beam,
            reached: 0,
        }
    }

    /// Resets the chip as the console's power switch does.
    pub fn reset(&mut self) {
        let stars = self.beam.stars;
        *self = Self::new(self.television, self.beam.window());
        self.beam.stars = stars;
    }

    /// The chip's time at a processor cycle.
    #[inline(always)]
    fn clock(&self, cycles: u32) -> u32 {
        CLOCKS_PER_CYCLE * cycles + self.begin
    }

    /// Lines since the frame began.
    pub fn lines(&self, cycles: u32) -> u32 {
        self.clock(cycles) / LINE_CLOCKS
    }

    /// Takes a write to a register.
    #[inline]
    pub fn write(&mut self, address: u16, value: u8, moment: Moment) -> Written {
        let register = (address & 0x3F) as u8;
        let clock = self.clock(moment.cycles);
        let write = Write { clock, register, value };
        self.reached = self.reached.max(write.takes_effect());
        self.writes.push(write);
        let mut written = Written::Done;
        if clock >= (self.television.last_line() + 1) * LINE_CLOCKS {
            written = Written::FrameEnd(0);
        }
        match register {
            VSYNC => {
                if value & 2 != 0 {
                    self.vsync_lasts = clock + LINE_CLOCKS;
                } else if clock >= self.vsync_lasts {
                    self.vsync_lasts = NEVER;
                    written = Written::FrameEnd(0);
                }
            }
            VBLANK => {
                if self.vblank & 0x80 != 0 && value & 0x80 == 0 {
                    self.released = moment.cycles;
                }
                self.vblank = value;
            }
            WSYNC if moment.after == Access::Read => {
                let into_line = clock / CLOCKS_PER_CYCLE % LINE_CYCLES;
                if into_line > 0 {
                    let wait = LINE_CYCLES - into_line;
                    written = if written == Written::Done { Written::Wait(wait) } else { Written::FrameEnd(wait) };
                }
            }
            _ => {}
        }
        written
    }

    /// Reads a register; the lines that it does not drive keep what was on them.
    #[inline]
    pub fn read(&mut self, address: u16, controls: &Controls, moment: Moment) -> u8 {
        let clock = self.clock(moment.cycles);
        self.reached = self.reached.max(clock);
        let register = address & 0x0F;
        let driven = match register {
            0x0..=0x7 => self.collisions(clock) >> (2 * register) << 6 & 0xC0,
            0x8..=0xB => self.paddle(controls.resistance[usize::from(register - 8)], moment.cycles),
            0xC | 0xD => u16::from(!controls.trigger_pressed[usize::from(register - 0xC)]) << 7,
            _ => 0,
        };
        driven as u8 | moment.bus & 0x3F
    }

    /// The collision latches, two bits for each of the eight registers, at a time not before the last write.
    fn collisions(&mut self, clock: u32) -> u16 {
        self.catch_up();
        self.beam.collide_until(clock);
        self.beam.collisions()
    }

    /// Has the beam carry out what was written.
    fn catch_up(&mut self) {
        self.beam.collide(&self.writes[self.carried_out..]);
        self.carried_out = self.writes.len();
    }

    /// Bit 7 of a paddle's input: whether its capacitor, which charges through the paddle's resistance, is full.
    fn paddle(&self, resistance: Option<u32>, cycles: u32) -> u16 {
        /// Farad of the capacitor times processor cycles in a second times the capacitor's own factor.
        const CYCLES_PER_OHM: f64 = 1.6 * 0.01e-6 * 1.19e6;
        let full = match resistance {
            Some(0) => true,
            None => false,
            _ if self.vblank & 0x80 != 0 => false,
            // A release in an earlier frame lies below zero, which here is a very late time.
            Some(resistance) => cycles > self.released.wrapping_add((CYCLES_PER_OHM * f64::from(resistance)) as u32),
        };
        u16::from(full) << 7
    }

    /// Ends the frame at a processor cycle, which becomes cycle 0 of the next.
    pub fn end_frame(&mut self, cycles: u32) {
        let clock = self.clock(cycles);
        self.catch_up();
        self.beam.collide_until(self.reached);
        let lines = clock / LINE_CLOCKS;
        self.picture.end_frame(&mut self.writes, self.reached);
        self.carried_out = 0;
        let passed = lines * LINE_CLOCKS;
        self.begin = clock - passed;
        self.beam.begin_frame(passed, self.television == Television::Pal && lines % 2 == 1);
        self.reached = self.begin;
        if self.vsync_lasts != NEVER {
            self.vsync_lasts = self.vsync_lasts.saturating_sub(passed);
        }
        self.released = self.released.wrapping_sub(cycles);
        self.picture.begin_frame(&self.beam);
    }

    /// The frame was not over when the processor's time was: what has not been drawn turns grey.
    pub fn interrupt_frame(&mut self, cycles: u32) {
        self.catch_up();
        self.beam.collide_until(self.reached);
        let line = self.lines(cycles);
        self.picture.interrupt_frame(&mut self.writes, self.reached, &self.beam, line);
        self.carried_out = 0;
    }

    /// Whether this can be a chip with a picture of so many rows.
    pub(crate) fn is_sound(&self, height: usize) -> bool {
        self.height() == height
            && self.carried_out <= self.writes.len()
            && self.beam.is_sound()
            && self.picture.is_sound(self.beam.window())
    }

    /// Rows of the picture.
    pub fn height(&self) -> usize {
        self.beam.window().height as usize
    }

    /// Writes the picture of the frame that ended last, a byte for each pixel.
    ///
    /// # Panics
    /// When the buffer does not have a byte for each pixel.
    pub fn read_picture(&self, pixels: &mut [u8]) {
        assert_eq!(pixels.len(), self.height() * WIDTH, "a byte for each of {} x {WIDTH} pixels", self.height());
        self.picture.read(pixels);
    }
}
