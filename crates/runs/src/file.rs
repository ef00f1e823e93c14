//! Files that readers see whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::sink::{FilePositions, RecordError};

/// Puts `bytes` at `path` in one step: readers see the old file or the new one, never a part, also after a power cut.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = PartialFile::create(path.to_owned())?;
    partial.file().write_all(bytes)?;
    partial.keep()
}

/// A file that is written under another name, and takes its own once it is whole. Until then what was there stays, and
/// what is dropped goes away.
#[derive(Debug)]
pub(crate) struct PartialFile {
    file: fs::File,
    /// Where the file is while it is written.
    partial: PathBuf,
    path: PathBuf,
}

impl PartialFile {
    /// Starts the file that is to be at `path`.
    pub(crate) fn create(path: PathBuf) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = path.with_file_name(name);
        Ok(Self { file: fs::File::create(&partial)?, partial, path })
    }

    /// What is written to.
    pub(crate) fn file(&self) -> &fs::File {
        &self.file
    }

    /// Puts it in its place.
    pub(crate) fn keep(self) -> io::Result<()> {
        // A rename can reach the disk before the data does, and a power cut would then leave an empty file.
        self.file.sync_all()?;
        fs::rename(&self.partial, &self.path)
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        // Nothing has this name once the file is in its place. What cannot be removed is no reason to fail again.
        let _ = fs::remove_file(&self.partial);
    }
}

/// Has the names of a folder's files reach the disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere folders cannot be opened as files, and renames are written through.
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

/// `value` as indented JSON.
///
/// # Panics
/// When it has keys that are not strings.
pub(crate) fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("records are plain data with string keys");
    text.push('\n');
    text
}

/// A file of a run folder that is only appended to.
#[derive(Debug)]
pub(crate) struct AppendedFile {
    file: fs::File,
    path: PathBuf,
}

impl AppendedFile {
    /// Starts a file.
    ///
    /// # Errors
    /// When there is one, or it cannot be made.
    pub(crate) fn create(path: PathBuf) -> Result<Self, RecordError> {
        match fs::File::options().append(true).create_new(true).open(&path) {
            Ok(file) => Ok(Self { file, path }),
            Err(source) => Err(RecordError::write(&path, source)),
        }
    }

    /// Continues a file.
    ///
    /// # Errors
    /// When there is none, or it cannot be written.
    pub(crate) fn open(path: PathBuf) -> Result<Self, RecordError> {
        match fs::File::options().append(true).open(&path) {
            Ok(file) => Ok(Self { file, path }),
            Err(source) => Err(RecordError::open(&path, source)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).expect("files of a run folder have names of ASCII letters")
    }

    /// Adds its length to `position`, after everything is written to the disk.
    pub(crate) fn add_to(&self, position: &mut FilePositions) -> Result<(), RecordError> {
        let bytes = self.file.sync_data().and_then(|()| self.file.metadata());
        position.insert(self.name(), bytes.map_err(|source| RecordError::write(&self.path, source))?.len());
        Ok(())
    }

    /// Truncates the file to its length in `position`, to 0 if `position` does not have it.
    pub(crate) fn rewind(&self, position: &FilePositions) -> Result<(), RecordError> {
        let failed = |source| RecordError::write(&self.path, source);
        let expected = position.bytes(self.name()).unwrap_or(0);
        let found = self.file.metadata().map_err(failed)?.len();
        if found < expected {
            return Err(RecordError::Shorter { path: self.path.clone(), found, expected });
        }
        self.file.set_len(expected).map_err(failed)
    }
}

impl Write for AppendedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
