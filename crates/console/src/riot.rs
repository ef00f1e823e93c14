//! The chip with the memory, the timer and the two ports: RAM, I/O and timer, in one.

use serde::{Deserialize, Serialize};

use crate::controls::Controls;
use crate::cpu::WaitLoop;
use crate::ram::Ram;

/// The timer: a number that goes down by one every so many cycles, and every cycle once it has passed zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Timer {
    start: u32,
    /// The number of cycles between two steps is two to this power.
    shift: u32,
    /// Processor cycle, of this frame, at which it was set; may lie before the frame.
    set: i32,
    /// Cycle at which the number was first read after it had passed zero. From there on it counts in steps again.
    read_late: Option<i32>,
}

/// The chip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Riot {
    /// The console's memory.
    pub ram: Ram,
    timer: Timer,
    /// The direction register of port A. Its pins are read whatever it says.
    direction: u8,
}

impl Riot {
    /// A chip with this memory, whose timer begins at a number.
    pub fn new(ram: Ram, timer: u8) -> Self {
        Self { ram, timer: Timer { start: timer.into(), shift: 6, set: 0, read_late: None }, direction: 0 }
    }

    /// Resets everything but the memory.
    pub fn reset(&mut self, timer: u8) {
        self.timer = Timer { start: timer.into(), shift: 6, set: 0, read_late: None };
        self.direction = 0;
    }

    /// The frame's cycles have been counted from here on.
    pub fn begin_frame(&mut self, cycles: u32) {
        self.timer.set = self.timer.set.wrapping_sub(cycles as i32);
        if let Some(read) = &mut self.timer.read_late {
            *read = read.wrapping_sub(cycles as i32);
        }
    }

    /// Reads a port or the timer.
    pub fn read(&mut self, address: u16, controls: &Controls, cycles: u32) -> u8 {
        match address & 7 {
            0 => controls.sticks,
            1 => self.direction,
            2 => controls.switches,
            3 => 0,
            4 | 6 => self.timer.read(cycles),
            _ => self.timer.expired(cycles),
        }
    }

    /// How many readings of the timer by a loop will not be zero, up to the loop's limit.
    pub fn readings_before_zero(&self, wait: WaitLoop) -> u32 {
        // The timer reads zero from the cycle on at which it has made all but one of its steps.
        let zero = i64::from(self.timer.set) + (i64::from(self.timer.start.saturating_sub(1)) << self.timer.shift);
        let before = zero - i64::from(wait.first_read);
        if before < 0 {
            return 0;
        }
        (before as u32 / wait.period + 1).min(wait.limit)
    }

    /// Writes to a port or the timer.
    pub fn write(&mut self, address: u16, value: u8, cycles: u32) {
        let shift = match address & 0x17 {
            0x14 => 0,
            0x15 => 3,
            0x16 => 6,
            0x17 => 10,
            register => {
                if register & 7 == 1 {
                    self.direction = value;
                }
                return;
            }
        };
        self.timer = Timer { start: value.into(), shift, set: cycles as i32, read_late: None };
    }
}

impl Timer {
    /// Cycles since it was set, the last of which does not count.
    fn passed(&self, cycles: u32) -> u32 {
        (cycles as i32).wrapping_sub(1).wrapping_sub(self.set) as u32
    }

    fn read(&mut self, cycles: u32) -> u8 {
        let passed = self.passed(cycles);
        let stepped = (self.start as i32).wrapping_sub((passed >> self.shift) as i32);
        if stepped > 0 {
            return (stepped - 1) as u8;
        }
        let zero = self.start << self.shift;
        let beyond = (zero as i32).wrapping_sub(passed as i32).wrapping_sub(1);
        if beyond <= -2 && self.read_late.is_none() {
            self.read_late = Some((cycles as i32).wrapping_sub(1));
        }
        match self.read_late {
            Some(read) => (stepped - 1).wrapping_sub(read.wrapping_sub(self.set.wrapping_add(zero as i32))) as u8,
            None => beyond as u8,
        }
    }

    /// Bit 7: whether it has passed zero and has not been read since.
    fn expired(&self, cycles: u32) -> u8 {
        let stepped = (self.start as i32).wrapping_sub((self.passed(cycles) >> self.shift) as i32).wrapping_sub(1);
        if stepped >= 0 || self.read_late.is_some() { 0 } else { 0x80 }
    }
}
