//! A file that somebody asked for by name: a picture, a table, measurements.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::file::{PartialFile, replace};
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
    /// The file is what is read.
    #[error("{} is the file that is read, which is not written over", .path.display())]
    Input {
        /// The file.
        path: PathBuf,
    },
    /// Something has the name that cannot be replaced by a file: a folder, a pipe, a device, or a link that leads nowhere.
    #[error("cannot write {}: {kind} has this name", .path.display())]
    NotAFile {
        /// The name.
        path: PathBuf,
        /// What has it.
        kind: &'static str,
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
    /// [`OutputError::Extension`] unless the name ends in `extension`, given without its dot, in whatever case;
    /// [`OutputError::NoFolder`]; [`OutputError::Record`]; [`OutputError::NotAFile`]; [`OutputError::Write`] where the system
    /// does not say what is there.
    pub fn new(path: &Path, extension: &'static str) -> Result<Self, OutputError> {
        if path.extension().is_none_or(|found| !found.eq_ignore_ascii_case(extension)) {
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
        match fs::symlink_metadata(&file) {
            Ok(there) if !there.is_file() => {
                return Err(OutputError::NotAFile { path: path.to_owned(), kind: kind(there.file_type()) });
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot_write(error)),
            _ => {}
        }
        if let Some(run) = RunFolder::of_record(&file) {
            return Err(OutputError::Record { path: path.to_owned(), run: run.path().to_owned() });
        }
        Ok(Self { path: path.to_owned(), file })
    }

    /// The same, if it is not the file `input`, which is to be read.
    ///
    /// # Errors
    /// [`OutputError::Input`].
    pub fn apart_from(self, input: &Path) -> Result<Self, OutputError> {
        match fs::canonicalize(input) {
            Ok(input) if input == self.file => Err(OutputError::Input { path: self.path }),
            _ => Ok(self),
        }
    }

    /// Puts `bytes` into the file, all of them or none: what was there before then stays.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn write(&self, bytes: &[u8]) -> Result<(), OutputError> {
        replace(&self.file, bytes).map_err(|source| self.not_written(source))
    }

    /// Starts the file for what comes bit by bit.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn start(self) -> Result<StartedFile, OutputError> {
        let partial = PartialFile::create(self.file.clone()).map_err(|source| self.not_written(source))?;
        Ok(StartedFile { target: self, partial })
    }

    fn not_written(&self, source: io::Error) -> OutputError {
        OutputError::Write { path: self.path.clone(), source }
    }
}

/// An [`OutputFile`] that is being written. What was there before is replaced by [`keep`](Self::keep), and stays if this is
/// dropped.
#[derive(Debug)]
pub struct StartedFile {
    target: OutputFile,
    partial: PartialFile,
}

impl StartedFile {
    /// What takes the bytes.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn writer(&self) -> Result<fs::File, OutputError> {
        self.partial.file().try_clone().map_err(|source| self.target.not_written(source))
    }

    /// Puts the file, which is now whole, into its place.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn keep(self) -> Result<(), OutputError> {
        self.partial.keep().map_err(|source| self.target.not_written(source))
    }
}

/// What else than a file there is, in words.
fn kind(found: fs::FileType) -> &'static str {
    match found {
        _ if found.is_dir() => "a folder",
        _ if found.is_symlink() => "a link that leads nowhere",
        _ => "a pipe or a device",
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::folder::SavedWeights;
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
        assert!(matches!(refused("folder.json"), OutputError::NotAFile { kind: "a folder", .. }));
        OutputFile::new(&folder.path().join("SCORES.JSON"), "json").unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_file_is_left_alone_whatever_links_lead_to_it() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let refused = |name: &str| match OutputFile::new(&at(name), "csv") {
            Err(OutputError::NotAFile { kind, .. }) => kind,
            other => panic!("{name}: {other:?}"),
        };
        let made = std::process::Command::new("mkfifo").arg(at("pipe.csv")).status().unwrap();
        assert!(made.success());
        symlink("/dev/null", at("device.csv")).unwrap();
        symlink(at("pipe.csv"), at("link.csv")).unwrap();
        symlink(at("nothing"), at("nowhere.csv")).unwrap();
        for name in ["pipe.csv", "device.csv", "link.csv"] {
            assert_eq!(refused(name), "a pipe or a device");
        }
        assert_eq!(refused("nowhere.csv"), "a link that leads nowhere");

        // A link to a file stays, and the file is written over.
        fs::write(at("first.csv"), "first").unwrap();
        symlink(at("first.csv"), at("again.csv")).unwrap();
        OutputFile::new(&at("again.csv"), "csv").unwrap().write(b"second").unwrap();
        assert_eq!(fs::read_to_string(at("first.csv")).unwrap(), "second");
        assert!(fs::symlink_metadata(at("again.csv")).unwrap().is_symlink());
        let again = OutputFile::new(&at("again.csv"), "csv").unwrap();
        assert!(matches!(again.clone().apart_from(&at("first.csv")), Err(OutputError::Input { .. })));
        again.apart_from(&at("other.csv")).unwrap();
    }

    #[test]
    fn what_is_started_is_seen_once_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("game.gif");
        fs::write(&path, "before").unwrap();
        let start = || OutputFile::new(&path, "gif").unwrap().start().unwrap();
        let started = start();
        started.writer().unwrap().write_all(b"half").unwrap();
        drop(started);
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        let started = start();
        started.writer().unwrap().write_all(b"whole").unwrap();
        started.keep().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
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
        for weights in [SavedWeights::Latest, SavedWeights::Best] {
            assert!(refused(&run.weights(weights), "safetensors"), "{weights:?}");
        }
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
