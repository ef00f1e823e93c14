//! Pictures as PNG files in a folder.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::PathBuf;

use crate::canvas::Canvas;
use crate::writer::{PictureError, Writer, check_size};

/// Writes each picture as a file: `00001.png`, `00002.png` and so on.
#[derive(Debug)]
pub struct PngFolder {
    folder: PathBuf,
    size: Option<(usize, usize)>,
    count: usize,
}

impl PngFolder {
    /// For a folder that may be there, and is then empty. It is made with the first picture.
    ///
    /// # Errors
    /// [`PictureError::File`], also where the folder holds something, or is none.
    pub fn new(folder: PathBuf) -> Result<Self, PictureError> {
        let found = match fs::read_dir(&folder) {
            Ok(mut files) => match files.next() {
                Some(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "the folder holds files")),
                None => Ok(()),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        match found {
            Ok(()) => Ok(Self { folder, size: None, count: 0 }),
            Err(source) => Err(PictureError::File { path: folder, source }),
        }
    }
}

impl Writer for PngFolder {
    fn frame(&mut self, picture: &Canvas) -> Result<(), PictureError> {
        check_size(&mut self.size, picture)?;
        let no_folder = |source| PictureError::File { path: self.folder.clone(), source };
        if self.count == 0 {
            fs::create_dir_all(&self.folder).map_err(no_folder)?;
        }
        self.count += 1;
        let path = self.folder.join(format!("{:05}.png", self.count));
        let write = || -> Result<(), io::Error> {
            let mut encoder = png::Encoder::new(
                BufWriter::new(File::create(&path)?),
                picture.width() as u32,
                picture.height() as u32,
            );
            encoder.set_color(png::ColorType::Rgb);
            let bytes: Vec<u8> = picture.pixels().iter().flat_map(|pixel| pixel.0).collect();
            let mut writer = encoder.write_header()?;
            writer.write_image_data(&bytes)?;
            Ok(writer.finish()?)
        };
        write().map_err(|source| PictureError::File { path: path.clone(), source })
    }

    fn finish(self: Box<Self>) -> Result<(), PictureError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::Rgb;

    #[test]
    fn files_are_numbered_and_a_folder_with_files_is_left_alone() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("frames");
        let mut writer = Box::new(PngFolder::new(folder.clone()).expect("it can be made"));
        assert!(!folder.exists(), "there is no picture yet");
        let mut canvas = Canvas::new(3, 2);
        writer.frame(&canvas).expect("it is written");
        canvas.fill([0, 0, 1, 1], Rgb([1, 2, 3]));
        writer.frame(&canvas).expect("it is written");
        writer.finish().expect("nothing is left");
        let file = File::open(folder.join("00002.png")).expect("it is there");
        let mut reader = png::Decoder::new(io::BufReader::new(file)).read_info().expect("a PNG");
        let mut pixels = vec![0; 18];
        reader.next_frame(&mut pixels).expect("pixels");
        assert_eq!(pixels[..6], [1, 2, 3, 0, 0, 0]);
        let message = PngFolder::new(folder).expect_err("it holds files").to_string();
        assert!(message.contains("frames"), "{message}");
    }
}
