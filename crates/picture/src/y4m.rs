//! Pictures as y4m, which video programs read: `ffmpeg -i play.y4m play.mp4`.

use std::io::Write;

use crate::canvas::{Canvas, Rgb};
use crate::writer::{PictureError, Writer, check_size};

/// Writes uncompressed video: for each pixel luminance and two colour differences of BT.601, none left out (C444).
pub struct Y4mWriter<W: Write> {
    output: W,
    size: Option<(usize, usize)>,
    pictures_per_second: f64,
}

impl<W: Write> Y4mWriter<W> {
    /// A video of so many pictures a second.
    pub fn new(output: W, pictures_per_second: f64) -> Self {
        Self { output, size: None, pictures_per_second }
    }
}

impl<W: Write> Writer for Y4mWriter<W> {
    fn frame(&mut self, picture: &Canvas) -> Result<(), PictureError> {
        if self.size.is_none() {
            let (width, height) = (picture.width(), picture.height());
            // A rate is written as a fraction.
            let rate = (self.pictures_per_second * 1000.0).round();
            writeln!(self.output, "YUV4MPEG2 W{width} H{height} F{rate}:1000 Ip A1:1 C444")?;
        }
        check_size(&mut self.size, picture)?;
        self.output.write_all(b"FRAME\n")?;
        for channel in 0..3 {
            let plane: Vec<u8> = picture.pixels().iter().map(|&pixel| yuv(pixel)[channel]).collect();
            self.output.write_all(&plane)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), PictureError> {
        Ok(self.output.flush()?)
    }
}

/// Luminance from 16 to 235 and colour differences from 16 to 240, as ITU-R BT.601 has them.
fn yuv(Rgb(channels): Rgb) -> [u8; 3] {
    let [red, green, blue] = channels.map(|value| f64::from(value) / 255.0);
    let luminance = 0.299 * red + 0.587 * green + 0.114 * blue;
    let (blueness, redness) = ((blue - luminance) / 1.772, (red - luminance) / 1.402);
    [16.0 + 219.0 * luminance, 128.0 + 224.0 * blueness, 128.0 + 224.0 * redness].map(|value| value.round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_before_the_planes_of_each_picture() {
        let mut canvas = Canvas::new(2, 1);
        canvas.fill([0, 0, 1, 1], Rgb([255; 3]));
        canvas.fill([1, 0, 1, 1], Rgb([255, 0, 0]));
        let mut bytes = Vec::new();
        let mut writer = Box::new(Y4mWriter::new(&mut bytes, 15.0));
        writer.frame(&canvas).expect("it is taken");
        writer.frame(&canvas).expect("it is taken");
        writer.finish().expect("it is written");
        let header = b"YUV4MPEG2 W2 H1 F15000:1000 Ip A1:1 C444\n";
        // White and red in BT.601.
        let frame = [b"FRAME\n".as_slice(), &[235, 81, 128, 90, 128, 240]].concat();
        assert_eq!(bytes, [header.as_slice(), &frame, &frame].concat());
    }
}
