//! What figures need of a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::error::ReportError;
use crate::table::Table;

/// A run, finished or going on.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) path: PathBuf,
    /// Preset, or stem of the configuration file.
    pub(crate) name: String,
    /// Environment or game.
    pub(crate) environment: String,
    /// What its scores are counted under.
    pub(crate) protocol: String,
    pub(crate) seed: u64,
    /// Everything else that makes a run what it is, by dotted key: configuration, commit and device.
    pub(crate) traits: BTreeMap<String, String>,
    /// Games in its own mean score.
    pub(crate) score_window: usize,
    /// The mean score that ends it.
    pub(crate) stop_score: Option<f64>,
    /// Agent steps before its first update.
    pub(crate) warm_up: f64,
    /// Names of its actions, empty where the run does not tell.
    pub(crate) actions: Vec<String>,
}

/// The part of `manifest.json` that figures need.
#[derive(Deserialize)]
struct Manifest {
    name: String,
    environment: String,
    protocol: String,
    seed: u64,
    device: String,
    commit: String,
    config: Value,
    #[serde(default)]
    actions: Vec<String>,
}

/// The part of its configuration that figures need.
#[derive(Deserialize)]
struct Config {
    training: Training,
    replay: Replay,
}

#[derive(Deserialize)]
struct Training {
    score_window: usize,
    /// A number, or what stands for none.
    stop_score: Value,
}

#[derive(Deserialize)]
struct Replay {
    warm_up: f64,
}

impl Run {
    /// Reads the manifest in the folder at `path`.
    ///
    /// # Errors
    /// When there is no run, or its manifest is not what a run writes.
    pub(crate) fn open(path: &Path) -> Result<Self, ReportError> {
        let file = path.join("manifest.json");
        let text =
            std::fs::read_to_string(&file).map_err(|source| ReportError::Run { path: path.to_owned(), source })?;
        let malformed =
            |error: serde_json::Error| ReportError::Malformed { path: file.clone(), reason: error.to_string() };
        let manifest: Manifest = serde_json::from_str(&text).map_err(malformed)?;
        let config = Config::deserialize(&manifest.config).map_err(malformed)?;
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
            stop_score: config.training.stop_score.as_f64(),
            warm_up: config.replay.warm_up,
            actions: manifest.actions,
        })
    }

    /// Game and preset: the preset alone where its name begins with that of the game.
    pub(crate) fn title(&self) -> String {
        let Self { name, environment, .. } = self;
        match name.strip_prefix(environment.as_str()) {
            Some(rest) if rest.is_empty() || rest.starts_with('-') => name.clone(),
            _ => format!("{environment}, preset {name}"),
        }
    }

    /// Reads one of its CSV files.
    ///
    /// # Errors
    /// When it cannot be read or is not a table of numbers.
    pub(crate) fn table(&self, name: &str) -> Result<Table, ReportError> {
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
        Value::Null => {
            leaves.insert(key.to_owned(), "none".to_owned());
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

    fn kept(path: &str) -> Run {
        Run::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/results").join(path)).unwrap()
    }

    #[test]
    fn a_run_of_an_older_version_is_read() {
        let run = kept("2026-11-21-2core-xeon-pong-fast/seed1");
        assert_eq!((run.name.as_str(), run.environment.as_str(), run.seed), ("pong-fast", "pong", 1));
        assert_eq!(run.title(), "pong-fast");
        assert_eq!((run.score_window, run.stop_score), (100, Some(18.0)));
        assert_eq!(run.traits["learner.bootstrap"], "double");
        assert_eq!(run.traits["evaluation.period"], "none");
    }
}
