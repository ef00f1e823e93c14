//! Why a run cannot be read.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::folder::RunFolderError;

/// Why a run cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no run.
    #[error("{source}")]
    Run {
        /// What was given.
        path: PathBuf,
        /// What is wrong with it.
        source: RunFolderError,
    },
    /// A file of a run cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file does not have the form that runs write.
    #[error("{}{}: {reason}", .path.display(), .line.map_or_else(String::new, |line| format!(", line {line}")))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1, if the fault is in one.
        line: Option<u64>,
        /// What is wrong.
        reason: String,
    },
}

impl ReadError {
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn malformed(path: &Path, line: Option<u64>, reason: impl Into<String>) -> Self {
        Self::Malformed { path: path.to_owned(), line, reason: reason.into() }
    }

    /// The error for `error` in the CSV file at `path`.
    pub(crate) fn csv(path: &Path, error: &csv::Error) -> Self {
        let position = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, pos } => {
                let line = pos.as_ref().map(csv::Position::line);
                return Self::malformed(path, line, format!("it has {len} cells instead of {expected_len}"));
            }
            csv::ErrorKind::Deserialize { err, pos } => {
                return Self::malformed(path, pos.as_ref().map(csv::Position::line), err.to_string());
            }
            _ => error.position(),
        };
        Self::malformed(path, position.map(csv::Position::line), error.to_string())
    }
}
