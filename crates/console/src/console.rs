//! The console: processor, chips and cartridge, one frame at a time.

use std::sync::Arc;

use crate::cartridge::{CARTRIDGE_RAM, Cartridge, Scheme, WrongSize};
use crate::controls::Controls;
use crate::cpu::{Bus, Cpu, Moment, Stop, WaitLoop, Written};
use crate::ram::{RAM_BYTES, Ram};
use crate::riot::Riot;
use crate::tia::{Television, Tia, Window};

/// Instructions after which a frame that has not ended is interrupted.
const INSTRUCTIONS_PER_FRAME: u32 = 25_000;

/// What the processor can reach.
#[derive(Clone, Debug)]
pub(crate) struct Board {
    pub riot: Riot,
    pub tia: Tia,
    pub cartridge: Cartridge,
    pub controls: Controls,
}

impl Bus for Board {
    #[inline(always)]
    fn read(&mut self, address: u16, moment: Moment) -> u8 {
        if address & 0x1000 != 0 {
            self.cartridge.read(address, moment.cycles)
        } else if address & 0x280 == 0x080 {
            self.riot.ram.at(address as u8)
        } else if address & 0x80 == 0 {
            self.tia.read(address, &self.controls, moment)
        } else {
            self.riot.read(address, &self.controls, moment.cycles)
        }
    }

    #[inline(always)]
    fn program(&self, address: u16) -> Option<u32> {
        self.cartridge.program(address)
    }

    fn readings_before_zero(&self, address: u16, wait: WaitLoop) -> u32 {
        // The timer is at 0x284 and 0x286, and wherever else lines that lead nowhere put it.
        if address & 0x1285 == 0x284 { self.riot.readings_before_zero(wait) } else { 0 }
    }

    #[inline(always)]
    fn write(&mut self, address: u16, value: u8, moment: Moment) -> Written {
        if address & 0x1000 != 0 {
            self.cartridge.write(address, value);
        } else if address & 0x80 == 0 {
            return self.tia.write(address, value, moment);
        } else if address & 0x200 == 0 {
            self.riot.ram.0[usize::from(address & 0x7F)] = value;
        } else {
            self.riot.write(address, value, moment.cycles);
        }
        Written::Done
    }
}

/// A console with a cartridge in it.
#[derive(Clone, Debug)]
pub struct Console {
    pub(crate) cpu: Cpu,
    pub(crate) board: Board,
}

impl Console {
    /// A console whose memory is empty. It has to be reset before it can run.
    ///
    /// # Errors
    /// When the ROM has not the size of such a cartridge.
    pub fn new(rom: Arc<[u8]>, scheme: Scheme, television: Television, window: Window) -> Result<Self, WrongSize> {
        let mut board = Board {
            riot: Riot::new(Ram([0; RAM_BYTES]), 0),
            tia: Tia::new(television, window),
            cartridge: Cartridge::new(rom, scheme)?,
            controls: Controls::default(),
        };
        let cpu = Cpu::new(&mut board);
        Ok(Self { cpu, board })
    }

    /// Resets everything but the memory; the timer begins at a number.
    pub fn reset(&mut self, timer: u8) {
        self.board.riot.reset(timer);
        self.board.tia.reset();
        self.board.cartridge.reset();
        self.cpu = Cpu::new(&mut self.board);
    }

    /// Plugs the console into another television.
    pub fn set_television(&mut self, television: Television, window: Window) {
        self.board.tia = Tia::new(television, window);
    }

    /// Runs until a frame has ended or has taken too many instructions. Returns how many lines it had.
    pub fn run_frame(&mut self) -> u32 {
        let lines;
        match self.cpu.run(&mut self.board, INSTRUCTIONS_PER_FRAME) {
            Stop::FrameEnd => {
                let cycles = self.cpu.cycles;
                lines = self.board.tia.lines(cycles);
                self.board.tia.end_frame(cycles);
                self.board.riot.begin_frame(cycles);
                self.board.cartridge.begin_frame(cycles);
                self.cpu.cycles = 0;
            }
            Stop::Limit => {
                lines = self.board.tia.lines(self.cpu.cycles);
                self.board.tia.interrupt_frame(self.cpu.cycles);
            }
        }
        lines
    }

    /// What the players do.
    pub fn controls_mut(&mut self) -> &mut Controls {
        &mut self.board.controls
    }

    /// The memory.
    pub fn ram(&self) -> &Ram {
        &self.board.riot.ram
    }

    /// Fills the memory.
    pub fn set_ram(&mut self, ram: Ram) {
        self.board.riot.ram = ram;
    }

    /// The memory in the cartridge, where it has some.
    pub fn cartridge_ram(&self) -> Option<&[u8; CARTRIDGE_RAM]> {
        self.board.cartridge.ram()
    }

    /// The memory in the cartridge, where it has some.
    pub fn cartridge_ram_mut(&mut self) -> Option<&mut [u8; CARTRIDGE_RAM]> {
        self.board.cartridge.ram_mut()
    }

    /// Rows of the picture.
    pub fn height(&self) -> usize {
        self.board.tia.height()
    }

    /// Writes the picture of the last frame, [`WIDTH`](crate::tia::WIDTH) palette bytes a row.
    ///
    /// # Panics
    /// When the buffer does not have a byte for each pixel.
    pub fn read_picture(&self, pixels: &mut [u8]) {
        self.board.tia.read_picture(pixels);
    }
}
