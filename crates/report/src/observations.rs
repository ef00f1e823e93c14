//! Pictures of the observations that a run recorded distributions for.
//!
//! A run may write [`FILE`] into its folder: one image, in which the observations of `distributions.csv` stand one below the
//! other in the order of their numbers, all of one size. Of a stack of frames it shows what the run chose to show, the
//! newest as a rule. Without the file, distributions are drawn without pictures beside them.

use std::path::Path;

use png::{BitDepth, ColorType};

use crate::error::ReportError;

/// Name of the file in the folder of a run.
pub const FILE: &str = "observations.png";

const EXPECT_MEMORY: &str = "an image in memory can always be written";

/// How the bytes of an image stand for colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pixels {
    /// One byte a pixel, 0 is black.
    Grey,
    /// Three bytes a pixel: red, green, blue.
    Rgb,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    size: (u32, u32),
    png: Vec<u8>,
}

impl Image {
    /// Width and height in pixels, both above 0.
    pub(crate) fn size(&self) -> (u32, u32) {
        self.size
    }

    /// The image as a PNG file.
    pub(crate) fn png(&self) -> &[u8] {
        &self.png
    }
}

/// What [`FILE`] holds for observations of `width` times `height` pixels each; `bytes` are those of all observations one
/// after the other, each row by row from the top.
///
/// # Panics
/// Unless `bytes` hold a whole number of observations, one at least, and `width` and `height` are above 0.
pub fn sheet(pixels: Pixels, (width, height): (u32, u32), bytes: &[u8]) -> Vec<u8> {
    let row = width as usize * pixels.bytes();
    let rows = bytes.len() / row.max(1);
    assert!(
        rows > 0 && rows * row == bytes.len() && rows.is_multiple_of(height as usize),
        "{} bytes are no whole observations of {width} times {height} pixels",
        bytes.len()
    );
    let rows = u32::try_from(rows).expect("an image has fewer than 2^32 rows");
    encoded(pixels, (width, rows), bytes)
}

impl Pixels {
    fn bytes(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }
}

fn encoded(pixels: Pixels, (width, height): (u32, u32), bytes: &[u8]) -> Vec<u8> {
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, width, height);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_color(match pixels {
        Pixels::Grey => ColorType::Grayscale,
        Pixels::Rgb => ColorType::Rgb,
    });
    let mut writer = encoder.write_header().expect(EXPECT_MEMORY);
    writer.write_image_data(bytes).expect(EXPECT_MEMORY);
    writer.finish().expect(EXPECT_MEMORY);
    png
}

/// The images of `count` observations in the file at `path`, none where there is no such file.
///
/// # Errors
/// When the file cannot be read, or is not what [`sheet`] gives for `count` observations.
pub(crate) fn read(path: &Path, count: usize) -> Result<Vec<Image>, ReportError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(ReportError::Read { path: path.to_owned(), source }),
    };
    cut(&bytes, count).map_err(|reason| ReportError::Malformed { path: path.to_owned(), reason })
}

fn cut(bytes: &[u8], count: usize) -> Result<Vec<Image>, String> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().map_err(|error| error.to_string())?;
    let mut pixels = vec![0; reader.output_buffer_size().ok_or("it is larger than memory")?];
    let info = reader.next_frame(&mut pixels).map_err(|error| error.to_string())?;
    let format = match (info.color_type, info.bit_depth) {
        (ColorType::Grayscale, BitDepth::Eight) => Pixels::Grey,
        (ColorType::Rgb, BitDepth::Eight) => Pixels::Rgb,
        (colour, depth) => {
            return Err(format!("its pixels are {colour:?} of {depth:?} bits, not grey or RGB of eight"));
        }
    };
    let rows = info.height as usize;
    if count == 0 || !rows.is_multiple_of(count) {
        return Err(format!("its {rows} rows cannot be shared by {count} observations"));
    }
    let size = (info.width, info.height / count as u32);
    let each = size.0 as usize * size.1 as usize * format.bytes();
    Ok(pixels.chunks_exact(each).take(count).map(|part| Image { size, png: encoded(format, size, part) }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_come_back_one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        for (pixels, bytes) in [(Pixels::Grey, 6), (Pixels::Rgb, 18)] {
            let all: Vec<u8> = (0..2 * bytes).collect();
            std::fs::write(&path, sheet(pixels, (3, 2), &all)).unwrap();
            let images = read(&path, 2).unwrap();
            assert_eq!(images.iter().map(Image::size).collect::<Vec<_>>(), [(3, 2), (3, 2)]);
            assert_eq!(images[1].png(), sheet(pixels, (3, 2), &all[all.len() / 2..]));
        }
    }

    #[test]
    fn a_folder_without_them_has_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(&folder.path().join(FILE), 3).unwrap(), []);
    }

    #[test]
    fn what_is_no_sheet_of_so_many_observations_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, sheet(Pixels::Grey, (3, 2), &[0; 12])).unwrap();
        let message = read(&path, 3).unwrap_err().to_string();
        assert!(message.contains("4 rows cannot be shared by 3 observations"), "{message}");
        std::fs::write(&path, "no image").unwrap();
        assert!(read(&path, 1).unwrap_err().to_string().contains(FILE));
    }

    #[test]
    #[should_panic(expected = "no whole observations of 3 times 2 pixels")]
    fn a_sheet_of_half_an_observation_is_refused() {
        sheet(Pixels::Grey, (3, 2), &[0; 9]);
    }
}
