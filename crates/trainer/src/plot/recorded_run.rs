//! What the folder of a run says about it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::PlotError;
use super::table::Table;
use crate::RunFolder;

/// A run, finished or going on.
#[derive(Clone, Debug)]
pub(super) struct RecordedRun {
    pub(super) path: PathBuf,
    /// Preset, or stem of the configuration file.
    pub(super) name: String,
    /// Environment or game.
    pub(super) environment: String,
    /// What its scores are counted under.
    pub(super) protocol: String,
    pub(super) seed: u64,
    /// Everything else that makes a run what it is, by dotted key: configuration, commit and device.
    pub(super) traits: BTreeMap<String, String>,
    /// Games in its own mean score.
    pub(super) score_window: usize,
    /// The mean score that ends it.
    pub(super) stop_score: Option<f64>,
    /// Agent steps before its first update.
    pub(super) warm_up: f64,
}

/// The part of `manifest.json` that pictures need.
#[derive(Deserialize)]
struct ManifestFile {
    name: String,
    environment: String,
    protocol: String,
    seed: u64,
    device: String,
    commit: String,
    config: Value,
}

/// The part of its configuration that pictures need.
#[derive(Deserialize)]
struct ConfigPart {
    training: TrainingPart,
    replay: ReplayPart,
}

#[derive(Deserialize)]
struct TrainingPart {
    score_window: usize,
    stop_score: Option<f64>,
}

#[derive(Deserialize)]
struct ReplayPart {
    warm_up: f64,
}

impl RecordedRun {
    /// Reads the manifest in the folder at `path`.
    ///
    /// # Errors
    /// When there is no run, or its manifest is not what `prism train` writes.
    pub(super) fn open(path: &Path) -> Result<Self, PlotError> {
        RunFolder::open(path).map_err(|source| PlotError::Run { path: path.to_owned(), source })?;
        let file = path.join("manifest.json");
        let text = std::fs::read_to_string(&file).map_err(|source| PlotError::Read { path: file.clone(), source })?;
        let malformed =
            |error: serde_json::Error| PlotError::Malformed { path: file.clone(), reason: error.to_string() };
        let manifest: ManifestFile = serde_json::from_str(&text).map_err(malformed)?;
        let config = ConfigPart::deserialize(&manifest.config).map_err(malformed)?;
        let mut traits = BTreeMap::new();
        flatten("", &manifest.config, &mut traits);
        traits.insert("commit".to_owned(), manifest.commit);
        traits.insert("device".to_owned(), manifest.device);
        Ok(Self {
            path: path.to_owned(),
            name: manifest.name,
            environment: manifest.environment,
            protocol: manifest.protocol,
            seed: manifest.seed,
            traits,
            score_window: config.training.score_window,
            stop_score: config.training.stop_score,
            warm_up: config.replay.warm_up,
        })
    }

    /// Environment and preset, once where they have one name.
    pub(super) fn title(&self) -> String {
        if self.name == self.environment { self.name.clone() } else { format!("{}, {}", self.environment, self.name) }
    }

    /// Reads one of its CSV files.
    ///
    /// # Errors
    /// When it cannot be read or is not a table of numbers.
    pub(super) fn table(&self, name: &str) -> Result<Table, PlotError> {
        Table::read(&self.path.join(name))
    }
}

/// Puts every leaf of `value` into `leaves`, under the names on the way to it with points between.
fn flatten(key: &str, value: &Value, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                flatten(&key, field, leaves);
            }
        }
        Value::String(text) => {
            leaves.insert(key.to_owned(), text.clone());
        }
        other => {
            leaves.insert(key.to_owned(), other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Manifest, Source};
    use prism_environment::Seed;

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let parent = tempfile::tempdir().unwrap();
        let config = Config::read(&Source::find("cartpole").unwrap(), &[]).unwrap();
        let manifest = Manifest::new("cartpole", &config, Seed(u64::MAX), "flex");
        let folder = RunFolder::create(Some(&parent.path().join("run")), &manifest).unwrap();
        let run = RecordedRun::open(folder.path()).unwrap();
        assert_eq!((run.name.as_str(), run.environment.as_str()), ("cartpole", "cartpole"));
        assert_eq!((run.protocol.as_str(), run.seed), ("CartPole-v1", u64::MAX));
        assert_eq!((run.score_window, run.stop_score, run.warm_up), (100, Some(475.0), 1000.0));
        assert_eq!(run.traits["learning.n_step"], "3");
        assert_eq!(run.traits["network.torso.hidden"], "[128,128]");
        assert_eq!(run.traits["device"], "flex");
    }

    #[test]
    fn a_folder_that_is_missing_or_no_run_is_refused_with_the_remedy() {
        let parent = tempfile::tempdir().unwrap();
        for path in [parent.path().to_owned(), parent.path().join("nothing")] {
            let message = RecordedRun::open(&path).unwrap_err().to_string();
            assert!(message.contains("give the folder of a run"), "{message}");
            assert!(message.contains(&path.display().to_string()), "{message}");
        }
    }
}
