//! Colours of frames.

use serde::{Deserialize, Serialize};

/// Colours of an image observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// One channel, luminance.
    Grey,
    /// Three channels: red, green, blue, each a whole image.
    Rgb,
}

impl Colour {
    /// Channels of a frame.
    pub fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }
}

/// 0.2989 red + 0.587 green + 0.114 blue, rounded, as ALE computes its grey screens.
pub const fn luminance([red, green, blue]: [u8; 3]) -> u8 {
    let sum = 2989 * red as u32 + 5870 * green as u32 + 1140 * blue as u32;
    // At most 254.97: the weights add up to 0.9999.
    ((sum + 5000) / 10_000) as u8
}
