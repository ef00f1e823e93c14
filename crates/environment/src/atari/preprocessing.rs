//! From the emulator's screens to one frame of an observation: colours, pooling, size.

use prism_frames::{AreaResize, Colour, Row};

use super::palette::Palette;

/// Turns screens into frames: palette to luminance or colour, elementwise maximum of two screens, area resize, in that
/// order.
#[derive(Debug)]
pub struct Preprocessing {
    width: usize,
    frame_pixels: usize,
    channels: Vec<Channel>,
    /// The screens that the last frame was made of. Most rows of a screen stay as they are from frame to frame, and most
    /// that do not repeat the row above: what was computed for those is used again.
    screen: Vec<u8>,
    previous: Vec<u8>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Channel {
    /// Value for each palette byte. Byte 0 is black, in agreement with blank screens before the first.
    values: [u8; 256],
    resize: AreaResize,
}

impl Preprocessing {
    /// Frames of size `output` from screens of size `screen`, both as (height, width).
    ///
    /// # Panics
    /// When a side is 0.
    pub fn new(palette: &Palette, screen: (usize, usize), colour: Colour, output: (usize, usize)) -> Self {
        let values = match colour {
            Colour::Grey => vec![palette.grey],
            Colour::Rgb => (0..3).map(|channel| palette.rgb.map(|colour| colour[channel])).collect(),
        };
        let channel = |values| Channel { values, resize: AreaResize::new(screen, output) };
        let blank = vec![0; screen.0 * screen.1];
        Self {
            width: screen.1,
            frame_pixels: output.0 * output.1,
            channels: values.into_iter().map(channel).collect(),
            screen: blank.clone(),
            previous: blank,
            rows: vec![Row::Unchanged; screen.0],
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
        assert_eq!(screen.len(), self.screen.len(), "the screen has another size than announced");
        assert_eq!(previous.len(), self.previous.len(), "the previous screen has another size than announced");
        assert_eq!(frame.len(), self.frame_bytes(), "the frame must hold every channel");
        self.take_over(screen, previous);
        let width = self.width;
        for (channel, image) in self.channels.iter_mut().zip(frame.chunks_exact_mut(self.frame_pixels)) {
            let values = &channel.values;
            let pool = |y: usize, row: &mut [u8]| {
                let (new, old) = (&screen[y * width..][..width], &previous[y * width..][..width]);
                if new == old {
                    for (value, new) in row.iter_mut().zip(new) {
                        *value = values[usize::from(*new)];
                    }
                } else {
                    for ((value, new), old) in row.iter_mut().zip(new).zip(old) {
                        *value = values[usize::from(*new)].max(values[usize::from(*old)]);
                    }
                }
            };
            channel.resize.resize_rows(self.rows.iter().copied(), pool, image);
        }
    }

    /// Keeps the screens and notes what is new in each row.
    fn take_over(&mut self, screen: &[u8], previous: &[u8]) {
        let width = self.width;
        for (y, row) in self.rows.iter_mut().enumerate() {
            let here = y * width..(y + 1) * width;
            let (new, old) = (&screen[here.clone()], &previous[here.clone()]);
            let (last_new, last_old) = (&mut self.screen[here.clone()], &mut self.previous[here.clone()]);
            if new == last_new && old == last_old {
                *row = Row::Unchanged;
                continue;
            }
            last_new.copy_from_slice(new);
            last_old.copy_from_slice(old);
            let repeats = y > 0
                && new == &screen[here.start - width..here.start]
                && old == &previous[here.start - width..here.start];
            *row = if repeats { Row::SameAsAbove } else { Row::New };
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

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

    #[test]
    fn what_is_kept_from_the_last_frame_changes_nothing() {
        let mut kept = Preprocessing::new(Palette::NTSC, (12, 8), Colour::Rgb, (5, 3));
        let (mut screen, mut previous) = (vec![0; 96], vec![0; 96]);
        let mut generator = crate::seed::Seed(1).generator();
        for round in 0..500 {
            // Little changes at a time, rows repeat each other, and blank screens come back.
            if round % 50 == 0 {
                screen.fill(0);
            }
            std::mem::swap(&mut screen, &mut previous);
            for _ in 0..generator.random_range(0..3) {
                screen[generator.random_range(0..96)] = 2 * generator.random_range(0..128u8);
            }
            let row = generator.random_range(0..11) * 8;
            screen.copy_within(row..row + 8, row + 8);
            let old = (round % 3 > 0).then_some(previous.as_slice());

            let (mut frame, mut expected) = (vec![0; 45], vec![0; 45]);
            kept.process(&screen, old, &mut frame);
            Preprocessing::new(Palette::NTSC, (12, 8), Colour::Rgb, (5, 3)).process(&screen, old, &mut expected);
            assert_eq!(frame, expected, "round {round}");
        }
    }
}
