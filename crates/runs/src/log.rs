//! `log.txt`: every line that was shown.

use std::io::Write;

use crate::clock::Moment;
use crate::events::Event;
use crate::file::AppendedFile;
use crate::folder::RunFolder;
use crate::sink::{FilePositions, RecordError, Sink};

const LOG: &str = "log.txt";

/// Writes the lines of a run into its `log.txt`.
#[derive(Debug)]
pub struct Log {
    file: AppendedFile,
}

impl Log {
    /// Starts the log of a run.
    ///
    /// # Errors
    /// When there is one, or it cannot be made.
    pub fn create(folder: &RunFolder) -> Result<Self, RecordError> {
        Ok(Self { file: AppendedFile::create(folder.path().join(LOG))? })
    }

    /// Continues the log of a run.
    ///
    /// # Errors
    /// When there is none, or it cannot be written.
    pub fn open(folder: &RunFolder) -> Result<Self, RecordError> {
        Ok(Self { file: AppendedFile::open(folder.path().join(LOG))? })
    }
}

impl Sink for Log {
    fn take(&mut self, event: &Event, _: &Moment) -> Result<(), RecordError> {
        let Event::Note(line) = event else { return Ok(()) };
        self.file
            .write_all(format!("{line}\n").as_bytes())
            .map_err(|source| RecordError::write(self.file.path(), source))
    }

    fn position(&mut self) -> Result<FilePositions, RecordError> {
        let mut position = FilePositions::default();
        self.file.add_to(&mut position)?;
        Ok(position)
    }

    fn rewind(&mut self, position: &FilePositions) -> Result<(), RecordError> {
        self.file.rewind(position)
    }
}
