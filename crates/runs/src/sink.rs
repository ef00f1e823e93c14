//! What a sink is: it is given every event of a run and writes down what concerns it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::clock::Moment;
use crate::events::Event;

/// Is given every event of a run, in order, and writes down what concerns it.
pub trait Sink: Send {
    /// Takes note of `event`, which happened at `moment`.
    ///
    /// # Errors
    /// When what it writes cannot be written.
    fn take(&mut self, event: &Event, moment: &Moment) -> Result<(), RecordError>;

    /// How far each of its files is written, all of that safely on the disk. A sink without files has none.
    ///
    /// # Errors
    /// When a file cannot be written.
    fn position(&mut self) -> Result<FilePositions, RecordError> {
        Ok(FilePositions::default())
    }

    /// Goes back to where [`Sink::position`] was `position`, among whose files are those of other sinks as well: what was
    /// written since is removed, and the next event is written behind what is left.
    ///
    /// # Errors
    /// When a file cannot be written or has lost what it held then.
    fn rewind(&mut self, position: &FilePositions) -> Result<(), RecordError> {
        let _ = position;
        Ok(())
    }
}

/// How far files of a run folder are written: bytes by name. A file that is not named did not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FilePositions(BTreeMap<String, u64>);

impl FilePositions {
    /// Adds that the file `name` is `bytes` long.
    pub fn insert(&mut self, name: &str, bytes: u64) {
        self.0.insert(name.to_owned(), bytes);
    }

    /// The length of the file `name`, if it existed.
    pub fn bytes(&self, name: &str) -> Option<u64> {
        self.0.get(name).copied()
    }

    /// Names of the files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Adds the files of `others`.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

/// A record could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The system refuses.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that is to be continued has lost what it held.
    #[error("{} has {found} bytes and had {expected} when the run was here", .path.display())]
    Shorter {
        /// The file.
        path: PathBuf,
        /// Bytes it has.
        found: u64,
        /// Bytes it had.
        expected: u64,
    },
    /// A table that is to be continued is not one that a run has written.
    #[error("{} does not go on from `{line}`", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The line in it that is not as expected.
        line: String,
    },
}

impl RecordError {
    /// `path` cannot be written, for the reason `source`.
    pub fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }
}
