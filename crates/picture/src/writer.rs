//! What takes pictures one after the other.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::canvas::Canvas;

/// Why pictures cannot be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PictureError {
    /// A picture has another size than those before it.
    #[error("a picture of {given:?} pixels cannot follow those of {expected:?}")]
    Size {
        /// Its width and height.
        given: (usize, usize),
        /// Those before it.
        expected: (usize, usize),
    },
    /// A picture is larger than the format allows.
    #[error("a picture of {0} by {1} pixels is larger than a GIF can be, 65535 by 65535")]
    TooLarge(usize, usize),
    /// The system does not let it be written.
    #[error("cannot write a picture")]
    Write(#[from] io::Error),
    /// The system does not let a file be written.
    #[error("cannot write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no window to show it in.
    #[error("cannot open a window: {0}")]
    Window(String),
    /// The encoder failed.
    #[error("cannot write a picture")]
    Gif(#[source] gif::EncodingError),
}

impl From<gif::EncodingError> for PictureError {
    fn from(error: gif::EncodingError) -> Self {
        match error {
            gif::EncodingError::Io(error) => Self::Write(error),
            other => Self::Gif(other),
        }
    }
}

/// What takes pictures of one size, one after the other.
pub trait Writer {
    /// Takes words that belong to the next picture, and says whether it shows them: where a picture's own letters would be
    /// too small to read.
    fn words(&mut self, words: &[String]) -> bool {
        let _ = words;
        false
    }

    /// Takes the next picture.
    ///
    /// # Errors
    /// [`PictureError`].
    fn frame(&mut self, picture: &Canvas) -> Result<(), PictureError>;

    /// Whether more pictures are wanted: not by a window that was closed.
    fn is_open(&self) -> bool {
        true
    }

    /// Writes what is still to be written.
    ///
    /// # Errors
    /// [`PictureError`].
    fn finish(self: Box<Self>) -> Result<(), PictureError>;
}

/// Checks that a picture has the size of those before it, and keeps the size of the first.
pub(crate) fn check_size(expected: &mut Option<(usize, usize)>, picture: &Canvas) -> Result<(), PictureError> {
    let given = (picture.width(), picture.height());
    let expected = *expected.get_or_insert(given);
    if given == expected { Ok(()) } else { Err(PictureError::Size { given, expected }) }
}
