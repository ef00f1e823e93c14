//! Sinks, which record the events of a run.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::clock::Moment;
use crate::events::Event;

/// Takes every event of a run, in order, and records those that it has a use for.
pub trait Sink: Send {
    /// Records `event`, which happened at `moment`.
    ///
    /// # Errors
    /// When a file cannot be written.
    fn take(&mut self, event: &Event, moment: &Moment) -> Result<(), RecordError>;

    /// Lengths of its files, all of which is on the disk when this returns; empty for a sink without files.
    ///
    /// # Errors
    /// When a file cannot be written.
    fn position(&mut self) -> Result<FilePositions, RecordError> {
        Ok(FilePositions::default())
    }

    /// Goes back to `position`, an earlier result of [`Sink::position`] that may have files of other sinks too: what was
    /// written since is removed, and the next event follows what is left.
    ///
    /// # Errors
    /// When a file cannot be written or is shorter than at `position`.
    fn rewind(&mut self, position: &FilePositions) -> Result<(), RecordError> {
        let _ = position;
        Ok(())
    }
}

/// Lengths in bytes of files of a run folder, by name. A file without a length did not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FilePositions(BTreeMap<String, u64>);

impl FilePositions {
    /// Sets the length of the file `name`.
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

/// Why a record could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The system refused to write.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file to be continued is not there.
    #[error("{} is missing", .0.display())]
    Missing(PathBuf),
    /// A file to be continued is shorter than it was.
    #[error("{} has {found} bytes and had {expected} when the run was here", .path.display())]
    Shorter {
        /// The file.
        path: PathBuf,
        /// Bytes it has.
        found: u64,
        /// Bytes it had.
        expected: u64,
    },
    /// A table to be continued does not have the form that runs write.
    #[error("{} does not go on from `{line}`", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The line in it that is not as expected.
        line: String,
    },
}

impl RecordError {
    /// `path`, which is to be continued, cannot be opened, for the reason `source`.
    pub fn open(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing(path.to_owned()),
            _ => Self::write(path, source),
        }
    }

    /// `path` cannot be written, for the reason `source`.
    pub fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }
}
