//! A file that somebody asked for by name: a picture, a table, measurements.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::file::replace;
use crate::folder::RunFolder;

/// A file that somebody asked for by name, outside what runs record themselves. It may be there already, and is then
/// written over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    /// As it was named.
    path: PathBuf,
    /// The same without links, so that what is written over is what a link leads to.
    file: PathBuf,
}

/// Why a file that was asked for cannot be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The name has the ending of other files.
    #[error("the name {} does not end in .{extension}, and files of other kinds are not written over", .path.display())]
    Extension {
        /// The file.
        path: PathBuf,
        /// How its name must end.
        extension: &'static str,
    },
    /// The file is one of those that a run keeps.
    #[error("{} is a record of the run in {}, which is not written over", .path.display(), .run.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The folder of the run.
        run: PathBuf,
    },
    /// There is no folder to write it into.
    #[error("cannot write {}: there is no folder {}", .path.display(), .folder.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// The system does not let it be written.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl OutputFile {
    /// The file at `path`, checked as far as it can be before there is anything to write: minutes of work must not be lost,
    /// nor the records of a run, to a slip in a name.
    ///
    /// # Errors
    /// [`OutputError::Extension`] unless the name ends in `extension`, given without its dot; [`OutputError::NoFolder`];
    /// [`OutputError::Record`]; [`OutputError::Write`] where a folder has the name.
    pub fn new(path: &Path, extension: &'static str) -> Result<Self, OutputError> {
        if path.extension().is_none_or(|found| found != extension) {
            return Err(OutputError::Extension { path: path.to_owned(), extension });
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(OutputError::NoFolder { path: path.to_owned(), folder: folder.to_owned() });
        }
        let name = path.file_name().expect("a path with an extension has a name");
        let cannot_write = |source| OutputError::Write { path: path.to_owned(), source };
        let file = match fs::canonicalize(path) {
            Ok(file) => file,
            Err(_) => fs::canonicalize(folder).map_err(cannot_write)?.join(name),
        };
        if file.is_dir() {
            return Err(cannot_write(io::ErrorKind::IsADirectory.into()));
        }
        if let Some(run) = RunFolder::of_record(&file) {
            return Err(OutputError::Record { path: path.to_owned(), run: run.path().to_owned() });
        }
        Ok(Self { path: path.to_owned(), file })
    }

    /// Puts `bytes` into the file, all of them or none: what was there before then stays.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn write(&self, bytes: &[u8]) -> Result<(), OutputError> {
        replace(&self.file, bytes).map_err(|source| OutputError::Write { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;

    #[test]
    fn a_file_is_written_over_and_nothing_partial_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.csv");
        for text in ["first", "second"] {
            OutputFile::new(&path, "csv").unwrap().write(text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        // A name without a folder is in the current one.
        OutputFile::new(Path::new("scores.csv"), "csv").unwrap();
    }

    #[test]
    fn names_that_cannot_be_meant_are_refused_before_there_is_anything_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |name: &str| OutputFile::new(&folder.path().join(name), "json").unwrap_err();
        for name in ["episodes.csv", "latest.safetensors", "scores", ".json"] {
            assert!(matches!(refused(name), OutputError::Extension { extension: "json", .. }), "{name}");
        }
        assert!(matches!(refused("deep/scores.json"), OutputError::NoFolder { .. }));
        fs::create_dir(folder.path().join("folder.json")).unwrap();
        assert!(matches!(refused("folder.json"), OutputError::Write { .. }));
    }

    #[test]
    fn records_of_a_run_are_not_written_over_under_any_name() {
        let parent = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&parent.path().canonicalize().unwrap().join("run"), &manifest()).unwrap();
        let refused = |path: &Path, extension| match OutputFile::new(path, extension) {
            Err(OutputError::Record { run: of, .. }) => of == run.path(),
            _ => false,
        };
        assert!(refused(&run.path().join("manifest.json"), "json"));
        assert!(refused(&run.path().join("weights/../summary.json"), "json"));
        for table in ["episodes.csv", "train.csv", "evaluations.csv", "timing.csv", "distributions.csv"] {
            assert!(refused(&run.path().join(table), "csv"), "{table}");
        }
        #[cfg(unix)]
        {
            let link = parent.path().join("link.json");
            std::os::unix::fs::symlink(run.path().join("manifest.json"), &link).unwrap();
            assert!(refused(&link, "json"));
        }
        // Other files may lie beside them, and outside a run the names mean nothing.
        OutputFile::new(&run.path().join("scores.csv"), "csv").unwrap();
        OutputFile::new(&parent.path().join("train.csv"), "csv").unwrap();
    }
}
