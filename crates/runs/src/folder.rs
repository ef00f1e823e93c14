//! The folder of one run and its files, none of which is ever half-written.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

use crate::file::{json, replace};
use crate::manifest::Manifest;
use crate::names::{CONFIG, MANIFEST, RECORDS};
use crate::position::Position;

/// The folder of one run.
///
/// | file | what it holds |
/// |---|---|
/// | `manifest.json` | what was run: configuration, version, commit, seed, device, ROM, command line, machine, start |
/// | `config.toml` | what is needed to run it again |
/// | `episodes.csv`, `train.csv`, `evaluations.csv` | records that depend on the seed alone |
/// | `timing.csv` | speeds, which depend on the machine |
/// | `distributions.csv` | distributions of returns for fixed observations, where there are any |
/// | `events.out.tfevents.*` | the same curves for TensorBoard, and the configuration |
/// | `weights/latest.safetensors`, `weights/best.safetensors` | networks |
/// | `log.txt` | every line that was shown |
/// | `summary.json` | how it ended |
/// | `checkpoints/` | the state to go on from |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

/// Which of a run's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SavedWeights {
    /// The last network.
    Latest,
    /// The network whose mean score was highest.
    Best,
}

impl SavedWeights {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Best, Self::Latest];

    /// Its name in arguments and in the names of files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::Best => "best",
        }
    }

    /// Its meaning, in a line.
    pub fn description(self) -> &'static str {
        match self {
            Self::Latest => "those of the end, or of the last time that they were saved",
            Self::Best => "those of the highest mean score of the last games of training",
        }
    }
}

impl fmt::Display for SavedWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of a run's weights.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("unknown weights '{0}': there are best and latest")]
pub struct UnknownWeights(pub String);

impl FromStr for SavedWeights {
    type Err = UnknownWeights;

    fn from_str(name: &str) -> Result<Self, UnknownWeights> {
        Self::ALL.into_iter().find(|weights| weights.name() == name).ok_or_else(|| UnknownWeights(name.into()))
    }
}

/// Why a run folder cannot be made, written or found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunFolderError {
    /// The folder is there already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// Something in it cannot be written.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Something in it cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The folder is not a run's.
    #[error("{} is not the folder of a run: it has no {missing}", .path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What was looked for.
        missing: &'static str,
    },
    /// The run has not saved weights.
    #[error("the run in {} has no weights yet", .0.display())]
    NoWeights(PathBuf),
    /// The run has not saved weights of this kind.
    #[error("the run in {} has no {weights} weights", .path.display())]
    NoSuchWeights {
        /// The run.
        path: PathBuf,
        /// What was asked for.
        weights: SavedWeights,
    },
    /// There is nothing at this path.
    #[error("there is nothing at {}", .0.display())]
    Absent(PathBuf),
    /// Another process writes the run.
    #[error("another process is training the run in {}", .0.display())]
    InUse(PathBuf),
}

impl RunFolder {
    /// Makes the folder of a run at `path`, and the folders above it where they are missing.
    ///
    /// Creating the folder claims its name: of several processes that ask for the same one at once, one gets it. The
    /// `config.toml`, which marks the folder of a run, is written last.
    ///
    /// # Errors
    /// [`RunFolderError::Exists`], [`RunFolderError::Write`].
    pub fn create(path: &Path, manifest: &Manifest) -> Result<Self, RunFolderError> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(|source| write_error(parent, source))?;
        }
        fs::create_dir(path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => RunFolderError::Exists(path.to_owned()),
            _ => write_error(path, source),
        })?;
        let folder = Self { path: path.to_owned() };
        if let Err(error) = folder.fill(manifest) {
            folder.discard();
            return Err(error);
        }
        Ok(folder)
    }

    /// Makes the folder of a run in `parent`: `<name>-<environment>-seed<seed>-<UTC date-time>`, the environment only
    /// where the name does not begin with it, and followed by a number where another run has that name. Separators of paths
    /// in a name become dashes.
    ///
    /// # Errors
    /// [`RunFolderError::Write`].
    pub fn create_in(parent: &Path, manifest: &Manifest) -> Result<Self, RunFolderError> {
        let name = own_name(manifest, jiff::Timestamp::now());
        let mut number = 1_u64;
        loop {
            let name = if number == 1 { name.clone() } else { format!("{name}-{number}") };
            match Self::create(&parent.join(name), manifest) {
                Err(RunFolderError::Exists(_)) => number += 1,
                made_or_failed => return made_or_failed,
            }
        }
    }

    /// The run whose folder is at `path`.
    ///
    /// # Errors
    /// [`RunFolderError::Absent`], [`RunFolderError::NotARun`].
    pub fn open(path: &Path) -> Result<Self, RunFolderError> {
        if !path.exists() {
            return Err(RunFolderError::Absent(path.to_owned()));
        }
        let folder = Self { path: path.to_owned() };
        if !folder.config().is_file() {
            return Err(RunFolderError::NotARun { path: path.to_owned(), missing: CONFIG });
        }
        Ok(folder)
    }

    /// The run of which `file` is a record or has the weights, there or to come. `None` for a file outside a run, or of
    /// another name.
    pub(crate) fn of_record(file: &Path) -> Option<Self> {
        let is_record = file.file_name().is_some_and(|name| RECORDS.iter().any(|&record| name == record));
        if is_record {
            return Self::open(file.parent()?).ok();
        }
        let run = Self::open(file.parent()?.parent()?).ok()?;
        [SavedWeights::Latest, SavedWeights::Best].iter().any(|&which| run.weights(which) == file).then_some(run)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its `config.toml`.
    pub fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// The path of `weights`, whether or not the file exists.
    pub fn weights(&self, weights: SavedWeights) -> PathBuf {
        self.path.join("weights").join(format!("{weights}.safetensors"))
    }

    /// The file of the best weights, else that of the latest.
    ///
    /// # Errors
    /// [`RunFolderError::NoWeights`].
    pub fn best_weights(&self) -> Result<PathBuf, RunFolderError> {
        let files = [SavedWeights::Best, SavedWeights::Latest].map(|which| self.weights(which));
        files.into_iter().find(|path| path.is_file()).ok_or_else(|| RunFolderError::NoWeights(self.path.clone()))
    }

    /// Replaces the file of `weights` by `safetensors`, whole or not at all.
    ///
    /// # Errors
    /// [`RunFolderError::Write`]; the previous file then stays as it was.
    pub fn write_weights(&self, weights: SavedWeights, safetensors: &[u8]) -> Result<(), RunFolderError> {
        self.write(&self.weights(weights), safetensors)
    }

    /// Takes note in the manifest that the run goes on at `at` under `manifest`, whose configuration takes the place of the
    /// one before.
    ///
    /// # Errors
    /// [`RunFolderError::Read`], [`RunFolderError::Write`].
    pub fn go_on(&self, manifest: &Manifest, at: &Position) -> Result<(), RunFolderError> {
        let path = self.path.join(MANIFEST);
        let read = fs::read(&path).map_err(|source| RunFolderError::Read { path: path.clone(), source })?;
        let unreadable = |error: serde_json::Error| RunFolderError::Read { path: path.clone(), source: error.into() };
        let mut before: serde_json::Map<String, Value> = serde_json::from_slice(&read).map_err(unreadable)?;
        let Ok(Value::Object(mut now)) = serde_json::to_value(manifest) else {
            panic!("a manifest is an object of plain data")
        };
        before.insert("config".to_owned(), now.remove("config").unwrap_or_default());
        now.retain(|key, _| {
            ["version", "commit", "device", "rom", "command", "started", "machine"].contains(&key.as_str())
        });
        now.insert("agent_steps".to_owned(), at.agent_steps.0.into());
        match before.entry("resumed").or_insert_with(|| Value::Array(Vec::new())) {
            Value::Array(resumed) => resumed.push(Value::Object(now)),
            other => *other = Value::Array(vec![Value::Object(now)]),
        }
        self.write_file(MANIFEST, json(&before).as_bytes())?;
        self.write_file(CONFIG, manifest.config_text.as_bytes())
    }

    /// The file of `weights`, if there is one.
    ///
    /// # Errors
    /// [`RunFolderError::Read`].
    pub fn read_weights(&self, weights: SavedWeights) -> Result<Option<Vec<u8>>, RunFolderError> {
        let path = self.weights(weights);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(RunFolderError::Read { path, source }),
        }
    }

    /// Removes the file of `weights`, if there is one.
    ///
    /// # Errors
    /// [`RunFolderError::Write`].
    pub fn remove_weights(&self, weights: SavedWeights) -> Result<(), RunFolderError> {
        let path = self.weights(weights);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(write_error(&path, error)),
            _ => Ok(()),
        }
    }

    /// Replaces the file `name` in the folder by `bytes`, whole or not at all.
    ///
    /// # Errors
    /// [`RunFolderError::Write`]; the previous file then stays as it was.
    pub fn write_file(&self, name: &str, bytes: &[u8]) -> Result<(), RunFolderError> {
        self.write(&self.path.join(name), bytes)
    }

    /// Removes the folder of a run that could not begin, as far as it can be removed: why it could not is to be reported.
    pub fn discard(&self) {
        let _ = fs::remove_dir_all(&self.path);
    }

    /// Writes what a run's folder starts with.
    fn fill(&self, manifest: &Manifest) -> Result<(), RunFolderError> {
        let weights = self.path.join("weights");
        fs::create_dir(&weights).map_err(|source| write_error(&weights, source))?;
        self.write_file(MANIFEST, json(manifest).as_bytes())?;
        self.write_file(CONFIG, manifest.config_text.as_bytes())
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), RunFolderError> {
        replace(path, bytes).map_err(|source| write_error(path, source))
    }
}

fn write_error(path: &Path, source: io::Error) -> RunFolderError {
    RunFolderError::Write { path: path.to_owned(), source }
}

fn own_name(manifest: &Manifest, now: jiff::Timestamp) -> String {
    let Manifest { name, environment, seed, .. } = manifest;
    let has_environment =
        name.strip_prefix(environment.as_str()).is_some_and(|rest| matches!(rest.chars().next(), None | Some('-')));
    let environment = if has_environment { String::new() } else { format!("-{environment}") };
    let name = one_component(&format!("{name}{environment}"));
    format!("{name}-seed{}-{}", seed.0, now.strftime("%Y%m%d-%H%M%S"))
}

/// The name without what would lead to another folder or hide it: programs choose names freely.
fn one_component(name: &str) -> String {
    let allowed = |letter: char| if letter.is_control() || r#"/\:"#.contains(letter) { '-' } else { letter };
    name.trim_start_matches(['.', '/', '\\', ' ']).chars().map(allowed).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::Command;

    use super::*;
    use crate::manifest::tests::{CONFIG, manifest};

    #[test]
    fn a_new_folder_holds_manifest_and_config_and_nothing_partial() {
        let parent = tempfile::tempdir().unwrap();
        let out = parent.path().join("deep/run");
        let folder = RunFolder::create(&out, &manifest()).unwrap();
        let names: BTreeSet<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["config.toml", "manifest.json", "weights"].map(Into::into).into());
        assert_eq!(fs::read_to_string(folder.config()).unwrap(), CONFIG);
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.path().join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["seed"], 7);
        assert_eq!(fs::read_dir(out.parent().unwrap()).unwrap().count(), 1);
        assert_eq!(RunFolder::open(&out).unwrap(), folder);
    }

    #[test]
    fn a_folder_that_exists_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let error = RunFolder::create(parent.path(), &manifest()).unwrap_err();
        assert!(matches!(error, RunFolderError::Exists(path) if path == parent.path()));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        for out in [file.join("run"), file.join("deep/run")] {
            let error = RunFolder::create(&out, &manifest()).unwrap_err();
            assert!(matches!(&error, RunFolderError::Write { path, .. } if path.starts_with(&file)), "{error}");
        }
    }

    #[test]
    fn a_name_says_the_environment_once() {
        let name = |name: &str, environment: &str| {
            let (name, environment) = (name.to_owned(), environment.to_owned());
            own_name(&Manifest { name, environment, ..manifest() }, jiff::Timestamp::UNIX_EPOCH)
        };
        assert_eq!(name("pong-fast", "pong"), "pong-fast-seed7-19700101-000000");
        assert_eq!(name("dqn", "breakout"), "dqn-breakout-seed7-19700101-000000");
        assert_eq!(name("pongo", "pong"), "pongo-pong-seed7-19700101-000000");
    }

    #[test]
    fn no_name_leads_out_of_the_folder_of_runs() {
        let parent = tempfile::tempdir().unwrap();
        let runs = parent.path().join("runs");
        for name in ["/etc/x", "../x", "configs/mine.toml", r"c:\x", "a\nb", "..", ""] {
            for environment in ["maze", "../maze", "a/b"] {
                let manifest = Manifest { name: name.to_owned(), environment: environment.to_owned(), ..manifest() };
                let folder = RunFolder::create_in(&runs, &manifest).unwrap();
                assert_eq!(folder.path().parent().unwrap(), runs, "{name} {environment}");
            }
        }
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }

    /// The folders of the runs in `parent`, each checked to be whole.
    fn whole_runs(parent: &Path) -> usize {
        let runs: Vec<_> = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path()).collect();
        for run in &runs {
            RunFolder::open(run).unwrap();
            assert!(run.join("manifest.json").is_file() && run.join("weights").is_dir(), "{}", run.display());
        }
        runs.len()
    }

    #[test]
    fn runs_of_many_threads_at_once_get_a_folder_each() {
        let parent = tempfile::tempdir().unwrap();
        let start = std::sync::Barrier::new(16);
        let paths: BTreeSet<PathBuf> = std::thread::scope(|scope| {
            let claim = || {
                let manifest = manifest();
                start.wait();
                RunFolder::create_in(&parent.path().join("runs"), &manifest).unwrap().path().to_owned()
            };
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(claim)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(paths.len(), 16);
        assert_eq!(whole_runs(&parent.path().join("runs")), 16);
    }

    /// Names the folder in which the processes of the next test make theirs.
    const CLAIM_IN: &str = "PRISM_RUNS_TEST_CLAIM_IN";

    #[test]
    fn runs_of_many_processes_at_once_get_a_folder_each() {
        if let Some(parent) = std::env::var_os(CLAIM_IN) {
            for _ in 0..8 {
                RunFolder::create_in(Path::new(&parent), &manifest()).unwrap();
            }
            return;
        }
        let parent = tempfile::tempdir().unwrap();
        let start = || {
            let test = "folder::tests::runs_of_many_processes_at_once_get_a_folder_each";
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args([test, "--exact", "--nocapture"]).env(CLAIM_IN, parent.path().join("runs"));
            command.stdout(std::process::Stdio::null()).spawn().unwrap()
        };
        let children: Vec<_> = (0..8).map(|_| start()).collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        assert_eq!(whole_runs(&parent.path().join("runs")), 64);
    }

    #[test]
    fn weights_are_replaced_whole_or_not_at_all() {
        let parent = tempfile::tempdir().unwrap();
        let out = parent.path().join("run");
        let folder = RunFolder::create(&out, &manifest()).unwrap();
        folder.write_weights(SavedWeights::Latest, b"first").unwrap();
        folder.write_weights(SavedWeights::Latest, b"second").unwrap();
        assert_eq!(fs::read(folder.weights(SavedWeights::Latest)).unwrap(), b"second");
        // The partial file cannot be made where a folder has its name: the weights stay.
        fs::create_dir(out.join("weights/latest.safetensors.partial")).unwrap();
        folder.write_weights(SavedWeights::Latest, b"third").unwrap_err();
        assert_eq!(fs::read(folder.weights(SavedWeights::Latest)).unwrap(), b"second");
    }

    #[cfg(unix)]
    #[test]
    fn any_path_that_the_system_allows_names_a_run() {
        use std::os::unix::ffi::OsStrExt;
        let parent = tempfile::tempdir().unwrap();
        for name in [&b"r\xff"[..], b"a b\n\"c\"", b"-x", "\u{1f3ae}".as_bytes()] {
            let out = parent.path().join(std::ffi::OsStr::from_bytes(name));
            let folder = RunFolder::create(&out, &manifest()).unwrap();
            folder.write_weights(SavedWeights::Best, b"best").unwrap();
            assert_eq!(RunFolder::open(&out).unwrap().best_weights().unwrap(), folder.weights(SavedWeights::Best));
        }
    }
}
