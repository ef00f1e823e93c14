//! The run that a path given by a user belongs to.

use std::fs;
use std::path::{Path, PathBuf};

use crate::folder::{RunFolder, RunFolderError, SavedWeights};

/// What a path given for a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunPath {
    /// The folder of a run.
    Folder(RunFolder),
    /// The `config.toml` in the folder of a run.
    Configuration(RunFolder),
    /// A weights file in the folder of a run.
    Weights {
        /// The run.
        folder: RunFolder,
        /// The file.
        weights: PathBuf,
    },
    /// A weights file that lies beside a `config.toml`, outside the folder of its run.
    WeightsWithConfiguration {
        /// The file.
        weights: PathBuf,
        /// The configuration beside it.
        config: PathBuf,
    },
    /// A weights file without a configuration beside it; its own metadata may have one.
    LoneWeights(PathBuf),
}

impl RunPath {
    /// Finds out what `path` is. A file counts as a weights file unless it is the `config.toml` of a run.
    ///
    /// # Errors
    /// [`RunFolderError::Absent`]; [`RunFolderError::NotARun`] for a folder that is not a run's.
    pub fn find(path: &Path) -> Result<Self, RunFolderError> {
        if !path.is_file() {
            return RunFolder::open(path).map(Self::Folder);
        }
        // Links and `..` are resolved, so that the folders above are those of the file itself.
        let found = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let run_in = |folder: Option<&Path>| folder.and_then(|folder| RunFolder::open(folder).ok());
        let beside = run_in(found.parent());
        if let Some(folder) = &beside
            && found.file_name() == folder.config().file_name()
        {
            return Ok(Self::Configuration(folder.clone()));
        }
        let weights = path.to_owned();
        let in_weights_folder = found.parent().and_then(Path::file_name).is_some_and(|name| name == "weights");
        // <run>/weights/<which>.safetensors
        if in_weights_folder && let Some(folder) = run_in(found.parent().and_then(Path::parent)) {
            return Ok(Self::Weights { folder, weights });
        }
        Ok(match beside {
            Some(folder) => Self::WeightsWithConfiguration { weights, config: folder.config() },
            None => Self::LoneWeights(weights),
        })
    }

    /// The run, if the path is in the folder of one.
    pub fn folder(&self) -> Option<&RunFolder> {
        match self {
            Self::Folder(folder) | Self::Configuration(folder) | Self::Weights { folder, .. } => Some(folder),
            Self::WeightsWithConfiguration { .. } | Self::LoneWeights(_) => None,
        }
    }

    /// The run's configuration file, if there is one.
    pub fn config(&self) -> Option<PathBuf> {
        match self {
            Self::WeightsWithConfiguration { config, .. } => Some(config.clone()),
            _ => self.folder().map(RunFolder::config),
        }
    }

    /// The weights: the file that was named, else the best of the run, else its latest.
    ///
    /// # Errors
    /// [`RunFolderError::NoWeights`].
    pub fn weights(&self) -> Result<PathBuf, RunFolderError> {
        match self {
            Self::Folder(folder) | Self::Configuration(folder) => folder.best_weights(),
            Self::Weights { weights, .. }
            | Self::WeightsWithConfiguration { weights, .. }
            | Self::LoneWeights(weights) => Ok(weights.clone()),
        }
    }

    /// Which of its run's weights a file is, if it is one of them.
    pub fn saved(&self, file: &Path) -> Option<SavedWeights> {
        let folder = self.folder()?;
        SavedWeights::ALL.into_iter().find(|which| folder.weights(*which).file_name() == file.file_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;

    /// A run in `parent` with no weights yet.
    fn run(parent: &Path) -> RunFolder {
        RunFolder::create(&parent.canonicalize().unwrap().join("run"), &manifest()).unwrap()
    }

    #[test]
    fn a_run_is_found_by_its_folder_its_configuration_and_its_weights() {
        let parent = tempfile::tempdir().unwrap();
        let folder = run(parent.path());
        let by_folder = RunPath::find(folder.path()).unwrap();
        assert_eq!(by_folder, RunPath::Folder(folder.clone()));
        assert!(matches!(by_folder.weights(), Err(RunFolderError::NoWeights(path)) if path == folder.path()));
        folder.write_weights(SavedWeights::Latest, b"latest").unwrap();
        assert_eq!(by_folder.weights().unwrap(), folder.weights(SavedWeights::Latest));
        folder.write_weights(SavedWeights::Best, b"best").unwrap();
        assert_eq!(by_folder.weights().unwrap(), folder.weights(SavedWeights::Best));

        let by_config = RunPath::find(&folder.config()).unwrap();
        assert_eq!(by_config, RunPath::Configuration(folder.clone()));
        assert_eq!(by_config.weights().unwrap(), folder.weights(SavedWeights::Best));

        let weights = folder.weights(SavedWeights::Latest);
        let by_weights = RunPath::find(&weights).unwrap();
        assert_eq!(by_weights, RunPath::Weights { folder: folder.clone(), weights: weights.clone() });
        assert_eq!((by_weights.weights().unwrap(), by_weights.config()), (weights, Some(folder.config())));
        assert_eq!(by_weights.folder(), Some(&folder));
        assert_eq!(by_weights.saved(&folder.weights(SavedWeights::Latest)), Some(SavedWeights::Latest));
        assert_eq!(by_folder.saved(&by_folder.weights().unwrap()), Some(SavedWeights::Best));
    }

    #[test]
    fn moved_weights_are_found_with_the_configuration_beside_them_or_alone() {
        let parent = tempfile::tempdir().unwrap();
        let folder = run(parent.path());
        let moved = parent.path().canonicalize().unwrap().join("moved");
        fs::create_dir(&moved).unwrap();
        let (weights, config) = (moved.join("best.safetensors"), moved.join("config.toml"));
        fs::write(&weights, "weights").unwrap();
        let lone = RunPath::find(&weights).unwrap();
        assert_eq!(lone, RunPath::LoneWeights(weights.clone()));
        assert_eq!((lone.config(), lone.folder(), lone.saved(&weights)), (None, None, None));
        fs::copy(folder.config(), &config).unwrap();
        let both = RunPath::find(&weights).unwrap();
        assert_eq!(both, RunPath::WeightsWithConfiguration { weights: weights.clone(), config: config.clone() });
        assert_eq!((both.weights().unwrap(), both.config()), (weights, Some(config)));
    }

    #[test]
    fn a_folder_without_a_run_and_a_path_without_anything_are_refused() {
        let parent = tempfile::tempdir().unwrap();
        assert!(matches!(RunPath::find(parent.path()), Err(RunFolderError::NotARun { missing: "config.toml", .. })));
        let nothing = parent.path().join("nothing");
        assert!(matches!(RunPath::find(&nothing), Err(RunFolderError::Absent(path)) if path == nothing));
    }
}
