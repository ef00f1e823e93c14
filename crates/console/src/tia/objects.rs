//! What can be seen on a line: playfield, ball, two players and two missiles, as a bit for each of its 160 pixels.

use serde::{Deserialize, Serialize};

/// Pixels on a line.
pub const PIXELS: u32 = 160;

/// A bit for each pixel of a line, the leftmost first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mask(pub [u64; 3]);

/// The pixels to the left of each place.
const LEFT_OF: [Mask; PIXELS as usize + 1] = {
    let mut masks = [Mask([0; 3]); PIXELS as usize + 1];
    let mut x = 0;
    while x < PIXELS as usize {
        masks[x + 1] = masks[x];
        masks[x + 1].0[x / 64] |= 1 << (x % 64);
        x += 1;
    }
    masks
};

impl Mask {
    /// The pixels from one place to before another.
    #[inline]
    pub fn span(from: u32, to: u32) -> Self {
        let (left, right) = (LEFT_OF[from as usize], LEFT_OF[to as usize]);
        Self(std::array::from_fn(|word| right.0[word] & !left.0[word]))
    }

    /// Whether two masks have a pixel in common within a third.
    #[inline]
    pub fn meet(&self, other: &Self, within: &Self) -> bool {
        let words = std::array::from_fn::<u64, 3, _>(|word| self.0[word] & other.0[word] & within.0[word]);
        words[0] | words[1] | words[2] != 0
    }

    /// The bits of eight pixels from a place that is a multiple of eight.
    #[inline]
    pub fn eight(&self, x: u32) -> u8 {
        (self.0[(x / 64) as usize] >> (x % 64)) as u8
    }

    /// Whether no pixel is set.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 3]
    }

    /// Whether a pixel is set.
    #[cfg(test)]
    fn at(&self, x: u32) -> bool {
        self.0[(x / 64) as usize] >> (x % 64) & 1 != 0
    }

    /// Sets the pixels of a pattern of at most 40 pixels whose leftmost lies at `x`; what leaves the line comes in at the left.
    #[inline]
    fn put(&mut self, pattern: u64, x: u32) {
        let (word, shift) = ((x / 64) as usize, x % 64);
        let (low, high) = (pattern << shift, pattern >> 1 >> (63 - shift));
        match word {
            0 => {
                self.0[0] |= low;
                self.0[1] |= high;
            }
            1 => {
                self.0[1] |= low;
                self.0[2] |= high;
                // A pattern that begins in the second word ends before the line does.
            }
            _ => {
                self.0[2] |= low & 0xFFFF_FFFF;
                self.0[0] |= low >> 32 | high << 32;
            }
        }
    }
}

/// Distances of the copies that NUSIZ asks for; the first is the object itself.
pub fn copies(number_size: u8) -> &'static [u32] {
    match number_size & 7 {
        1 => &[0, 16],
        2 => &[0, 32],
        3 => &[0, 16, 32],
        4 => &[0, 64],
        6 => &[0, 32, 64],
        _ => &[0],
    }
}

/// How many pixels wide each bit of a player is.
pub fn scale(number_size: u8) -> u32 {
    match number_size & 7 {
        5 => 2,
        7 => 4,
        _ => 1,
    }
}

/// Whether the first copy of a player is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstCopy {
    /// It is.
    Shown,
    /// Only the others are.
    Suppressed,
}

/// A player at a place. A wide one begins one pixel later.
pub fn player(graphics: u8, number_size: u8, x: u32, first: FirstCopy) -> Mask {
    let leftmost_first = graphics.reverse_bits();
    let pattern = match scale(number_size) {
        1 => u64::from(leftmost_first),
        2 => u64::from(TWOFOLD[usize::from(leftmost_first)]) << 1,
        _ => u64::from(FOURFOLD[usize::from(leftmost_first)]) << 1,
    };
    let mut mask = Mask::default();
    for distance in &copies(number_size)[usize::from(first == FirstCopy::Suppressed)..] {
        mask.put(pattern, (x + distance) % PIXELS);
    }
    mask
}

/// A missile at a place, in as many copies as its player.
pub fn missile(number_size: u8, x: u32) -> Mask {
    let mut mask = Mask::default();
    for distance in copies(number_size) {
        mask.put(width_pattern(number_size), (x + distance) % PIXELS);
    }
    mask
}

/// The ball at a place.
pub fn ball(control: u8, x: u32) -> Mask {
    let mut mask = Mask::default();
    mask.put(width_pattern(control), x);
    mask
}

/// 1, 2, 4 or 8 pixels, as bits 4 and 5 of a register say.
fn width_pattern(register: u8) -> u64 {
    (1 << (1 << (register >> 4 & 3))) - 1
}

/// How the right half of the playfield follows from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RightHalf {
    /// It is the same.
    Copied,
    /// It is the mirror image.
    Reflected,
}

/// The playfield: 20 bits a half, each four pixels wide.
pub fn playfield(registers: [u8; 3], right: RightHalf) -> Mask {
    let [outer, middle, inner] = registers;
    // The registers' bits by their places on the screen: of 80 pixels 16, 32 and 32.
    let half = |first: u8, second: u8, third: u8| {
        u128::from(FOURFOLD[usize::from(first & 15)] & 0xFFFF)
            | u128::from(FOURFOLD[usize::from(second)]) << 16
            | u128::from(FOURFOLD[usize::from(third)]) << 48
    };
    let left = half(outer >> 4, middle.reverse_bits(), inner);
    let right = match right {
        RightHalf::Copied => left,
        RightHalf::Reflected => {
            u128::from(FOURFOLD[usize::from(inner.reverse_bits())])
                | u128::from(FOURFOLD[usize::from(middle)]) << 32
                | u128::from(FOURFOLD[usize::from((outer >> 4).reverse_bits() >> 4)] & 0xFFFF) << 64
        }
    };
    let low = left | right << 80;
    Mask([low as u64, (low >> 64) as u64, (right >> 48) as u64])
}

/// Each of eight bits twice.
const TWOFOLD: [u32; 256] = manifold(2);
/// Each of eight bits four times.
const FOURFOLD: [u32; 256] = manifold(4);

/// Each bit of each byte so many times.
const fn manifold(times: usize) -> [u32; 256] {
    let mut bytes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut place = 0;
        while place < 8 * times {
            bytes[byte] |= (byte as u32 >> (place / times) & 1) << place;
            place += 1;
        }
        byte += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places of the pixels that are set.
    fn places(mask: Mask) -> Vec<u32> {
        (0..PIXELS).filter(|x| mask.at(*x)).collect()
    }

    #[test]
    fn a_player_is_drawn_from_its_highest_bit_on_and_wraps() {
        assert_eq!(places(player(0b1100_0001, 0, 10, FirstCopy::Shown)), [10, 11, 17]);
        assert_eq!(places(player(0b1100_0001, 0, 158, FirstCopy::Shown)), [5, 158, 159]);
        assert_eq!(places(player(0x80, 6, 120, FirstCopy::Shown)), [24, 120, 152]);
        assert_eq!(places(player(0x80, 6, 120, FirstCopy::Suppressed)), [24, 152]);
        assert_eq!(places(player(0xC0, 5, 10, FirstCopy::Shown)), [11, 12, 13, 14]);
        assert_eq!(places(player(0x01, 7, 130, FirstCopy::Shown)), [0, 1, 2, 159]);
    }

    #[test]
    fn missiles_and_the_ball_are_up_to_eight_pixels_wide() {
        assert_eq!(places(missile(0x20, 158)), [0, 1, 158, 159]);
        assert_eq!(places(ball(0x30, 0)), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn the_right_half_of_the_playfield_is_a_copy_or_a_reflection() {
        assert_eq!(places(playfield([0x10, 0, 0], RightHalf::Copied)), [0, 1, 2, 3, 80, 81, 82, 83]);
        assert_eq!(places(playfield([0x10, 0, 0], RightHalf::Reflected)), [0, 1, 2, 3, 156, 157, 158, 159]);
        assert_eq!(places(playfield([0, 0x80, 0x80], RightHalf::Copied))[..8], [16, 17, 18, 19, 76, 77, 78, 79]);
    }

    #[test]
    fn spans_end_before_their_last_place() {
        assert_eq!(places(Mask::span(62, 66)), [62, 63, 64, 65]);
        assert_eq!(places(Mask::span(0, 160)).len(), 160);
    }
}
