//! The 256 operation codes: what each does, and how long it takes.

use super::{Access, BREAK_VECTOR, Bus, CARRY, Cpu, DECIMAL, INTERRUPT, OVERFLOW, Stop, WaitLoop, Written};

/// Cycles of each instruction, without those that some addresses and taken branches add. Those of 0xA7, a load of two
/// registers that no manual has, are the emulator's; on the real processor they are 3.
#[rustfmt::skip]
const CYCLES: [u8; 256] = [
    7, 6, 2, 8, 3, 3, 5, 5, 3, 2, 2, 2, 4, 4, 6, 6,
    2, 5, 2, 8, 4, 4, 6, 6, 2, 4, 2, 7, 4, 4, 7, 7,
    6, 6, 2, 8, 3, 3, 5, 5, 4, 2, 2, 2, 4, 4, 6, 6,
    2, 5, 2, 8, 4, 4, 6, 6, 2, 4, 2, 7, 4, 4, 7, 7,
    6, 6, 2, 8, 3, 3, 5, 5, 3, 2, 2, 2, 3, 4, 6, 6,
    2, 5, 2, 8, 4, 4, 6, 6, 2, 4, 2, 7, 4, 4, 7, 7,
    6, 6, 2, 8, 3, 3, 5, 5, 4, 2, 2, 2, 5, 4, 6, 6,
    2, 5, 2, 8, 4, 4, 6, 6, 2, 4, 2, 7, 4, 4, 7, 7,
    2, 6, 2, 6, 3, 3, 3, 3, 2, 2, 2, 2, 4, 4, 4, 4,
    2, 6, 2, 6, 4, 4, 4, 4, 2, 5, 2, 5, 5, 5, 5, 5,
    2, 6, 2, 6, 3, 3, 3, 4, 2, 2, 2, 2, 4, 4, 4, 4,
    2, 5, 2, 5, 4, 4, 4, 4, 2, 4, 2, 4, 4, 4, 4, 4,
    2, 6, 2, 8, 3, 3, 5, 5, 2, 2, 2, 2, 4, 4, 6, 6,
    2, 5, 2, 8, 4, 4, 6, 6, 2, 4, 2, 7, 4, 4, 7, 7,
    2, 6, 2, 8, 3, 3, 5, 5, 2, 2, 2, 2, 4, 4, 6, 6,
    2, 5, 2, 8, 4, 4, 6, 6, 2, 4, 2, 7, 4, 4, 7, 7,
];

/// How far a branch leads back to a load of three bytes before it.
const WAIT_DISTANCE: i8 = -5;
const LDA_ABSOLUTE: u8 = 0xAD;
const LDX_ABSOLUTE: u8 = 0xAE;
const LDY_ABSOLUTE: u8 = 0xAC;

/// Cycles more of a branch that is taken, from the instruction after it.
#[inline(always)]
fn branch_cycles(from: u16, to: u16) -> u32 {
    if (from ^ to) & 0xFF00 == 0 { 1 } else { 2 }
}

/// Bytes of an instruction that are read before it does anything.
fn length(opcode: u8) -> u16 {
    match opcode {
        // The last byte of JSR is read when the return address has been pushed.
        0x00 | 0x20 => 2,
        0x40 | 0x60 => 1,
        _ => match opcode & 0x1F {
            0x08 | 0x0A | 0x12 | 0x18 | 0x1A => 1,
            0x02 if opcode < 0x80 => 1,
            0x19 | 0x1B..=0x1F | 0x0C..=0x0F => 3,
            _ => 2,
        },
    }
}

impl Cpu {
    /// Runs until the frame ends, but no more than so many instructions.
    pub fn run(&mut self, bus: &mut impl Bus, instructions: u32) -> Stop {
        // A copy of our own, so that the compiler can keep it in registers.
        let mut cpu = self.clone();
        let mut stop = Stop::Limit;
        let mut left = if cpu.jammed { 0 } else { instructions };
        while left > 0 {
            left -= 1;
            match cpu.step(bus, &mut left) {
                Written::FrameEnd(_) => {
                    stop = Stop::FrameEnd;
                    break;
                }
                Written::Jam => {
                    cpu.jammed = true;
                    break;
                }
                _ => {}
            }
        }
        *self = cpu;
        stop
    }

    /// One instruction; of a loop that waits for the timer, many, but no more than are left.
    #[inline(always)]
    fn step(&mut self, bus: &mut impl Bus, left: &mut u32) -> Written {
        // What an instruction reads first leaves its own byte on the data lines.
        self.bus = 0;
        self.last = Access::Read;
        self.ahead = match bus.program(self.pc) {
            Some(bytes) => bytes,
            None => self.read_instruction(bus),
        };
        let opcode = self.fetch();
        self.cycles += u32::from(CYCLES[usize::from(opcode)]);

        /// Reads a value where an addressing mode says, and does something with it.
        macro_rules! read {
            ($address:ident, $operation:ident) => {{
                let address = self.$address(bus);
                let value = self.read(bus, address);
                self.$operation(value);
                Written::Done
            }};
        }
        macro_rules! immediate {
            ($operation:ident) => {{
                let value = self.fetch();
                self.$operation(value);
                Written::Done
            }};
        }
        macro_rules! modify {
            ($address:ident, $operation:ident) => {{
                let address = self.$address(bus);
                let value = self.read(bus, address);
                let result = self.$operation(value);
                self.write(bus, address, result)
            }};
        }
        macro_rules! store {
            ($address:ident, $value:expr) => {{
                let address = self.$address(bus);
                let value = $value;
                self.write(bus, address, value)
            }};
        }
        /// Stores a value AND one more than the high byte of the address before indexing.
        macro_rules! store_and_high {
            ($address:ident, $index:ident, $value:expr) => {{
                let address = self.$address(bus);
                let high = (address.wrapping_sub(self.$index.into()) >> 8) as u8;
                let value = $value & high.wrapping_add(1);
                self.write(bus, address, value)
            }};
        }
        macro_rules! done {
            ($what:expr) => {{
                $what;
                Written::Done
            }};
        }
        macro_rules! flag {
            ($flag:ident, $set:expr) => {
                done!(self.set_flag($flag, $set))
            };
        }
        macro_rules! branch {
            ($condition:expr) => {{
                let distance = self.fetch();
                if $condition {
                    self.branch(distance);
                }
                Written::Done
            }};
        }

        match opcode {
            0x69 => immediate!(adc),
            0x65 => read!(zero_page, adc),
            0x75 => read!(zero_page_x, adc),
            0x6D => read!(absolute, adc),
            0x7D => read!(absolute_x_read, adc),
            0x79 => read!(absolute_y_read, adc),
            0x61 => read!(indirect_x, adc),
            0x71 => read!(indirect_y_read, adc),

            0xE9 | 0xEB => immediate!(sbc),
            0xE5 => read!(zero_page, sbc),
            0xF5 => read!(zero_page_x, sbc),
            0xED => read!(absolute, sbc),
            0xFD => read!(absolute_x_read, sbc),
            0xF9 => read!(absolute_y_read, sbc),
            0xE1 => read!(indirect_x, sbc),
            0xF1 => read!(indirect_y_read, sbc),

            0xA9 => immediate!(lda),
            0xA5 => read!(zero_page, lda),
            0xB5 => read!(zero_page_x, lda),
            0xAD => read!(absolute, lda),
            0xBD => read!(absolute_x_read, lda),
            0xB9 => read!(absolute_y_read, lda),
            0xA1 => read!(indirect_x, lda),
            0xB1 => read!(indirect_y_read, lda),

            0xA2 => immediate!(ldx),
            0xA6 => read!(zero_page, ldx),
            0xB6 => read!(zero_page_y, ldx),
            0xAE => read!(absolute, ldx),
            0xBE => read!(absolute_y_read, ldx),

            0xA0 => immediate!(ldy),
            0xA4 => read!(zero_page, ldy),
            0xB4 => read!(zero_page_x, ldy),
            0xAC => read!(absolute, ldy),
            0xBC => read!(absolute_x_read, ldy),

            0x29 => immediate!(and),
            0x25 => read!(zero_page, and),
            0x35 => read!(zero_page_x, and),
            0x2D => read!(absolute, and),
            0x3D => read!(absolute_x_read, and),
            0x39 => read!(absolute_y_read, and),
            0x21 => read!(indirect_x, and),
            0x31 => read!(indirect_y_read, and),

            0x09 => immediate!(ora),
            0x05 => read!(zero_page, ora),
            0x15 => read!(zero_page_x, ora),
            0x0D => read!(absolute, ora),
            0x1D => read!(absolute_x_read, ora),
            0x19 => read!(absolute_y_read, ora),
            0x01 => read!(indirect_x, ora),
            0x11 => read!(indirect_y_read, ora),

            0x49 => immediate!(eor),
            0x45 => read!(zero_page, eor),
            0x55 => read!(zero_page_x, eor),
            0x4D => read!(absolute, eor),
            0x5D => read!(absolute_x_read, eor),
            0x59 => read!(absolute_y_read, eor),
            0x41 => read!(indirect_x, eor),
            0x51 => read!(indirect_y_read, eor),

            0xC9 => immediate!(cmp),
            0xC5 => read!(zero_page, cmp),
            0xD5 => read!(zero_page_x, cmp),
            0xCD => read!(absolute, cmp),
            0xDD => read!(absolute_x_read, cmp),
            0xD9 => read!(absolute_y_read, cmp),
            0xC1 => read!(indirect_x, cmp),
            0xD1 => read!(indirect_y_read, cmp),

            0xE0 => immediate!(cpx),
            0xE4 => read!(zero_page, cpx),
            0xEC => read!(absolute, cpx),
            0xC0 => immediate!(cpy),
            0xC4 => read!(zero_page, cpy),
            0xCC => read!(absolute, cpy),

            0x24 => read!(zero_page, bit),
            0x2C => read!(absolute, bit),

            0x85 => store!(zero_page, self.a),
            0x95 => store!(zero_page_x, self.a),
            0x8D => store!(absolute, self.a),
            0x9D => store!(absolute_x, self.a),
            0x99 => store!(absolute_y, self.a),
            0x81 => store!(indirect_x, self.a),
            0x91 => store!(indirect_y, self.a),
            0x86 => store!(zero_page, self.x),
            0x96 => store!(zero_page_y, self.x),
            0x8E => store!(absolute, self.x),
            0x84 => store!(zero_page, self.y),
            0x94 => store!(zero_page_x, self.y),
            0x8C => store!(absolute, self.y),

            0x0A => done!(self.a = self.asl(self.a)),
            0x06 => modify!(zero_page, asl),
            0x16 => modify!(zero_page_x, asl),
            0x0E => modify!(absolute, asl),
            0x1E => modify!(absolute_x, asl),
            0x4A => done!(self.a = self.lsr(self.a)),
            0x46 => modify!(zero_page, lsr),
            0x56 => modify!(zero_page_x, lsr),
            0x4E => modify!(absolute, lsr),
            0x5E => modify!(absolute_x, lsr),
            0x2A => done!(self.a = self.rol(self.a)),
            0x26 => modify!(zero_page, rol),
            0x36 => modify!(zero_page_x, rol),
            0x2E => modify!(absolute, rol),
            0x3E => modify!(absolute_x, rol),
            0x6A => done!(self.a = self.ror(self.a)),
            0x66 => modify!(zero_page, ror),
            0x76 => modify!(zero_page_x, ror),
            0x6E => modify!(absolute, ror),
            0x7E => modify!(absolute_x, ror),
            0xE6 => modify!(zero_page, inc),
            0xF6 => modify!(zero_page_x, inc),
            0xEE => modify!(absolute, inc),
            0xFE => modify!(absolute_x, inc),
            0xC6 => modify!(zero_page, dec),
            0xD6 => modify!(zero_page_x, dec),
            0xCE => modify!(absolute, dec),
            0xDE => modify!(absolute_x, dec),
            0xE8 => done!(self.x = self.inc(self.x)),
            0xC8 => done!(self.y = self.inc(self.y)),
            0xCA => done!(self.x = self.dec(self.x)),
            0x88 => done!(self.y = self.dec(self.y)),

            0xAA => done!(self.ldx(self.a)),
            0xA8 => done!(self.ldy(self.a)),
            0x8A => done!(self.lda(self.x)),
            0x98 => done!(self.lda(self.y)),
            0xBA => done!(self.ldx(self.sp)),
            0x9A => done!(self.sp = self.x),

            0x10 => branch!(self.negative & 0x80 == 0),
            0x30 => branch!(self.negative & 0x80 != 0),
            0x50 => branch!(self.flags & OVERFLOW == 0),
            0x70 => branch!(self.flags & OVERFLOW != 0),
            0x90 => branch!(self.flags & CARRY == 0),
            0xB0 => branch!(self.flags & CARRY != 0),
            0xD0 => {
                let distance = self.fetch();
                if self.nonzero != 0 {
                    let from = self.pc;
                    self.branch(distance);
                    if distance as i8 == WAIT_DISTANCE {
                        self.skip_waiting(bus, from, left);
                    }
                }
                Written::Done
            }
            0xF0 => branch!(self.nonzero == 0),

            0x18 => flag!(CARRY, false),
            0x38 => flag!(CARRY, true),
            0x58 => flag!(INTERRUPT, false),
            0x78 => flag!(INTERRUPT, true),
            0xB8 => flag!(OVERFLOW, false),
            0xD8 => flag!(DECIMAL, false),
            0xF8 => flag!(DECIMAL, true),

            0x48 => self.push(bus, self.a),
            0x08 => self.push(bus, self.status()),
            0x68 => {
                let value = self.pull_first(bus);
                done!(self.lda(value))
            }
            0x28 => {
                let status = self.pull_first(bus);
                done!(self.set_status(status))
            }

            0x4C => done!(self.pc = self.fetch_word()),
            0x6C => {
                let pointer = self.fetch_word();
                let low = self.read(bus, pointer);
                // The second byte comes from the same page.
                let high = self.read(bus, pointer & 0xFF00 | u16::from((pointer as u8).wrapping_add(1)));
                done!(self.pc = u16::from_le_bytes([low, high]))
            }
            0x20 => {
                let low = self.fetch();
                let mut written = self.push(bus, (self.pc >> 8) as u8);
                written = self.push(bus, self.pc as u8).or(written);
                let high = self.read(bus, self.pc);
                self.pc = u16::from_le_bytes([low, high]);
                written
            }
            0x60 => {
                let low = self.pull_first(bus);
                done!(self.pc = u16::from_le_bytes([low, self.pull(bus)]).wrapping_add(1))
            }
            0x40 => {
                let status = self.pull_first(bus);
                self.set_status(status);
                let low = self.pull(bus);
                done!(self.pc = u16::from_le_bytes([low, self.pull(bus)]))
            }
            0x00 => {
                self.fetch();
                let mut written = self.push(bus, (self.pc >> 8) as u8);
                written = self.push(bus, self.pc as u8).or(written);
                written = self.push(bus, self.status()).or(written);
                self.set_flag(INTERRUPT, true);
                self.pc = self.word(bus, BREAK_VECTOR);
                written
            }

            0xEA | 0x1A | 0x3A | 0x5A | 0x7A | 0xDA | 0xFA => Written::Done,

            // Those that no manual has.
            0x80 | 0x82 | 0x89 | 0xC2 | 0xE2 => immediate!(nothing),
            0x04 | 0x44 | 0x64 => read!(zero_page, nothing),
            0x14 | 0x34 | 0x54 | 0x74 | 0xD4 | 0xF4 => read!(zero_page_x, nothing),
            0x0C => read!(absolute, nothing),
            0x1C | 0x3C | 0x5C | 0x7C | 0xDC | 0xFC => read!(absolute_x_read, nothing),

            0x07 => modify!(zero_page, slo),
            0x17 => modify!(zero_page_x, slo),
            0x0F => modify!(absolute, slo),
            0x1F => modify!(absolute_x, slo),
            0x1B => modify!(absolute_y, slo),
            0x03 => modify!(indirect_x, slo),
            0x13 => modify!(indirect_y, slo),
            0x27 => modify!(zero_page, rla),
            0x37 => modify!(zero_page_x, rla),
            0x2F => modify!(absolute, rla),
            0x3F => modify!(absolute_x, rla),
            0x3B => modify!(absolute_y, rla),
            0x23 => modify!(indirect_x, rla),
            0x33 => modify!(indirect_y, rla),
            0x47 => modify!(zero_page, sre),
            0x57 => modify!(zero_page_x, sre),
            0x4F => modify!(absolute, sre),
            0x5F => modify!(absolute_x, sre),
            0x5B => modify!(absolute_y, sre),
            0x43 => modify!(indirect_x, sre),
            0x53 => modify!(indirect_y, sre),
            0x67 => modify!(zero_page, rra),
            0x77 => modify!(zero_page_x, rra),
            0x6F => modify!(absolute, rra),
            0x7F => modify!(absolute_x, rra),
            0x7B => modify!(absolute_y, rra),
            0x63 => modify!(indirect_x, rra),
            0x73 => modify!(indirect_y, rra),
            0xC7 => modify!(zero_page, dcp),
            0xD7 => modify!(zero_page_x, dcp),
            0xCF => modify!(absolute, dcp),
            0xDF => modify!(absolute_x, dcp),
            0xDB => modify!(absolute_y, dcp),
            0xC3 => modify!(indirect_x, dcp),
            0xD3 => modify!(indirect_y, dcp),
            0xE7 => modify!(zero_page, isb),
            0xF7 => modify!(zero_page_x, isb),
            0xEF => modify!(absolute, isb),
            0xFF => modify!(absolute_x, isb),
            0xFB => modify!(absolute_y, isb),
            0xE3 => modify!(indirect_x, isb),
            0xF3 => modify!(indirect_y, isb),

            0xA7 => read!(zero_page, lax),
            0xB7 => read!(zero_page_y, lax),
            0xAF => read!(absolute, lax),
            0xBF => read!(absolute_y_read, lax),
            0xA3 => read!(indirect_x, lax),
            0xB3 => read!(indirect_y_read, lax),
            0x87 => store!(zero_page, self.a & self.x),
            0x97 => store!(zero_page_y, self.a & self.x),
            0x8F => store!(absolute, self.a & self.x),
            0x83 => store!(indirect_x, self.a & self.x),
            0x0B | 0x2B => immediate!(anc),
            0x4B => immediate!(asr),
            0x6B => immediate!(arr),
            0xCB => immediate!(sbx),
            0x8B => immediate!(ane),
            0xAB => immediate!(lxa),
            0xBB => read!(absolute_y_read, las),
            0x9F => store_and_high!(absolute_y, y, self.a & self.x),
            0x93 => store_and_high!(indirect_y, y, self.a & self.x),
            0x9E => store_and_high!(absolute_y, y, self.x),
            0x9C => store_and_high!(absolute_x, x, self.y),
            0x9B => {
                self.sp = self.a & self.x;
                store_and_high!(absolute_y, y, self.sp)
            }

            0x02 | 0x12 | 0x22 | 0x32 | 0x42 | 0x52 | 0x62 | 0x72 | 0x92 | 0xB2 | 0xD2 | 0xF2 => Written::Jam,
        }
    }

    #[inline(always)]
    fn branch(&mut self, distance: u8) {
        let target = self.pc.wrapping_add_signed((distance as i8).into());
        self.cycles += branch_cycles(self.pc, target);
        self.pc = target;
    }

    /// Skips the rounds of a loop that loads the timer and branches back until it is zero, but the last. A round leaves
    /// nothing behind but the time: the next one loads the register again.
    fn skip_waiting(&mut self, bus: &mut impl Bus, branched_from: u16, left: &mut u32) {
        let Some(bytes) = bus.program(self.pc) else { return };
        let [load, low, high, _] = bytes.to_le_bytes();
        if !matches!(load, LDA_ABSOLUTE | LDX_ABSOLUTE | LDY_ABSOLUTE) {
            return;
        }
        let load = u32::from(CYCLES[usize::from(load)]);
        let branch = u32::from(CYCLES[0xD0]) + branch_cycles(branched_from, self.pc);
        let wait =
            WaitLoop { first_read: self.cycles + load, period: load + branch, limit: left.saturating_sub(2) / 2 };
        let rounds = bus.readings_before_zero(u16::from_le_bytes([low, high]), wait);
        self.cycles += rounds * wait.period;
        *left -= 2 * rounds;
    }

    /// The bytes of an instruction, one after the other.
    #[cold]
    fn read_instruction(&mut self, bus: &mut impl Bus) -> u32 {
        let opcode = self.read(bus, self.pc);
        let mut bytes = u32::from(opcode);
        for byte in 1..length(opcode) {
            bytes |= u32::from(self.read(bus, self.pc.wrapping_add(byte))) << (8 * byte);
        }
        bytes
    }

    #[inline(always)]
    fn write(&mut self, bus: &mut impl Bus, address: u16, value: u8) -> Written {
        let written = bus.write(address, value, self.moment());
        self.bus = value;
        self.last = Access::Write;
        if let Written::Wait(cycles) | Written::FrameEnd(cycles) = written {
            self.cycles += cycles;
        }
        written
    }

    #[inline(always)]
    fn push(&mut self, bus: &mut impl Bus, value: u8) -> Written {
        let address = 0x100 | u16::from(self.sp);
        self.sp = self.sp.wrapping_sub(1);
        self.write(bus, address, value)
    }

    /// The first pull of an instruction. The byte below the one it pulls is read too, and stays on the data lines.
    #[inline(always)]
    fn pull_first(&mut self, bus: &mut impl Bus) -> u8 {
        self.read(bus, 0x100 | u16::from(self.sp));
        self.pull(bus)
    }

    #[inline(always)]
    fn pull(&mut self, bus: &mut impl Bus) -> u8 {
        self.sp = self.sp.wrapping_add(1);
        self.read(bus, 0x100 | u16::from(self.sp))
    }

    #[inline(always)]
    fn zero_page(&mut self, _: &mut impl Bus) -> u16 {
        self.fetch().into()
    }

    #[inline(always)]
    fn zero_page_x(&mut self, _: &mut impl Bus) -> u16 {
        self.fetch().wrapping_add(self.x).into()
    }

    #[inline(always)]
    fn zero_page_y(&mut self, _: &mut impl Bus) -> u16 {
        self.fetch().wrapping_add(self.y).into()
    }

    #[inline(always)]
    fn absolute(&mut self, _: &mut impl Bus) -> u16 {
        self.fetch_word()
    }

    #[inline(always)]
    fn absolute_x(&mut self, _: &mut impl Bus) -> u16 {
        self.fetch_word().wrapping_add(self.x.into())
    }

    #[inline(always)]
    fn absolute_y(&mut self, _: &mut impl Bus) -> u16 {
        self.fetch_word().wrapping_add(self.y.into())
    }

    #[inline(always)]
    fn indirect_x(&mut self, bus: &mut impl Bus) -> u16 {
        let pointer = self.fetch().wrapping_add(self.x);
        self.word_of_page_zero(bus, pointer)
    }

    #[inline(always)]
    fn indirect_y(&mut self, bus: &mut impl Bus) -> u16 {
        let pointer = self.fetch();
        self.word_of_page_zero(bus, pointer).wrapping_add(self.y.into())
    }

    /// An address that takes a cycle more to read from where the index leads to another page.
    #[inline(always)]
    fn crossing(&mut self, address: u16, index: u8) -> u16 {
        if u16::from(address as u8) < u16::from(index) {
            self.cycles += 1;
        }
        address
    }

    #[inline(always)]
    fn absolute_x_read(&mut self, bus: &mut impl Bus) -> u16 {
        let address = self.absolute_x(bus);
        self.crossing(address, self.x)
    }

    #[inline(always)]
    fn absolute_y_read(&mut self, bus: &mut impl Bus) -> u16 {
        let address = self.absolute_y(bus);
        self.crossing(address, self.y)
    }

    #[inline(always)]
    fn indirect_y_read(&mut self, bus: &mut impl Bus) -> u16 {
        let address = self.indirect_y(bus);
        self.crossing(address, self.y)
    }
}

impl Written {
    /// The same unless this ends nothing and an earlier write of the same instruction ended the frame.
    #[inline(always)]
    fn or(self, earlier: Self) -> Self {
        if matches!(earlier, Self::FrameEnd(_)) { earlier } else { self }
    }
}
