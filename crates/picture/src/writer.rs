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
    Gif(#[from] gif::EncodingError),
}

/// What takes pictures of one size, one after the other.
pub trait Writer {
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
