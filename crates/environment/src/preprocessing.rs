//! From the emulator's screens to one frame of an observation: colours, pooling, size.

use serde::{Deserialize, Serialize};

use crate::Palette;
use crate::area::{AreaResize, Row};

/// Colours of an image observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// One channel, luminance.
    Grey,
    /// Three channels: red, green, blue, each a whole image.
    Rgb,
}

/// Turns screens into frames: palette to luminance or colour, elementwise maximum of two screens, area resize, in that
/// order.
#[derive(Debug)]
pub struct Preprocessing {
    width: usize,
    pixels: usize,
    frame_pixels: usize,
    /// For each channel, its value for each palette byte.
    channels: Vec<[u8; 256]>,
    resize: AreaResize,
}

impl Preprocessing {
    /// Frames of size `output` from screens of size `screen`, both as (height, width).
    ///
    /// # Panics
    /// When a side is 0.
    pub fn new(palette: &Palette, screen: (usize, usize), colour: Colour, output: (usize, usize)) -> Self {
        let channels = match colour {
            Colour::Grey => vec![palette.grey],
            Colour::Rgb => (0..3).map(|channel| palette.rgb.map(|colour| colour[channel])).collect(),
        };
        Self {
            width: screen.1,
            pixels: screen.0 * screen.1,
            frame_pixels: output.0 * output.1,
            channels,
            resize: AreaResize::new(screen, output),
        }
    }

    /// Bytes of a frame: channels x height x width.
    pub fn frame_bytes(&self) -> usize {
        self.channels.len() * self.frame_pixels
    }

    /// Writes the frame of `screen`, pooled with `previous` where there is one. Screens are palette bytes.
    ///
    /// # Panics
    /// When a screen or the frame has another size than was announced.
    pub fn process(&mut self, screen: &[u8], previous: Option<&[u8]>, frame: &mut [u8]) {
        let previous = previous.unwrap_or(screen);
        assert_eq!(screen.len(), self.pixels, "the screen has another size than announced");
        assert_eq!(previous.len(), self.pixels, "the previous screen has another size than announced");
        assert_eq!(frame.len(), self.frame_bytes(), "the frame must hold every channel");
        for (channel, image) in self.channels.iter().zip(frame.chunks_exact_mut(self.frame_pixels)) {
            // Most rows of a game's screen repeat the row above, and most do not change between two frames.
            let mut rows = screen.chunks_exact(self.width).zip(previous.chunks_exact(self.width));
            let mut above = None;
            let next_row = |row: &mut [u8]| {
                let (new, old) = rows.next().expect("as many rows as the screen is high");
                if above.replace((new, old)) == Some((new, old)) {
                    return Row::SameAsAbove;
                }
                if new == old {
                    for (value, new) in row.iter_mut().zip(new) {
                        *value = channel[usize::from(*new)];
                    }
                } else {
                    for ((value, new), old) in row.iter_mut().zip(new).zip(old) {
                        *value = channel[usize::from(*new)].max(channel[usize::from(*old)]);
                    }
                }
                Row::Written
            };
            self.resize.resize_rows(next_row, image);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Screens of `height` x 4 whose rows partly repeat and partly differ from each other.
    fn screens(height: usize) -> (Vec<u8>, Vec<u8>) {
        let new: Vec<u8> = (0..height * 4).map(|i| (2 * ((i / 8) * 37 + i % 4)) as u8).collect();
        let mut old = new.clone();
        for value in old.iter_mut().skip(8).take(10) {
            *value = value.wrapping_mul(3) & 0xfe;
        }
        (new, old)
    }

    #[test]
    fn grey_comes_before_the_maximum_and_the_maximum_before_the_resize() {
        let (new, old) = screens(6);
        let grey = |screen: &[u8]| -> Vec<u8> { screen.iter().map(|p| Palette::NTSC.grey[usize::from(*p)]).collect() };
        let pooled: Vec<u8> = grey(&new).iter().zip(grey(&old)).map(|(a, b)| *a.max(&b)).collect();
        let mut expected = vec![0; 9];
        AreaResize::new((6, 4), (3, 3)).resize(&pooled, &mut expected);

        let mut frame = vec![0; 9];
        Preprocessing::new(Palette::NTSC, (6, 4), Colour::Grey, (3, 3)).process(&new, Some(&old), &mut frame);
        assert_eq!(frame, expected);
    }

    #[test]
    fn colour_is_pooled_channel_by_channel() {
        let (new, old) = screens(6);
        let mut frame = vec![0; 3 * 24];
        Preprocessing::new(Palette::PAL, (6, 4), Colour::Rgb, (6, 4)).process(&new, Some(&old), &mut frame);
        for channel in 0..3 {
            for pixel in 0..24 {
                let of = |screen: &[u8]| Palette::PAL.rgb[usize::from(screen[pixel])][channel];
                assert_eq!(frame[channel * 24 + pixel], of(&new).max(of(&old)), "channel {channel}, pixel {pixel}");
            }
        }
    }

    #[test]
    fn a_single_screen_is_not_pooled() {
        let (new, _) = screens(6);
        let mut frame = vec![255; 24];
        Preprocessing::new(Palette::NTSC, (6, 4), Colour::Grey, (6, 4)).process(&new, None, &mut frame);
        assert!(frame.iter().zip(&new).all(|(value, p)| *value == Palette::NTSC.grey[usize::from(*p)]));
    }
}
