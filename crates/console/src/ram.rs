//! The console's 128 bytes of memory.

use serde::{Deserialize, Serialize};

/// Bytes of memory in the console.
pub const RAM_BYTES: usize = 128;

/// The memory, which programs see at the addresses 0x80 to 0xFF.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ram(#[serde(with = "serde_bytes")] pub [u8; RAM_BYTES]);

impl Ram {
    /// The byte at an address, of which the low seven bits count.
    #[inline]
    pub fn at(&self, address: u8) -> u8 {
        self.0[usize::from(address & 0x7F)]
    }

    /// The two decimal digits in a byte as a number. A digit beyond 9 counts as what its four bits say, up to 15.
    #[inline]
    pub fn decimal(&self, address: u8) -> i32 {
        let byte = i32::from(self.at(address));
        10 * (byte >> 4) + (byte & 15)
    }

    /// The decimal digits of several bytes as one number, the byte with the highest digits first.
    pub fn decimals(&self, addresses: &[u8]) -> i32 {
        addresses.iter().fold(0, |number, address| 100 * number + self.decimal(*address))
    }
}
