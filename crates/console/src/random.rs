//! The random numbers behind memory and timer: Matsumoto and Nishimura's Mersenne Twister, MT19937.

use serde::{Deserialize, Serialize};

/// Words of the state.
const WORDS: usize = 624;
/// Distance of the words that are mixed.
const MIDDLE: usize = 397;

/// The generator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Random {
    words: Vec<u32>,
    next: usize,
}

impl Random {
    /// A generator from a seed, by the initialisation of 2002.
    pub fn new(seed: u32) -> Self {
        let mut words = vec![seed; WORDS];
        for index in 1..WORDS {
            let before = words[index - 1];
            words[index] = 1_812_433_253u32.wrapping_mul(before ^ before >> 30).wrapping_add(index as u32);
        }
        Self { words, next: WORDS }
    }

    /// Whether these can be a generator's numbers.
    pub(crate) fn is_sound(&self) -> bool {
        self.words.len() == WORDS && self.next <= WORDS
    }

    /// The next 32 bits.
    pub fn word(&mut self) -> u32 {
        if self.next == WORDS {
            self.renew();
        }
        let mut word = self.words[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= word << 7 & 0x9D2C_5680;
        word ^= word << 15 & 0xEFC6_0000;
        word ^ word >> 18
    }

    fn renew(&mut self) {
        for index in 0..WORDS {
            let upper = self.words[index] & 0x8000_0000 | self.words[(index + 1) % WORDS] & 0x7FFF_FFFF;
            let mixed = upper >> 1 ^ if upper & 1 != 0 { 0x9908_B0DF } else { 0 };
            self.words[index] = self.words[(index + MIDDLE) % WORDS] ^ mixed;
        }
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    /// The 10,000th number from the seed 5489 that the C++ standard, 29.6.5, gives.
    #[test]
    fn it_is_the_standard_s_generator() {
        let mut random = Random::new(5489);
        let last = (0..10_000).map(|_| random.word()).last();
        assert_eq!(last, Some(4_123_659_995));
    }
}
