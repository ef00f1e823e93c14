//! Reading the folder of a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::folder::{RunFolder, RunFolderError};
use crate::manifest::leaves;
use crate::names::{DISTRIBUTIONS, EPISODES, EVALUATIONS, MANIFEST, SUMMARY, TIMING, TRAIN};
use crate::read_error::ReadError;
use crate::rows::{DistributionRow, EpisodeRow, EvaluationRow, TimingRow, UpdateRow};
use crate::table::{NumberTable, complete_lines, exists, line, number};

/// Columns of `train.csv` that are not diagnostics.
const UPDATE_COLUMNS: [&str; 8] =
    ["updates", "agent_steps", "frames", "loss", "mean_q", "gradient_norm", "epsilon", "replay"];

/// A run read from its folder, finished or still running, of this version or an older one.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    /// Its folder.
    pub path: PathBuf,
    /// Preset, or stem of the configuration file.
    pub name: String,
    /// Environment or game.
    pub environment: String,
    /// Protocol of its scores.
    pub protocol: String,
    /// Seed of every random stream.
    pub seed: u64,
    /// Device of its networks.
    pub device: String,
    /// Commit of the program.
    pub commit: String,
    /// Names of the actions, by index; empty where the run does not have them.
    pub actions: Vec<String>,
    /// Its `config.toml`.
    pub config: toml::Table,
    /// Everything but the seed that defines the run, by dotted key: configuration, commit and device.
    pub traits: BTreeMap<String, String>,
    /// Games in its own mean score.
    pub score_window: usize,
    /// The mean score that ends it.
    pub stop_score: Option<f64>,
    /// Agent steps before its first update.
    pub warm_up: f64,
}

/// The part of `manifest.json` that is needed beside `config.toml`. The configuration in it is not read: older versions
/// wrote it under other names.
#[derive(Deserialize)]
struct ManifestFile {
    name: String,
    environment: String,
    protocol: String,
    seed: u64,
    device: String,
    commit: String,
    #[serde(default)]
    actions: Vec<String>,
}

/// The end of a run, from `summary.json`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RecordedSummary {
    /// `solved`, `limit`, `interrupted`, `terminated` or `failed`.
    pub ending: String,
    /// Why it failed.
    #[serde(default)]
    pub reason: Option<String>,
    /// Games that ended.
    pub episodes: u64,
    /// Updates made.
    pub updates: u64,
    /// Agent steps taken.
    pub agent_steps: u64,
    /// Frames shown.
    pub frames: u64,
    /// Mean score of the last games, if one ended.
    pub mean_score: Option<f64>,
    /// Highest score, if a game ended.
    pub best_score: Option<f64>,
    /// How long it took.
    pub elapsed_seconds: f64,
}

impl RecordedRun {
    /// Reads manifest and configuration in the folder at `path`.
    ///
    /// # Errors
    /// When there is no run, or one of the two does not have the form that runs write.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let no_run = |source| ReadError::Run { path: path.to_owned(), source };
        let folder = RunFolder::open(path).map_err(no_run)?;
        let manifest_path = path.join(MANIFEST);
        if !manifest_path.is_file() {
            return Err(no_run(RunFolderError::NotARun { path: path.to_owned(), missing: MANIFEST }));
        }
        let manifest: ManifestFile = json(&manifest_path)?;
        let config_path = folder.config();
        let text = text(&config_path)?;
        let config: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count() as u64);
            ReadError::malformed(&config_path, line, error.message())
        })?;
        let leaves = leaves(&config);
        let known = |key: &str| {
            let missing = || ReadError::malformed(&config_path, None, format!("it does not say {key}"));
            leaves.get(key).ok_or_else(missing)
        };
        let refused =
            |key: &str, value| ReadError::malformed(&config_path, None, format!("{key} = {value} cannot be used"));
        let amount = |key: &str| known(key).and_then(|value| number_of(value).ok_or_else(|| refused(key, value)));
        let score_window = known("training.score_window")?;
        let stop_score = known("training.stop_score")?;
        Ok(Self {
            score_window: score_window
                .as_integer()
                .and_then(|games| games.try_into().ok())
                .filter(|games| *games > 0)
                .ok_or_else(|| refused("training.score_window", score_window))?,
            stop_score: if stop_score.as_str() == Some("none") { None } else { Some(amount("training.stop_score")?) },
            warm_up: amount("replay.warm_up")?,
            traits: traits(&leaves, &manifest),
            path: path.to_owned(),
            name: manifest.name,
            environment: manifest.environment,
            protocol: manifest.protocol,
            seed: manifest.seed,
            device: manifest.device,
            commit: manifest.commit,
            actions: manifest.actions,
            config,
        })
    }

    /// Environment and preset, once where they have one name.
    pub fn title(&self) -> String {
        if self.name == self.environment { self.name.clone() } else { format!("{}, {}", self.environment, self.name) }
    }

    /// Reads one of its CSV files.
    ///
    /// # Errors
    /// When it cannot be read or is not a table of numbers.
    pub fn table(&self, name: &str) -> Result<NumberTable, ReadError> {
        NumberTable::read(&self.path.join(name))
    }

    /// Whether the run has a file `name`, plain or compressed.
    pub fn has(&self, name: &str) -> bool {
        exists(&self.path.join(name))
    }

    /// The games that have ended.
    ///
    /// # Errors
    /// When the file cannot be read or does not have the form that runs write.
    pub fn episodes(&self) -> Result<Vec<EpisodeRow>, ReadError> {
        rows(&self.path.join(EPISODES))
    }

    /// What the learner did.
    ///
    /// # Errors
    /// As for [`Self::episodes`].
    pub fn updates(&self) -> Result<Vec<UpdateRow>, ReadError> {
        let path = self.path.join(TRAIN);
        let text = complete_lines(&path)?;
        let malformed = |error: csv::Error| ReadError::csv(&path, &error);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names = reader.headers().map_err(malformed)?.clone();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(malformed)?;
            let mut row: UpdateRow = record.deserialize(Some(&names)).map_err(malformed)?;
            for (name, cell) in names.iter().zip(&record).filter(|(name, _)| !UPDATE_COLUMNS.contains(name)) {
                let value = number(cell, name).map_err(|reason| ReadError::malformed(&path, line(&record), reason))?;
                row.diagnostics.push((name.to_owned(), value));
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// Its evaluations, none where there is no file of them.
    ///
    /// # Errors
    /// As for [`Self::episodes`].
    pub fn evaluations(&self) -> Result<Vec<EvaluationRow>, ReadError> {
        if self.has(EVALUATIONS) { rows(&self.path.join(EVALUATIONS)) } else { Ok(Vec::new()) }
    }

    /// Its speeds.
    ///
    /// # Errors
    /// As for [`Self::episodes`].
    pub fn timing(&self) -> Result<Vec<TimingRow>, ReadError> {
        rows(&self.path.join(TIMING))
    }

    /// The distributions that it recorded, none where there is no file of them.
    ///
    /// # Errors
    /// As for [`Self::episodes`].
    pub fn distributions(&self) -> Result<Vec<DistributionRow>, ReadError> {
        if self.has(DISTRIBUTIONS) { rows(&self.path.join(DISTRIBUTIONS)) } else { Ok(Vec::new()) }
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// As for [`Self::episodes`].
    pub fn summary(&self) -> Result<Option<RecordedSummary>, ReadError> {
        let path = self.path.join(SUMMARY);
        if path.exists() { json(&path).map(Some) } else { Ok(None) }
    }
}

/// Configuration, commit and device by dotted key, texts without quotes.
fn traits(leaves: &BTreeMap<String, toml::Value>, manifest: &ManifestFile) -> BTreeMap<String, String> {
    let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut traits: BTreeMap<String, String> = leaves.iter().map(|(key, value)| (key.clone(), text(value))).collect();
    traits.insert("commit".to_owned(), manifest.commit.clone());
    traits.insert("device".to_owned(), manifest.device.clone());
    traits
}

fn number_of(value: &toml::Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|number| number as f64))
}

/// The rows of the file at `path`.
fn rows<Row: DeserializeOwned>(path: &Path) -> Result<Vec<Row>, ReadError> {
    let text = complete_lines(path)?;
    let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize();
    rows.collect::<Result<_, _>>().map_err(|error| ReadError::csv(path, &error))
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, ReadError> {
    serde_json::from_str(&text(path)?).map_err(|error| {
        let line = (error.line() > 0).then_some(error.line() as u64);
        ReadError::malformed(path, line, error.to_string())
    })
}

fn text(path: &Path) -> Result<String, ReadError> {
    fs::read_to_string(path).map_err(|source| ReadError::read(path, source))
}

#[cfg(test)]
mod tests {
    use prism_environment::Seed;

    use super::*;
    use crate::clock::tests::moment;
    use crate::events::tests::{events, header, position};
    use crate::events::{Ending, Event};
    use crate::journal::Journal;
    use crate::manifest::Manifest;
    use crate::manifest::tests::manifest;
    use crate::sink::Sink;
    use crate::tables::Tables;

    /// A run in the folder `run` of `parent` that has recorded two of everything.
    fn recorded(parent: &Path) -> RunFolder {
        let folder = RunFolder::create(&parent.join("run"), &manifest()).unwrap();
        let mut tables = Tables::create(&folder, &header()).unwrap();
        events(18).iter().chain(&events(36)).for_each(|event| tables.take(event, &moment(2)).unwrap());
        folder
    }

    #[test]
    fn a_manifest_and_a_configuration_are_read_as_they_were_written() {
        let parent = tempfile::tempdir().unwrap();
        let manifest = Manifest { seed: Seed(u64::MAX), name: "mine".to_owned(), ..manifest() };
        let folder = RunFolder::create(&parent.path().join("run"), &manifest).unwrap();
        let run = RecordedRun::open(folder.path()).unwrap();
        assert_eq!((run.name.as_str(), run.environment.as_str(), run.title()), ("mine", "catch", "catch, mine".into()));
        assert_eq!((run.protocol.as_str(), run.seed), ("catch 10x5", u64::MAX));
        assert_eq!((run.score_window, run.stop_score, run.warm_up), (100, Some(0.95), 500.0));
        assert_eq!(
            (run.traits["replay.capacity"].as_str(), run.traits["environment.kind"].as_str()),
            ("20000", "catch")
        );
        assert_eq!((run.traits["device"].as_str(), run.traits["commit"].as_str()), ("flex", "0123456789ab"));
        assert_eq!((&run.config, &run.actions), (&manifest.config, &manifest.actions));
        assert_eq!(run.summary().unwrap(), None);
    }

    #[test]
    fn tables_are_read_as_they_were_written() {
        let parent = tempfile::tempdir().unwrap();
        let run = RecordedRun::open(recorded(parent.path()).path()).unwrap();
        let recorded = [18, 36].map(events);
        let rows = |index: usize| recorded.iter().map(move |events| events[index].clone());
        let episodes: Vec<EpisodeRow> = rows(1)
            .map(|event| match event {
                Event::Episode(record) => EpisodeRow::from(&record),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(run.episodes().unwrap(), episodes);
        let updates = run.updates().unwrap();
        assert_eq!(updates.len(), 2);
        assert_eq!(updates[1].diagnostics, [("best_q_value".to_owned(), 0.75)]);
        assert_eq!((updates[1].updates, updates[1].gradient_norm, updates[1].replay), (18, Some(2.0), 8));
        let evaluations = run.evaluations().unwrap();
        assert_eq!((evaluations[1].evaluation, evaluations[1].scores.as_slice()), (2, &[1.0, -1.0][..]));
        let timing = run.timing().unwrap();
        assert_eq!((timing[0].elapsed_seconds, timing[0].updates_per_second), (2.0, 25.0));
        let distributions = run.distributions().unwrap();
        assert_eq!((distributions.len(), distributions[1].atom, distributions[1].q), (8, 4.0, 2.5));
        assert_eq!(run.table(TRAIN).unwrap().column("loss").unwrap(), [0.5, 0.5]);
    }

    #[test]
    fn the_end_of_a_run_is_read_with_its_reason() {
        let parent = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(&parent.path().join("run"), &manifest()).unwrap();
        let journal = Journal::create(&folder, header()).unwrap();
        journal.finish(Ending::Failed { reason: "a loss is NaN".to_owned() }, position(18)).unwrap();
        let summary = RecordedRun::open(folder.path()).unwrap().summary().unwrap().unwrap();
        assert_eq!((summary.ending.as_str(), summary.reason.as_deref()), ("failed", Some("a loss is NaN")));
        assert_eq!((summary.agent_steps, summary.best_score), (18, None));
    }

    #[test]
    fn damaged_files_are_refused_with_file_and_line() {
        let parent = tempfile::tempdir().unwrap();
        let folder = recorded(parent.path());
        let run = RecordedRun::open(folder.path()).unwrap();
        let damage = |name: &str, old: &str, new: &str| {
            let path = folder.path().join(name);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(old), "{text}");
            fs::write(path, text.replace(old, new)).unwrap();
        };
        damage("episodes.csv", "\n4,0,36,", "\n4,0,many,");
        let message = run.episodes().unwrap_err().to_string();
        assert!(message.contains("episodes.csv, line 3: ") && message.contains("field 2"), "{message}");
        damage("train.csv", "0.75", "good");
        let message = run.updates().unwrap_err().to_string();
        assert!(message.contains("train.csv, line 2: it has `good` as best_q_value"), "{message}");
        damage("evaluations.csv", "1 -1", "1 -one");
        let message = run.evaluations().unwrap_err().to_string();
        assert!(message.contains("evaluations.csv, line 2: "), "{message}");
        damage("config.toml", "capacity = 20000", "capacity =");
        let message = RecordedRun::open(folder.path()).unwrap_err().to_string();
        assert!(message.contains("config.toml, line 5: "), "{message}");
        damage("config.toml", "capacity =", "capacity = 1");
        damage("config.toml", "warm_up = 500", "warm_up = \"soon\"");
        let message = RecordedRun::open(folder.path()).unwrap_err().to_string();
        assert!(message.contains("replay.warm_up = \"soon\" cannot be used"), "{message}");
        damage("config.toml", "score_window = 100", "score_window = 0");
        let message = RecordedRun::open(folder.path()).unwrap_err().to_string();
        assert!(message.contains("training.score_window = 0 cannot be used"), "{message}");
        damage("manifest.json", "\"seed\": 7", "\"seed\": -7");
        let message = RecordedRun::open(folder.path()).unwrap_err().to_string();
        assert!(message.contains("manifest.json, line 7: "), "{message}");
    }

    #[test]
    fn a_folder_that_is_missing_or_no_run_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        for path in [parent.path().to_owned(), parent.path().join("nothing")] {
            let error = RecordedRun::open(&path).unwrap_err();
            assert!(matches!(&error, ReadError::Run { path: named, .. } if *named == path), "{error}");
        }
        let folder = RunFolder::create(&parent.path().join("run"), &manifest()).unwrap();
        fs::remove_file(folder.path().join("manifest.json")).unwrap();
        let Err(ReadError::Run { source, .. }) = RecordedRun::open(folder.path()) else { panic!("it is no run") };
        assert!(source.to_string().contains("manifest.json"), "{source}");
    }

    /// Every folder below `folder` that has a `config.toml`.
    fn runs_below(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut runs: Vec<PathBuf> = entries.filter(|path| path.is_dir()).flat_map(|path| runs_below(&path)).collect();
        if folder.join("config.toml").exists() {
            runs.push(folder.to_owned());
        }
        runs
    }

    #[test]
    fn every_run_among_the_results_is_read_whatever_its_age() {
        let results = Path::new("../../assets/results");
        let paths = runs_below(results);
        assert!(paths.len() >= 5, "{paths:?}");
        for path in paths {
            let run = RecordedRun::open(&path).unwrap_or_else(|error| panic!("{error}"));
            let known = [("pong", 100), ("lanterns", 100)];
            assert!(known.contains(&(run.environment.as_str(), run.score_window)), "{}: {run:?}", path.display());
            let episodes = run.episodes().unwrap_or_else(|error| panic!("{error}"));
            assert!(episodes.len() > 10, "{}", path.display());
            assert!(!run.updates().unwrap_or_else(|error| panic!("{error}")).is_empty(), "{}", path.display());
            assert!(!run.timing().unwrap_or_else(|error| panic!("{error}")).is_empty(), "{}", path.display());
            run.evaluations().unwrap_or_else(|error| panic!("{error}"));
            run.summary().unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
