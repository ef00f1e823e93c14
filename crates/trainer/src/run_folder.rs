//! The folder of one run: what lies in it, and how it gets there without ever being half-written.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use prism_environment::Seed;
use serde::Serialize;
use thiserror::Error;

use crate::Config;

/// The folder of one run.
///
/// | file | what it holds |
/// |---|---|
/// | `manifest.json` | what was run: configuration, version, commit, seed, device, command line, machine, start |
/// | `config.toml` | what `prism train` needs to run it again |
/// | `episodes.csv`, `train.csv`, `evaluations.csv` | records that depend on the seed alone |
/// | `timing.csv` | speeds, which depend on the machine |
/// | `distributions.csv` | distributions of returns for fixed observations, where there are any |
/// | `events.out.tfevents.*` | the same curves for TensorBoard |
/// | `weights/latest.safetensors`, `weights/best.safetensors` | networks |
/// | `log.txt` | every line that was shown |
/// | `summary.json` | how it ended |
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

/// Which of a run's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    /// The network as it was last.
    Latest,
    /// The network whose mean score was highest.
    Best,
}

/// Why a run folder cannot be made, written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunFolderError {
    /// The folder is there already.
    #[error("the run folder {} exists already: give another one with --out, or delete it", .0.display())]
    Exists(PathBuf),
    /// Something in it cannot be written.
    #[error(
        "cannot write {}: give a folder on a disk that is writable and has space with --out",
        .path.display()
    )]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no run in it.
    #[error("{} is not the folder of a run: it has no {missing}", .path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What was looked for.
        missing: &'static str,
    },
    /// Weights stand alone.
    #[error(
        "{} does not lie in the folder of a run, whose config.toml says what it plays: name the run's folder",
        .0.display()
    )]
    LoneWeights(PathBuf),
    /// There is nothing at this path.
    #[error("there is no run folder and no weights file at {}", .0.display())]
    Absent(PathBuf),
}

/// What `manifest.json` holds.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest<'a> {
    /// Version of prism.
    pub version: &'static str,
    /// Commit it was built from, `-dirty` where the sources differed from it.
    pub commit: &'static str,
    /// Preset, or stem of the configuration file.
    pub name: &'a str,
    /// Environment or game.
    pub environment: &'a str,
    /// What the scores were counted under.
    pub protocol: &'a str,
    /// Seed of every random stream.
    pub seed: Seed,
    /// Device of the networks.
    pub device: &'a str,
    /// The command line.
    pub command: Vec<String>,
    /// When it started, in UTC.
    pub started: String,
    /// Where it ran.
    pub machine: Machine,
    /// The validated configuration.
    pub config: &'a Config,
}

/// Where a run ran.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Operating system.
    pub system: &'static str,
    /// Processor architecture.
    pub architecture: &'static str,
    /// Processor cores this process may use.
    pub cores: usize,
}

impl<'a> Manifest<'a> {
    /// The manifest of a run of this process that starts now.
    pub fn new(name: &'a str, config: &'a Config, seed: Seed, device: &'a str) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: env!("PRISM_COMMIT"),
            name,
            environment: config.environment.kind.name(),
            protocol: config.environment.kind.protocol(),
            seed,
            device,
            command: std::env::args().collect(),
            started: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            machine: Machine {
                system: std::env::consts::OS,
                architecture: std::env::consts::ARCH,
                // Without an answer from the system, one core is certain.
                cores: std::thread::available_parallelism().map_or(1, usize::from),
            },
            config,
        }
    }
}

impl RunFolder {
    /// Makes the folder of a run, whole or not at all: `out`, else a new folder under `runs` named for the run.
    ///
    /// # Errors
    /// [`RunFolderError::Exists`], [`RunFolderError::Write`].
    pub fn create(out: Option<&Path>, manifest: &Manifest<'_>) -> Result<Self, RunFolderError> {
        let path = out.map_or_else(|| default_path(manifest), Path::to_owned);
        if path.symlink_metadata().is_ok() {
            return Err(RunFolderError::Exists(path));
        }
        // Filled under another name and renamed, so that a folder of this name is always complete.
        let mut partial_name = path.file_name().unwrap_or_default().to_owned();
        partial_name.push(format!(".partial-{}", std::process::id()));
        let partial = path.with_file_name(partial_name);
        let filled = fill(&partial, manifest)
            .and_then(|()| fs::rename(&partial, &path).map_err(|source| write_error(&path, source)));
        if let Err(error) = filled {
            // What went wrong is known; that its remains cannot be removed either would not help.
            let _ = fs::remove_dir_all(&partial);
            return Err(error);
        }
        Ok(Self { path })
    }

    /// Finds the run at `path`: its folder.
    ///
    /// # Errors
    /// [`RunFolderError::Absent`], [`RunFolderError::NotARun`].
    pub fn open(path: &Path) -> Result<Self, RunFolderError> {
        if !path.exists() {
            return Err(RunFolderError::Absent(path.to_owned()));
        }
        let folder = Self { path: path.to_owned() };
        if !folder.config().is_file() {
            return Err(RunFolderError::NotARun { path: path.to_owned(), missing: "config.toml" });
        }
        Ok(folder)
    }

    /// Finds weights at `path`, which names a weights file in a run's folder, or the folder: then the best weights, else
    /// the latest.
    ///
    /// # Errors
    /// When there is no run or it has no weights.
    pub fn open_weights(path: &Path) -> Result<(Self, PathBuf), RunFolderError> {
        if path.is_file() {
            // <run>/weights/<checkpoint>.safetensors
            let run = fs::canonicalize(path).ok().and_then(|path| Some(path.parent()?.parent()?.to_owned()));
            let folder = run.and_then(|run| Self::open(&run).ok());
            let folder = folder.ok_or_else(|| RunFolderError::LoneWeights(path.to_owned()))?;
            return Ok((folder, path.to_owned()));
        }
        let folder = Self::open(path)?;
        let weights = [Checkpoint::Best, Checkpoint::Latest].map(|which| folder.weights(which));
        match weights.into_iter().find(|path| path.is_file()) {
            Some(weights) => Ok((folder, weights)),
            None => Err(RunFolderError::NotARun { path: path.to_owned(), missing: "weights yet" }),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its `config.toml`.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// The file of `checkpoint`.
    pub fn weights(&self, checkpoint: Checkpoint) -> PathBuf {
        let name = match checkpoint {
            Checkpoint::Latest => "latest.safetensors",
            Checkpoint::Best => "best.safetensors",
        };
        self.path.join("weights").join(name)
    }

    /// Replaces the file of `checkpoint` by `safetensors`.
    ///
    /// # Errors
    /// [`RunFolderError::Write`]; the previous file then stays as it was.
    pub fn write_weights(&self, checkpoint: Checkpoint, safetensors: &[u8]) -> Result<(), RunFolderError> {
        replace(&self.weights(checkpoint), safetensors)
    }

    /// Replaces the file `name` by `value` as JSON.
    ///
    /// # Errors
    /// [`RunFolderError::Write`]; the previous file then stays as it was.
    pub(crate) fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), RunFolderError> {
        replace(&self.path.join(name), json(value).as_bytes())
    }
}

/// Writes what a run's folder starts with.
fn fill(folder: &Path, manifest: &Manifest<'_>) -> Result<(), RunFolderError> {
    fs::create_dir_all(folder.join("weights")).map_err(|source| write_error(folder, source))?;
    replace(&folder.join("manifest.json"), json(manifest).as_bytes())?;
    let config = format!(
        "# {} as it ran. Run it again: prism train <this file> --seed {} --device {}\n\n{}",
        manifest.name,
        manifest.seed.0,
        manifest.device,
        manifest.config.to_toml()
    );
    replace(&folder.join("config.toml"), config.as_bytes())
}

/// Puts `bytes` at `path` in one step: readers see the old file or the new one, never a part.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), RunFolderError> {
    let mut partial_name = path.file_name().unwrap_or_default().to_owned();
    partial_name.push(".partial");
    let partial = path.with_file_name(partial_name);
    let written = (|| {
        let mut file = fs::File::create(&partial)?;
        file.write_all(bytes)?;
        // A rename can reach the disk before the data does, and a power cut would then leave an empty file.
        file.sync_all()?;
        fs::rename(&partial, path)
    })();
    written.map_err(|source| {
        let _ = fs::remove_file(&partial);
        write_error(path, source)
    })
}

fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("records are plain data with string keys");
    text.push('\n');
    text
}

fn write_error(path: &Path, source: io::Error) -> RunFolderError {
    RunFolderError::Write { path: path.to_owned(), source }
}

/// `runs/<name>-<environment>-seed<seed>-<UTC date-time>`, the environment only where the name does not say it, with a
/// number behind it where two runs start in the same second.
fn default_path(manifest: &Manifest<'_>) -> PathBuf {
    let started = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
    let mut name = manifest.name.to_owned();
    if !name.starts_with(manifest.environment) {
        name = format!("{name}-{}", manifest.environment);
    }
    let name = format!("{name}-seed{}-{started}", manifest.seed.0);
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.clone())
        .chain(numbered)
        .map(|name| Path::new("runs").join(name))
        .find(|path| !path.exists())
        .expect("some number is free")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    fn catch() -> Config {
        Config::read(&Source::find("catch").unwrap(), &[]).unwrap()
    }

    #[test]
    fn a_new_folder_holds_manifest_and_config_and_nothing_partial() {
        let parent = tempfile::tempdir().unwrap();
        let out = parent.path().join("deep/run");
        let config = catch();
        let folder = RunFolder::create(Some(&out), &Manifest::new("catch", &config, Seed(u64::MAX), "flex")).unwrap();
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.path().join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["seed"], u64::MAX);
        assert_eq!(manifest["device"], "flex");
        assert_eq!(manifest["config"]["replay"]["capacity"], config.replay.capacity);
        let again = Config::read(&Source::read(&folder.config()).unwrap(), &[]).unwrap();
        assert_eq!(format!("{again:?}"), format!("{config:?}"));
        let beside: Vec<_> = fs::read_dir(out.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(beside, [out]);
    }

    #[test]
    fn a_folder_that_exists_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let config = catch();
        let manifest = Manifest::new("catch", &config, Seed(0), "flex");
        let error = RunFolder::create(Some(parent.path()), &manifest).unwrap_err();
        assert!(matches!(error, RunFolderError::Exists(_)));
        assert!(error.to_string().contains("--out"));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        let config = catch();
        let out = file.join("run");
        let error = RunFolder::create(Some(&out), &Manifest::new("catch", &config, Seed(0), "flex")).unwrap_err();
        assert!(matches!(&error, RunFolderError::Write { path, .. } if path.starts_with(&file)), "{error}");
    }

    #[test]
    fn weights_are_replaced_whole_or_not_at_all() {
        let parent = tempfile::tempdir().unwrap();
        let config = catch();
        let out = parent.path().join("run");
        let folder = RunFolder::create(Some(&out), &Manifest::new("catch", &config, Seed(0), "flex")).unwrap();
        folder.write_weights(Checkpoint::Latest, b"first").unwrap();
        folder.write_weights(Checkpoint::Latest, b"second").unwrap();
        assert_eq!(fs::read(folder.weights(Checkpoint::Latest)).unwrap(), b"second");
        // The partial file cannot be made where a folder has its name: the weights stay.
        fs::create_dir(out.join("weights/latest.safetensors.partial")).unwrap();
        folder.write_weights(Checkpoint::Latest, b"third").unwrap_err();
        assert_eq!(fs::read(folder.weights(Checkpoint::Latest)).unwrap(), b"second");
    }

    #[test]
    fn weights_are_found_by_folder_or_file_best_first() {
        let parent = tempfile::tempdir().unwrap();
        let config = catch();
        let out = parent.path().join("run");
        let folder = RunFolder::create(Some(&out), &Manifest::new("catch", &config, Seed(0), "flex")).unwrap();
        let error = RunFolder::open_weights(&out).unwrap_err();
        assert!(error.to_string().contains("no weights yet"), "{error}");
        folder.write_weights(Checkpoint::Latest, b"latest").unwrap();
        assert_eq!(RunFolder::open_weights(&out).unwrap().1, folder.weights(Checkpoint::Latest));
        folder.write_weights(Checkpoint::Best, b"best").unwrap();
        assert_eq!(RunFolder::open_weights(&out).unwrap().1, folder.weights(Checkpoint::Best));
        let (found, weights) = RunFolder::open_weights(&folder.weights(Checkpoint::Latest)).unwrap();
        assert_eq!(weights, folder.weights(Checkpoint::Latest));
        assert_eq!(found.path().canonicalize().unwrap(), out.canonicalize().unwrap());
    }
}
