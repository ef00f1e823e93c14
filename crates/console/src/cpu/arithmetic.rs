//! What the processor computes.

use super::{CARRY, Cpu, DECIMAL, NEGATIVE, OVERFLOW};

/// The number that a byte of two decimal digits says; a digit beyond 9 counts as what its four bits say.
fn from_digits(byte: u8) -> i32 {
    i32::from(byte >> 4) * 10 + i32::from(byte & 15)
}

/// A number below 256 as two decimal digits; hundreds are lost.
fn to_digits(number: i32) -> u8 {
    let number = (number & 0xFF) as u8 % 100;
    ((number / 10) << 4) | (number % 10)
}

/// What ANE and LXA take the accumulator for beside what it holds: a constant of the emulator, which on a real processor
/// depends on its temperature.
const UNSTABLE: u8 = 0xEE;

impl Cpu {
    pub(super) fn adc(&mut self, value: u8) {
        let old = self.a;
        if self.flags & DECIMAL == 0 {
            let sum = u16::from(old) + u16::from(value) + u16::from(self.carry());
            self.a = sum as u8;
            self.set_flag(CARRY, sum > 0xFF);
        } else {
            let sum = from_digits(old) + from_digits(value) + i32::from(self.carry());
            self.a = to_digits(sum);
            self.set_flag(CARRY, sum > 99);
        }
        self.set_flag(OVERFLOW, (old ^ self.a) & (value ^ self.a) & 0x80 != 0);
        self.set_nz(self.a);
    }

    pub(super) fn sbc(&mut self, value: u8) {
        let old = self.a;
        let borrow = 1 - self.carry();
        if self.flags & DECIMAL == 0 {
            let difference = i16::from(old) - i16::from(value) - i16::from(borrow);
            self.a = difference as u8;
            self.set_flag(CARRY, difference >= 0);
            self.set_flag(OVERFLOW, (old ^ self.a) & (old ^ value) & 0x80 != 0);
        } else {
            let difference = from_digits(old) - from_digits(value) - i32::from(borrow);
            self.a = match if difference < 0 { difference + 100 } else { difference } {
                // Only digits beyond 9 get here, where the emulator looks the result up in the wrong table.
                beyond @ ..0 => from_digits(beyond as u8) as u8,
                number => to_digits(number),
            };
            self.set_flag(CARRY, u16::from(old) >= u16::from(value) + u16::from(borrow));
            // The flag is that of an addition.
            self.set_flag(OVERFLOW, (old ^ self.a) & (value ^ self.a) & 0x80 != 0);
        }
        self.set_nz(self.a);
    }

    pub(super) fn lda(&mut self, value: u8) {
        self.a = value;
        self.set_nz(value);
    }

    pub(super) fn ldx(&mut self, value: u8) {
        self.x = value;
        self.set_nz(value);
    }

    pub(super) fn ldy(&mut self, value: u8) {
        self.y = value;
        self.set_nz(value);
    }

    pub(super) fn and(&mut self, value: u8) {
        self.lda(self.a & value);
    }

    pub(super) fn ora(&mut self, value: u8) {
        self.lda(self.a | value);
    }

    pub(super) fn eor(&mut self, value: u8) {
        self.lda(self.a ^ value);
    }

    pub(super) fn bit(&mut self, value: u8) {
        self.negative = value;
        self.nonzero = self.a & value;
        self.set_flag(OVERFLOW, value & 0x40 != 0);
    }

    fn compare(&mut self, register: u8, value: u8) {
        self.set_nz(register.wrapping_sub(value));
        self.set_flag(CARRY, register >= value);
    }

    pub(super) fn cmp(&mut self, value: u8) {
        self.compare(self.a, value);
    }

    pub(super) fn cpx(&mut self, value: u8) {
        self.compare(self.x, value);
    }

    pub(super) fn cpy(&mut self, value: u8) {
        self.compare(self.y, value);
    }

    pub(super) fn asl(&mut self, value: u8) -> u8 {
        self.set_flag(CARRY, value & 0x80 != 0);
        self.set_nz(value << 1);
        value << 1
    }

    pub(super) fn lsr(&mut self, value: u8) -> u8 {
        self.set_flag(CARRY, value & 1 != 0);
        self.set_nz(value >> 1);
        value >> 1
    }

    pub(super) fn rol(&mut self, value: u8) -> u8 {
        let result = value << 1 | self.carry();
        self.set_flag(CARRY, value & 0x80 != 0);
        self.set_nz(result);
        result
    }

    pub(super) fn ror(&mut self, value: u8) -> u8 {
        let result = value >> 1 | self.carry() << 7;
        self.set_flag(CARRY, value & 1 != 0);
        self.set_nz(result);
        result
    }

    pub(super) fn inc(&mut self, value: u8) -> u8 {
        self.set_nz(value.wrapping_add(1));
        value.wrapping_add(1)
    }

    pub(super) fn dec(&mut self, value: u8) -> u8 {
        self.set_nz(value.wrapping_sub(1));
        value.wrapping_sub(1)
    }

    // Instructions that no manual has: two of the decoder's rows work at once.

    pub(super) fn slo(&mut self, value: u8) -> u8 {
        let result = self.asl(value);
        self.ora(result);
        result
    }

    pub(super) fn rla(&mut self, value: u8) -> u8 {
        let result = self.rol(value);
        self.and(result);
        result
    }

    pub(super) fn sre(&mut self, value: u8) -> u8 {
        let result = self.lsr(value);
        self.eor(result);
        result
    }

    pub(super) fn rra(&mut self, value: u8) -> u8 {
        let result = self.ror(value);
        self.adc(result);
        result
    }

    pub(super) fn dcp(&mut self, value: u8) -> u8 {
        let result = value.wrapping_sub(1);
        self.cmp(result);
        result
    }

    pub(super) fn isb(&mut self, value: u8) -> u8 {
        let result = value.wrapping_add(1);
        self.sbc(result);
        result
    }

    pub(super) fn lax(&mut self, value: u8) {
        self.lda(value);
        self.x = value;
    }

    pub(super) fn anc(&mut self, value: u8) {
        self.and(value);
        self.set_flag(CARRY, self.a & NEGATIVE != 0);
    }

    pub(super) fn asr(&mut self, value: u8) {
        self.a = self.lsr(self.a & value);
    }

    /// AND, then a turn to the right whose carry and overflow come from bits 6 and 5 of the result; in decimal mode the digits
    /// are then mended as after an addition.
    pub(super) fn arr(&mut self, value: u8) {
        let both = self.a & value;
        self.a = both >> 1 | self.carry() << 7;
        self.set_nz(self.a);
        self.set_flag(OVERFLOW, (self.a ^ self.a << 1) & 0x40 != 0);
        if self.flags & DECIMAL == 0 {
            self.set_flag(CARRY, self.a & 0x40 != 0);
        } else {
            self.set_flag(OVERFLOW, (both ^ self.a) & 0x40 != 0);
            if (both & 0x0F) + (both & 0x01) > 0x05 {
                self.a = self.a & 0xF0 | (self.a.wrapping_add(0x06) & 0x0F);
            }
            let carry = u16::from(both) + u16::from(both & 0x10) > 0x55;
            if carry {
                self.a = self.a.wrapping_add(0x60);
            }
            self.set_flag(CARRY, carry);
        }
    }

    pub(super) fn sbx(&mut self, value: u8) {
        let both = self.a & self.x;
        self.set_flag(CARRY, both >= value);
        self.x = both.wrapping_sub(value);
        self.set_nz(self.x);
    }

    pub(super) fn las(&mut self, value: u8) {
        self.sp &= value;
        self.lda(self.sp);
        self.x = self.a;
    }

    pub(super) fn ane(&mut self, value: u8) {
        self.lda((self.a | UNSTABLE) & self.x & value);
    }

    pub(super) fn lxa(&mut self, value: u8) {
        self.lax((self.a | UNSTABLE) & value);
    }

    pub(super) fn nothing(&mut self, _: u8) {}
}
