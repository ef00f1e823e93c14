//! Seeds, and how one run seed becomes many independent random streams.

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

/// The random generator of the whole project: small, fast, its state can be saved.
pub type Generator = Xoshiro256PlusPlus;

/// A seed. Every random component owns a stream derived from the run's seed by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Seed(pub u64);

impl Seed {
    /// Seed of the component called `name`, the `index`-th of its kind. Different names or indices give unrelated
    /// streams.
    pub fn derive(self, name: &str, index: u64) -> Self {
        Self(mix(mix(self.0 ^ mix(fnv1a(name.as_bytes()))).wrapping_add(index)))
    }

    /// A generator that starts at this seed.
    pub fn generator(self) -> Generator {
        Generator::seed_from_u64(self.0)
    }
}

/// The FNV-1a hash: unlike std's hashers it promises to stay the same between builds.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection that spreads every input bit.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_indices_give_different_streams() {
        let run = Seed(7);
        let seeds =
            [run.derive("replay", 0), run.derive("replay", 1), run.derive("acting", 0), Seed(8).derive("replay", 0)];
        for (i, a) in seeds.iter().enumerate() {
            for b in &seeds[i + 1..] {
                assert_ne!(a, b);
            }
        }
        assert_eq!(run.derive("replay", 1), seeds[1]);
    }
}
