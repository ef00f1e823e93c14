//! The processor, a 6507: a 6502 with 13 address lines and no interrupts.
//!
//! Time goes as in the Arcade Learning Environment: an instruction's cycles pass when it has been fetched, then all of its
//! accesses happen at once, with the clock of the instruction's end. It makes none of the reads and writes that the real
//! processor makes only because it has nothing better to do.

mod arithmetic;
mod instructions;

use serde::{Deserialize, Serialize};

/// What the processor reads from and writes to.
pub trait Bus {
    /// The byte at an address.
    fn read(&mut self, address: u16, moment: Moment) -> u8;

    /// Four bytes of program from an address on, the first the lowest, where reading them does nothing else.
    fn program(&self, address: u16) -> Option<u32>;

    /// How many readings of a timer that is waited for will not be zero, where the address is the timer's.
    fn readings_before_zero(&self, address: u16, wait: WaitLoop) -> u32;

    /// Puts a byte to an address. What the processor is to do then follows from where that is.
    fn write(&mut self, address: u16, value: u8, moment: Moment) -> Written;
}

/// When and after what the processor makes an access.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Processor cycles since the frame began.
    pub cycles: u32,
    /// The byte that was last read or written, which stays on the data lines for a while.
    pub bus: u8,
    /// What the access before this one was.
    pub after: Access,
}

/// An access of the processor to its bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Access {
    Read,
    Write,
}

/// What a write brings about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Nothing more.
    Done,
    /// The processor is held for so many cycles.
    Wait(u32),
    /// The processor is held for so many cycles, and the frame ends after this instruction.
    FrameEnd(u32),
    /// The processor stops for good: it has met an instruction that is none.
    Jam,
}

/// A program that does nothing but wait for the timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitLoop {
    /// Processor cycle at which the timer is first read.
    pub first_read: u32,
    /// Cycles from one reading to the next.
    pub period: u32,
    /// More readings are not to be skipped.
    pub limit: u32,
}

/// Why the processor stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The frame has ended.
    FrameEnd,
    /// It ran as many instructions as it was allowed, or it is jammed.
    Limit,
}

/// The registers, and the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpu {
    /// Accumulator.
    pub a: u8,
    /// Index register X.
    pub x: u8,
    /// Index register Y.
    pub y: u8,
    /// Stack pointer, within page 1.
    pub sp: u8,
    /// Program counter.
    pub pc: u16,
    /// Flags of the status register but N and Z, at their places in it.
    flags: u8,
    /// A byte whose highest bit is the flag N.
    negative: u8,
    /// A byte that is zero where the flag Z is set.
    nonzero: u8,
    /// Cycles since the frame began.
    pub cycles: u32,
    /// The rest of the instruction, the next byte the lowest.
    ahead: u32,
    /// The byte last read or written.
    bus: u8,
    /// The access before.
    last: Access,
    /// Whether an instruction that stops the processor for good has been met.
    jammed: bool,
}

const CARRY: u8 = 0x01;
const ZERO: u8 = 0x02;
const INTERRUPT: u8 = 0x04;
const DECIMAL: u8 = 0x08;
/// Bits of a pushed status register that no flag stands behind.
const ALWAYS: u8 = 0x30;
const OVERFLOW: u8 = 0x40;
const NEGATIVE: u8 = 0x80;

/// Where the processor finds the address to begin at.
const RESET_VECTOR: u16 = 0xFFFC;
/// Where it finds the address that BRK goes to.
const BREAK_VECTOR: u16 = 0xFFFE;

impl Cpu {
    /// A processor that has been reset: it begins at the address in the cartridge's reset vector.
    pub fn new(bus: &mut impl Bus) -> Self {
        let mut cpu = Self {
            a: 0,
            x: 0,
            y: 0,
            sp: 0xFF,
            pc: 0,
            flags: 0,
            negative: 0,
            nonzero: 1,
            cycles: 0,
            ahead: 0,
            bus: 0,
            last: Access::Read,
            jammed: false,
        };
        cpu.pc = cpu.word(bus, RESET_VECTOR);
        cpu
    }

    /// The status register as it is pushed.
    pub fn status(&self) -> u8 {
        self.flags | ALWAYS | (self.negative & NEGATIVE) | if self.nonzero == 0 { ZERO } else { 0 }
    }

    /// Sets the flags from a byte that has the places of the status register.
    pub fn set_status(&mut self, status: u8) {
        self.flags = status & (CARRY | INTERRUPT | DECIMAL | OVERFLOW);
        self.negative = status;
        self.nonzero = !status & ZERO;
    }

    /// Whether the processor has been stopped for good by an instruction that is none.
    pub fn jammed(&self) -> bool {
        self.jammed
    }

    #[inline(always)]
    fn moment(&self) -> Moment {
        Moment { cycles: self.cycles, bus: self.bus, after: self.last }
    }

    #[inline(always)]
    fn read(&mut self, bus: &mut impl Bus, address: u16) -> u8 {
        let value = bus.read(address, self.moment());
        self.bus = value;
        self.last = Access::Read;
        value
    }

    /// The next byte of the instruction.
    #[inline(always)]
    fn fetch(&mut self) -> u8 {
        let value = self.ahead as u8;
        self.ahead >>= 8;
        self.pc = self.pc.wrapping_add(1);
        self.bus = value;
        value
    }

    #[inline(always)]
    fn fetch_word(&mut self) -> u16 {
        let word = self.ahead as u16;
        self.pc = self.pc.wrapping_add(2);
        self.bus = (word >> 8) as u8;
        word
    }

    #[inline(always)]
    fn word(&mut self, bus: &mut impl Bus, address: u16) -> u16 {
        let low = self.read(bus, address);
        u16::from_le_bytes([low, self.read(bus, address.wrapping_add(1))])
    }

    /// A word of page zero, which ends where the page does.
    #[inline(always)]
    fn word_of_page_zero(&mut self, bus: &mut impl Bus, address: u8) -> u16 {
        let low = self.read(bus, address.into());
        u16::from_le_bytes([low, self.read(bus, address.wrapping_add(1).into())])
    }

    #[inline(always)]
    fn set_nz(&mut self, value: u8) {
        self.negative = value;
        self.nonzero = value;
    }

    #[inline(always)]
    fn set_flag(&mut self, flag: u8, set: bool) {
        self.flags = (self.flags & !flag) | if set { flag } else { 0 };
    }

    #[inline(always)]
    fn carry(&self) -> u8 {
        self.flags & CARRY
    }
}
