//! Pictures as a GIF that repeats.

use std::collections::HashMap;
use std::io::Write;

use gif::{DisposalMethod, Encoder, Frame, Repeat};

use crate::canvas::{Canvas, Rgb};
use crate::writer::{PictureError, Writer, check_size};

/// Writes a GIF that repeats. Of each picture only the rectangle is written in which it differs from the one before, with
/// what stayed left transparent, and colours are exact where such a rectangle has no more than 255 of them.
pub struct GifWriter<W: Write> {
    /// Until the first picture says how large it is.
    output: Option<W>,
    encoder: Option<Encoder<W>>,
    size: Option<(usize, usize)>,
    /// Hundredths of a second for which a picture is shown.
    delay: f64,
    /// Time of all pictures, and of those that are written, in hundredths of a second.
    time: f64,
    written: u64,
    /// What is shown once everything is written.
    shown: Option<Canvas>,
    /// The last picture, which is written once it is known how long it stays.
    pending: Option<Frame<'static>>,
}

impl<W: Write> GifWriter<W> {
    /// A GIF of so many pictures a second.
    pub fn new(output: W, pictures_per_second: f64) -> Self {
        Self {
            output: Some(output),
            encoder: None,
            size: None,
            delay: 100.0 / pictures_per_second,
            time: 0.0,
            written: 0,
            shown: None,
            pending: None,
        }
    }

    /// Writes the picture that waits, with the time until now.
    fn flush(&mut self) -> Result<(), PictureError> {
        let (Some(mut frame), Some(encoder)) = (self.pending.take(), &mut self.encoder) else { return Ok(()) };
        // Whole hundredths, whose rounding does not add up. Many viewers take shorter times than two for ten.
        let delay = (self.time.round() as u64).saturating_sub(self.written).clamp(2, u64::from(u16::MAX));
        self.written += delay;
        frame.delay = delay as u16;
        Ok(encoder.write_frame(&frame)?)
    }
}

impl<W: Write> Writer for GifWriter<W> {
    fn frame(&mut self, picture: &Canvas) -> Result<(), PictureError> {
        check_size(&mut self.size, picture)?;
        if let Some(output) = self.output.take() {
            let [width, height] = [picture.width(), picture.height()].map(u16::try_from);
            let (Ok(width), Ok(height)) = (width, height) else {
                return Err(PictureError::TooLarge(picture.width(), picture.height()));
            };
            let mut encoder = Encoder::new(output, width, height, &[])?;
            encoder.set_repeat(Repeat::Infinite)?;
            self.encoder = Some(encoder);
        }
        if let Some(frame) = changes(self.shown.as_ref(), picture) {
            self.flush()?;
            self.pending = Some(frame);
            self.shown = Some(picture.clone());
        }
        self.time += self.delay;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), PictureError> {
        self.flush()?;
        // The encoder writes its last byte when it goes; what can fail is asked for here.
        if let Some(encoder) = self.encoder.take() {
            encoder.into_inner()?.flush()?;
        }
        Ok(())
    }
}

/// The rectangle in which a picture differs from the one that is shown; `None` where it does not.
fn changes(shown: Option<&Canvas>, picture: &Canvas) -> Option<Frame<'static>> {
    let differs = |x: usize, y: usize| shown.is_none_or(|shown| shown.pixel(x, y) != picture.pixel(x, y));
    let (width, height) = (picture.width(), picture.height());
    let rows: Vec<usize> = (0..height).filter(|&y| (0..width).any(|x| differs(x, y))).collect();
    let (&top, &bottom) = (rows.first()?, rows.last()?);
    let left = (0..width).find(|&x| rows.iter().any(|&y| differs(x, y)))?;
    let right = (left..width).rfind(|&x| rows.iter().any(|&y| differs(x, y)))?;

    let places = (top..=bottom).flat_map(|y| (left..=right).map(move |x| (x, y)));
    let colours = places.map(|(x, y)| differs(x, y).then(|| picture.pixel(x, y))).collect::<Vec<Option<Rgb>>>();
    let (palette, indices) = indexed(&colours);
    Some(Frame {
        left: left as u16,
        top: top as u16,
        width: (right - left + 1) as u16,
        height: (bottom - top + 1) as u16,
        dispose: DisposalMethod::Keep,
        transparent: Some(0),
        palette: Some(palette),
        buffer: indices.into(),
        ..Frame::default()
    })
}

/// A palette, whose first colour stands for nothing, and an index into it for each pixel. Where there are too many colours,
/// similar ones become one.
fn indexed(colours: &[Option<Rgb>]) -> (Vec<u8>, Vec<u8>) {
    for lost_bits in 0..8 {
        let coarse = |Rgb(channels): Rgb| Rgb(channels.map(|value| value >> lost_bits << lost_bits));
        let mut palette = vec![0; 3];
        let mut known: HashMap<Rgb, u8> = HashMap::new();
        let indices: Option<Vec<u8>> = colours
            .iter()
            .map(|&colour| {
                let Some(colour) = colour.map(coarse) else { return Some(0) };
                if let Some(&index) = known.get(&colour) {
                    return Some(index);
                }
                let index = u8::try_from(known.len() + 1).ok()?;
                known.insert(colour, index);
                palette.extend(colour.0);
                Some(index)
            })
            .collect();
        if let Some(indices) = indices {
            return (palette, indices);
        }
    }
    unreachable!("without their seven lower bits there are eight colours")
}

#[cfg(test)]
mod tests {
    use gif::DecodeOptions;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    /// What a viewer shows: each picture with its time, frames laid over one another.
    fn shown(bytes: &[u8]) -> Vec<(Vec<Rgb>, u16)> {
        let mut options = DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes).expect("a GIF");
        let width = usize::from(decoder.width());
        let mut screen = vec![Rgb::default(); width * usize::from(decoder.height())];
        let mut pictures = Vec::new();
        while let Some(frame) = decoder.read_next_frame().expect("a frame") {
            let (left, top, columns) = (usize::from(frame.left), usize::from(frame.top), usize::from(frame.width));
            for (index, &[red, green, blue, opacity]) in frame.buffer.as_chunks().0.iter().enumerate() {
                if opacity > 0 {
                    screen[(top + index / columns) * width + left + index % columns] = Rgb([red, green, blue]);
                }
            }
            pictures.push((screen.clone(), frame.delay));
        }
        pictures
    }

    #[test]
    fn a_viewer_shows_each_picture_for_its_time() {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut canvas = Canvas::new(30, 20);
        let mut pictures = Vec::new();
        for number in 0..40 {
            // Every fourth picture is the one before.
            if number % 4 != 3 {
                let place = [30, 20, 5, 5].map(|end| generator.random_range(0..end));
                canvas.fill(place, Rgb([generator.random(), generator.random(), number as u8]));
                canvas.fill([0, 0, 1, 1], Rgb([number as u8, 1, 1]));
            }
            pictures.push(canvas.clone());
        }
        let mut bytes = Vec::new();
        let mut writer = Box::new(GifWriter::new(&mut bytes, 15.0));
        pictures.iter().for_each(|picture| writer.frame(picture).expect("it is taken"));
        writer.finish().expect("it is written");
        let shown = shown(&bytes);
        assert_eq!(shown.len(), 30, "a picture that stays is written once");
        let total: u32 = shown.iter().map(|(_, delay)| u32::from(*delay)).sum();
        assert_eq!(total, 267, "40 pictures at 15 a second take 2.67 s");
        let mut expected = pictures.iter().map(|picture| picture.pixels().to_vec()).collect::<Vec<_>>();
        expected.dedup();
        assert!(shown.iter().map(|(pixels, _)| pixels).eq(&expected));
    }

    #[test]
    fn many_colours_become_similar_ones() {
        let mut canvas = Canvas::new(64, 64);
        for index in 0..64 * 64 {
            canvas.fill([index % 64, index / 64, 1, 1], Rgb([index as u8, (index / 16) as u8, (index * 7) as u8]));
        }
        let mut bytes = Vec::new();
        let mut writer = Box::new(GifWriter::new(&mut bytes, 10.0));
        writer.frame(&canvas).expect("it is taken");
        writer.finish().expect("it is written");
        let (pixels, _) = &shown(&bytes)[0];
        let distance = |one: &Rgb, other: &Rgb| (0..3).map(|c| one.0[c].abs_diff(other.0[c])).max().unwrap_or(0);
        assert!(pixels.iter().zip(canvas.pixels()).all(|(one, other)| distance(one, other) < 64));
    }

    #[test]
    fn pictures_of_other_sizes_are_refused() {
        let mut writer = GifWriter::new(Vec::new(), 10.0);
        writer.frame(&Canvas::new(3, 4)).expect("the first may have any size");
        let error = writer.frame(&Canvas::new(4, 3)).expect_err("another size");
        assert_eq!(error.to_string(), "a picture of (4, 3) pixels cannot follow those of (3, 4)");
    }
}
