//! Cartridges: what the processor finds at the addresses from 0x1000 on, and the circuits by which a game larger than the
//! 4 KiB there puts its parts in turns.

mod dpc;
mod parker;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::dpc::Dpc;

/// How a cartridge is wired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scheme {
    /// 2 or 4 KiB, all there at once.
    Plain,
    /// 8 KiB in two banks, by an access to 0x1FF8 or 0x1FF9.
    F8,
    /// The same with 128 bytes of memory.
    F8WithRam,
    /// 16 KiB in four banks, by an access to one of 0x1FF6 to 0x1FF9.
    F6,
    /// The same with 128 bytes of memory.
    F6WithRam,
    /// 8 KiB in eight parts of 1 KiB, three of which are chosen each on its own: Parker Brothers' games.
    E0,
    /// 8 KiB in two banks, by bit 13 of the address: Robot Tank.
    Fe,
    /// 8 KiB of program and 2 KiB of graphics with a chip that fetches them: Pitfall II.
    Dpc,
}

/// A file that is no cartridge of the kind it should be.
#[derive(Debug, Error)]
#[error("a cartridge wired as {scheme:?} has {expected} bytes, this file has {given}")]
pub struct WrongSize {
    /// How it should be wired.
    pub scheme: Scheme,
    /// Sizes that such a cartridge can have.
    pub expected: &'static str,
    /// Bytes of the file.
    pub given: usize,
}

/// Bytes of a window, the smallest part of a cartridge that is put somewhere by itself.
const WINDOW: usize = 0x400;
/// Bytes of the largest program.
const PROGRAM: usize = 0x4000;
/// Bytes of memory in a cartridge that has some.
pub const CARTRIDGE_RAM: usize = 128;

/// What else than reading a program the circuits can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Circuit {
    /// Nothing.
    None,
    /// A bank of 4 KiB for each address from this one to 0xFF9.
    Banks { first: u16 },
    /// The same, with memory that is written at 0x000 to 0x07F and read at 0x080 to 0x0FF.
    BanksAndRam {
        first: u16,
        #[serde(with = "serde_bytes")]
        ram: [u8; CARTRIDGE_RAM],
    },
    /// Parker Brothers' windows.
    Windows,
    /// Pitfall II's chip.
    Dpc(Box<Dpc>),
}

/// A cartridge in the console.
#[derive(Clone, Debug)]
pub struct Cartridge {
    /// The program, as often as it goes into the largest.
    program: Arc<[u8; PROGRAM]>,
    /// Pitfall II's graphics.
    graphics: Arc<[u8]>,
    scheme: Scheme,
    /// Where in the ROM each kibibyte of addresses begins, by bits 10 to 13 of the address.
    windows: [u32; 16],
    /// Offset of the first address that has nothing but ROM behind it.
    plain_from: u16,
    /// How many such addresses there are.
    plain: u16,
    circuit: Circuit,
}

/// What changes in a cartridge while it is played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartridgeState {
    windows: [u32; 16],
    circuit: Circuit,
}

impl Cartridge {
    /// A cartridge with these bytes, just plugged in.
    ///
    /// # Errors
    /// When there are too many or too few bytes for the scheme.
    pub fn new(rom: Arc<[u8]>, scheme: Scheme) -> Result<Self, WrongSize> {
        let (fits, expected) = match scheme {
            Scheme::Plain => (rom.len() == 0x800 || rom.len() == 0x1000, "2048 or 4096"),
            Scheme::F8 | Scheme::F8WithRam | Scheme::E0 | Scheme::Fe => (rom.len() == 0x2000, "8192"),
            Scheme::F6 | Scheme::F6WithRam => (rom.len() == 0x4000, "16384"),
            Scheme::Dpc => (matches!(rom.len(), 0x2800 | 0x28FF | 0x2900), "10240, 10495 or 10496"),
        };
        if !fits {
            return Err(WrongSize { scheme, expected, given: rom.len() });
        }
        let (plain_from, plain_to) = match scheme {
            Scheme::Plain | Scheme::Fe => (0, 0x1000),
            Scheme::F8 => (0, 0xFF8),
            Scheme::F6 => (0, 0xFF6),
            Scheme::F8WithRam => (0x100, 0xFF8),
            Scheme::F6WithRam => (0x100, 0xFF6),
            Scheme::E0 => (0, 0xFE0),
            // The last 64 bytes are ROM too, but a read there is one that the chip notices.
            Scheme::Dpc => (0x80, 0xFC0),
        };
        let (program, graphics) =
            rom.split_at(rom.len().min(if scheme == Scheme::Dpc { dpc::GRAPHICS } else { PROGRAM }));
        let mut cartridge = Self {
            program: Arc::new(std::array::from_fn(|byte| program[byte % program.len()])),
            graphics: graphics.into(),
            scheme,
            windows: [0; 16],
            plain_from,
            plain: plain_to - plain_from,
            circuit: Circuit::None,
        };
        cartridge.reset();
        Ok(cartridge)
    }

    /// How it is wired.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Puts the circuits into the state in which the console's reset leaves them. The memory stays as it is.
    pub fn reset(&mut self) {
        let ram = self.ram().copied().unwrap_or([0; CARTRIDGE_RAM]);
        let before = std::mem::replace(&mut self.circuit, Circuit::None);
        self.circuit = match self.scheme {
            Scheme::Plain | Scheme::Fe => Circuit::None,
            Scheme::F8 => Circuit::Banks { first: 0xFF8 },
            Scheme::F6 => Circuit::Banks { first: 0xFF6 },
            Scheme::F8WithRam => Circuit::BanksAndRam { first: 0xFF8, ram },
            Scheme::F6WithRam => Circuit::BanksAndRam { first: 0xFF6, ram },
            Scheme::E0 => Circuit::Windows,
            Scheme::Dpc => {
                let mut dpc = if let Circuit::Dpc(dpc) = before { dpc } else { Box::default() };
                dpc.reset();
                Circuit::Dpc(dpc)
            }
        };
        match self.scheme {
            Scheme::Plain => {
                for (window, start) in self.windows.iter_mut().enumerate() {
                    *start = (window % 4 * WINDOW) as u32;
                }
            }
            // Addresses with bit 13 are the first bank's.
            Scheme::Fe => {
                for (window, start) in self.windows.iter_mut().enumerate() {
                    let bank = if window & 8 != 0 { 0 } else { 0x1000 };
                    *start = (window % 4 * WINDOW + bank) as u32;
                }
            }
            Scheme::F8 | Scheme::F8WithRam | Scheme::Dpc => self.set_bank(1),
            Scheme::F6 | Scheme::F6WithRam => self.set_bank(0),
            Scheme::E0 => {
                for window in 0..4 {
                    self.set_window(window, window + 4);
                }
            }
        }
    }

    /// The memory in the cartridge, where it has some.
    pub fn ram(&self) -> Option<&[u8; CARTRIDGE_RAM]> {
        match &self.circuit {
            Circuit::BanksAndRam { ram, .. } => Some(ram),
            _ => None,
        }
    }

    /// The memory in the cartridge, where it has some.
    pub fn ram_mut(&mut self) -> Option<&mut [u8; CARTRIDGE_RAM]> {
        match &mut self.circuit {
            Circuit::BanksAndRam { ram, .. } => Some(ram),
            _ => None,
        }
    }

    /// What play has changed.
    pub fn state(&self) -> CartridgeState {
        CartridgeState { windows: self.windows, circuit: self.circuit.clone() }
    }

    /// Whether a state is that of such a cartridge.
    pub(crate) fn accepts(&self, state: &CartridgeState) -> bool {
        std::mem::discriminant(&self.circuit) == std::mem::discriminant(&state.circuit)
    }

    /// Goes on from a state.
    pub(crate) fn restore(&mut self, state: CartridgeState) {
        self.windows = state.windows;
        self.circuit = state.circuit;
    }

    /// The frame's cycles are counted from here on.
    pub fn begin_frame(&mut self, cycles: u32) {
        if let Circuit::Dpc(dpc) = &mut self.circuit {
            dpc.begin_frame(cycles);
        }
    }

    /// Chooses one of the banks of 4 KiB.
    fn set_bank(&mut self, bank: usize) {
        for (window, start) in self.windows.iter_mut().enumerate() {
            *start = (bank * 4 * WINDOW + window % 4 * WINDOW) as u32;
        }
    }

    /// Puts one of the parts of 1 KiB into a window.
    fn set_window(&mut self, window: usize, part: usize) {
        for mirror in (window..16).step_by(4) {
            self.windows[mirror] = (part * WINDOW) as u32;
        }
    }

    /// The byte of the program at an address, whatever else happens there.
    #[inline(always)]
    fn rom_at(&self, address: u16) -> u8 {
        let start = self.windows[usize::from(address >> 10 & 15)];
        self.program[(start as usize + usize::from(address) % WINDOW) % PROGRAM]
    }

    /// Four bytes of program from an address on, where nothing but ROM lies behind them.
    #[inline(always)]
    pub fn program(&self, address: u16) -> Option<u32> {
        let within = usize::from(address) % WINDOW;
        if address & 0x1000 == 0
            || (address & 0xFFF).wrapping_sub(self.plain_from) >= self.plain - 3
            || within > WINDOW - 4
        {
            return None;
        }
        let start = (self.windows[usize::from(address >> 10 & 15)] as usize + within) % PROGRAM;
        self.program[start..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// Reads at an address that the cartridge answers.
    #[inline(always)]
    pub fn read(&mut self, address: u16, cycles: u32) -> u8 {
        if (address & 0xFFF).wrapping_sub(self.plain_from) < self.plain {
            return self.rom_at(address);
        }
        self.read_special(address, cycles)
    }

    #[cold]
    fn read_special(&mut self, address: u16, cycles: u32) -> u8 {
        let offset = address & 0xFFF;
        if let Circuit::Dpc(dpc) = &mut self.circuit {
            dpc.step_random();
            if offset < 0x40 {
                return dpc.read(offset, &self.graphics, cycles);
            }
        }
        if let Circuit::BanksAndRam { ram, .. } = &self.circuit
            && offset & 0xF80 == 0x080
        {
            return ram[usize::from(offset) % CARTRIDGE_RAM];
        }
        self.switch(offset);
        self.rom_at(address)
    }

    /// Writes at an address that the cartridge answers.
    #[inline]
    pub fn write(&mut self, address: u16, value: u8) {
        let offset = address & 0xFFF;
        if let Circuit::Dpc(dpc) = &mut self.circuit {
            dpc.step_random();
        }
        match &mut self.circuit {
            Circuit::Dpc(dpc) if offset & 0xFC0 == 0x040 => dpc.write(offset, value),
            Circuit::BanksAndRam { ram, .. } if offset < 0x080 => ram[usize::from(offset)] = value,
            _ => self.switch(offset),
        }
    }

    /// What an access to an address switches.
    fn switch(&mut self, offset: u16) {
        match self.circuit {
            Circuit::Banks { first } | Circuit::BanksAndRam { first, .. } if (first..0xFFA).contains(&offset) => {
                self.set_bank(usize::from(offset - first));
            }
            Circuit::Dpc(_) if matches!(offset, 0xFF8 | 0xFF9) => self.set_bank(usize::from(offset - 0xFF8)),
            Circuit::Windows => self.switch_window(offset),
            _ => {}
        }
    }
}

/// Where a game of two banks begins.
#[cfg(test)]
mod tests {
    use super::*;

    /// A ROM in which each byte says which kibibyte it lies in.
    fn numbered(kibibytes: u8) -> Arc<[u8]> {
        (0..kibibytes).flat_map(|number| [number; WINDOW]).collect()
    }

    #[test]
    fn banks_change_with_an_access_to_their_addresses() {
        let mut f8 = Cartridge::new(numbered(8), Scheme::F8).unwrap();
        assert_eq!([f8.read(0x1FF8, 0), f8.read(0xF000, 0), f8.read(0x1FF9, 0), f8.read(0x1000, 0)], [3, 0, 7, 4]);
        let mut f6 = Cartridge::new(numbered(16), Scheme::F6).unwrap();
        f6.write(0x1FF8, 0);
        assert_eq!(f6.read(0x1400, 0), 9);
        let mut e0 = Cartridge::new(numbered(8), Scheme::E0).unwrap();
        e0.read(0x1FE2, 0);
        e0.read(0x1FE8 + 3, 0);
        e0.read(0x1FF0 + 1, 0);
        assert_eq!([0x1000, 0x1400, 0x1800, 0x1C00].map(|address| e0.read(address, 0)), [2, 3, 1, 7]);
        let mut fe = Cartridge::new(numbered(8), Scheme::Fe).unwrap();
        assert_eq!([fe.read(0xF000, 0), fe.read(0xD000, 0)], [0, 4]);
    }

    #[test]
    fn half_a_cartridge_is_there_twice_and_one_of_another_size_is_refused() {
        let mut plain = Cartridge::new(numbered(2), Scheme::Plain).unwrap();
        assert_eq!([plain.read(0x1000, 0), plain.read(0x1C00, 0)], [0, 1]);
        let error = Cartridge::new(numbered(3), Scheme::F8).unwrap_err();
        assert_eq!(error.to_string(), "a cartridge wired as F8 has 8192 bytes, this file has 3072");
    }

    #[test]
    fn memory_in_a_cartridge_is_written_and_read_at_different_addresses() {
        let mut cartridge = Cartridge::new(numbered(8), Scheme::F8WithRam).unwrap();
        cartridge.write(0x1003, 42);
        assert_eq!([cartridge.read(0x1083, 0), cartridge.read(0x1084, 0), cartridge.read(0x1100, 0)], [42, 0, 4]);
    }
}
