//! What a run writes down: rows, curves, lines and a summary. The run loop hands over numbers and owns no formatting.
//!
//! `episodes.csv`, `train.csv` and `evaluations.csv` hold nothing that depends on the clock: equal seeds on one machine
//! give equal files. Speeds go to `timing.csv`, to TensorBoard and to the screen.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::FormattedDuration;
use prism_environment::{AgentSteps, Frames};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::progress::{Counts, Display, EpisodeLines, Meter, Rates};
use crate::run_folder::{RunFolder, RunFolderError};
use crate::scores::FinishedGame;
use crate::statistics::Statistics;
use crate::tensorboard::EventWriter;

/// How often `timing.csv` gets a row and TensorBoard its points.
const TIMING_PERIOD: Duration = Duration::from_secs(10);

/// What a run says about itself before its first step.
#[derive(Clone, Debug)]
pub struct Heading<'a> {
    /// Environment or game.
    pub environment: &'a str,
    /// What its scores are counted under.
    pub protocol: &'a str,
    /// When the run ends at the latest.
    pub limit: AgentSteps,
    /// Games in the mean score.
    pub score_window: usize,
    /// Names of the diagnostics that every [`UpdateRecord`] carries.
    pub diagnostics: Vec<String>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Agent steps taken.
    pub agent_steps: AgentSteps,
    /// Frames shown.
    pub frames: Frames,
    /// Updates made.
    pub updates: u64,
    /// Probability of a random action.
    pub epsilon: f64,
}

/// A game that has ended, and where the run stood then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpisodeRecord {
    /// The game.
    pub game: FinishedGame,
    /// Mean score of the last games, this one included.
    pub mean_score: f64,
    /// The run at its end.
    pub at: Progress,
}

/// What the learner did since the last such record.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateRecord {
    /// Mean loss.
    pub loss: f64,
    /// Mean q-value of the actions in the batches.
    pub mean_q: f64,
    /// Norm of the whole gradient in the last of these updates, before it was bounded.
    pub gradient_norm: f64,
    /// Transitions in replay.
    pub replay: usize,
    /// What was measured after the last of these updates, one value for each name in the [`Heading`].
    pub diagnostics: Vec<f64>,
    /// The run at the last of these updates.
    pub at: Progress,
}

/// One evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationRecord {
    /// Score of each game.
    pub scores: Vec<f64>,
    /// Probability of a random action while it was played.
    pub epsilon: f64,
    /// The run at that time.
    pub at: Progress,
}

/// Distributions of the returns that a categorical network expects from one observation.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributionRecord<'a> {
    /// Its number among the fixed observations of the run, from 0.
    pub observation: usize,
    /// Points of the support, `[K]`.
    pub support: &'a [f64],
    /// Probabilities of each action, `[A * K]`, those of one action together.
    pub probabilities: &'a [f32],
    /// Updates made.
    pub updates: u64,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The mean score reached the preset's bound.
    Solved,
    /// The limit of agent steps was reached.
    Limit,
    /// Somebody asked for it.
    Interrupted,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Why.
    pub ending: Ending,
    /// Games that ended.
    pub episodes: u64,
    /// Mean score of the last games, if one ended.
    pub mean_score: Option<f64>,
    /// Highest score, if a game ended.
    pub best_score: Option<f64>,
    /// The run at its end.
    pub at: Progress,
}

/// A record could not be written.
#[derive(Debug, Error)]
#[error("cannot write {}: is the disk full or read-only? The run has stopped there", .path.display())]
pub struct RecordError {
    path: PathBuf,
    source: io::Error,
}

/// Writes a run down.
#[derive(Debug)]
pub struct Records {
    folder: RunFolder,
    protocol: String,
    environment: String,
    window: usize,
    diagnostics: Vec<String>,
    episodes: Table,
    train: Table,
    evaluations: Table,
    timing: Table,
    /// There only where something has been written to it: most networks have no distributions.
    distributions: Option<Table>,
    events: Events,
    log: Log,
    display: Display,
    meter: Meter,
    episode_lines: EpisodeLines,
    timed: Duration,
    shown: Shown,
    evaluation_count: u64,
}

/// The last values that the progress line shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) last_score: Option<f64>,
    pub(crate) mean_score: Option<f64>,
    pub(crate) loss: Option<f64>,
}

/// A row of `episodes.csv`.
#[derive(Default, Serialize)]
struct EpisodeRow {
    episode: u64,
    environment: usize,
    agent_steps: u64,
    frames: u64,
    score: f64,
    mean_score: f64,
    episode_steps: u64,
    episode_frames: u64,
    epsilon: f64,
}

/// A row of `train.csv`.
#[derive(Default, Serialize)]
struct TrainRow {
    updates: u64,
    agent_steps: u64,
    frames: u64,
    loss: f64,
    mean_q: f64,
    gradient_norm: f64,
    epsilon: f64,
    replay: usize,
}

/// A row of `evaluations.csv`.
#[derive(Default, Serialize)]
struct EvaluationRow<'a> {
    evaluation: u64,
    agent_steps: u64,
    frames: u64,
    updates: u64,
    protocol: &'a str,
    epsilon: f64,
    episodes: usize,
    mean: f64,
    median: f64,
    standard_deviation: f64,
    minimum: f64,
    maximum: f64,
    /// Every score, in the order of play, with a space between.
    scores: String,
}

/// A row of `timing.csv`.
#[derive(Default, Serialize)]
struct TimingRow {
    elapsed_seconds: f64,
    agent_steps: u64,
    frames: u64,
    updates: u64,
    agent_steps_per_second: f64,
    frames_per_second: f64,
    updates_per_second: f64,
}

/// The file of distributions.
pub(crate) const DISTRIBUTIONS: &str = "distributions.csv";

/// A row of [`DISTRIBUTIONS`]: one atom of one action's distribution.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct DistributionRow {
    pub(crate) update: u64,
    pub(crate) observation: usize,
    pub(crate) action: usize,
    /// The return that it stands for.
    pub(crate) atom: f64,
    pub(crate) probability: f32,
    /// Mean of the action's distribution, the same in all its rows.
    pub(crate) q: f64,
}

/// What `summary.json` holds.
#[derive(Serialize)]
struct SummaryFile<'a> {
    ending: Ending,
    environment: &'a str,
    protocol: &'a str,
    episodes: u64,
    updates: u64,
    agent_steps: AgentSteps,
    frames: Frames,
    mean_score: Option<f64>,
    score_window: usize,
    best_score: Option<f64>,
    elapsed_seconds: f64,
    agent_steps_per_second: f64,
    frames_per_second: f64,
    updates_per_second: f64,
}

impl Records {
    /// Starts the files in `folder` and says what begins.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn create(folder: &RunFolder, heading: &Heading<'_>) -> Result<Self, RecordError> {
        let file = |name: &str| folder.path().join(name);
        let mut records = Self {
            folder: folder.clone(),
            protocol: heading.protocol.to_owned(),
            environment: heading.environment.to_owned(),
            window: heading.score_window,
            diagnostics: heading.diagnostics.clone(),
            episodes: Table::create::<EpisodeRow>(file("episodes.csv"), &[])?,
            train: Table::create::<TrainRow>(file("train.csv"), &heading.diagnostics)?,
            evaluations: Table::create::<EvaluationRow<'_>>(file("evaluations.csv"), &[])?,
            timing: Table::create::<TimingRow>(file("timing.csv"), &[])?,
            distributions: None,
            events: Events::create(folder.path())?,
            log: Log::create(file("log.txt"))?,
            display: Display::new(heading.limit),
            meter: Meter::start(),
            episode_lines: EpisodeLines::default(),
            timed: Duration::ZERO,
            shown: Shown::default(),
            evaluation_count: 0,
        };
        records.note(&format!(
            "{} (protocol {}) for at most {}; records in {}",
            heading.environment,
            heading.protocol,
            heading.limit,
            folder.path().display()
        ))?;
        Ok(records)
    }

    /// Shows and logs a line.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub fn note(&mut self, line: &str) -> Result<(), RecordError> {
        self.display.line(line);
        self.log.line(line)
    }

    /// Records a game that has ended. Its line is left out where games end faster than anybody reads.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn episode(&mut self, record: &EpisodeRecord) -> Result<(), RecordError> {
        let EpisodeRecord { game, mean_score, at } = record;
        self.shown.last_score = Some(game.score);
        self.shown.mean_score = Some(*mean_score);
        let rates = self.meter.rates();
        self.episodes.row(&EpisodeRow {
            episode: game.number,
            environment: game.environment,
            agent_steps: at.agent_steps.0,
            frames: at.frames.0,
            score: game.score,
            mean_score: *mean_score,
            episode_steps: game.steps.0,
            episode_frames: game.frames.0,
            epsilon: at.epsilon,
        })?;
        self.events.scalars(
            at.agent_steps,
            &[
                ("episode/score", game.score),
                ("episode/mean_score", *mean_score),
                ("episode/steps", game.steps.0 as f64),
                ("episode/epsilon", at.epsilon),
                ("speed/frames_per_second", rates.frames),
            ],
        )?;
        let elapsed = self.meter.elapsed();
        let line = format!(
            "episode {}  score {}  mean of last {} {:.2}  steps {}  frames/s {:.0}  elapsed {}",
            game.number,
            game.score,
            self.window,
            mean_score,
            game.steps.0,
            rates.frames,
            FormattedDuration(elapsed)
        );
        self.episode_lines.offer(elapsed, line).map_or(Ok(()), |line| self.note(&line))
    }

    /// Records what the learner did.
    ///
    /// # Errors
    /// When a file cannot be written.
    ///
    /// # Panics
    /// When there are more or fewer diagnostics than names.
    pub fn update(&mut self, record: &UpdateRecord) -> Result<(), RecordError> {
        let UpdateRecord { loss, mean_q, gradient_norm, replay, ref diagnostics, at } = *record;
        assert_eq!(diagnostics.len(), self.diagnostics.len(), "one value for each diagnostic");
        self.shown.loss = Some(loss);
        let rates = self.meter.rates();
        let row = TrainRow {
            updates: at.updates,
            agent_steps: at.agent_steps.0,
            frames: at.frames.0,
            loss,
            mean_q,
            gradient_norm,
            epsilon: at.epsilon,
            replay,
        };
        self.train.row(&(row, diagnostics))?;
        let mut scalars = vec![
            ("train/loss".to_owned(), loss),
            ("train/mean_q".to_owned(), mean_q),
            ("train/gradient_norm".to_owned(), gradient_norm),
            ("train/epsilon".to_owned(), at.epsilon),
            ("train/replay".to_owned(), replay as f64),
            ("speed/updates_per_second".to_owned(), rates.updates),
            ("speed/agent_steps_per_second".to_owned(), rates.agent_steps),
        ];
        scalars.extend(self.diagnostics.iter().map(|name| format!("train/{name}")).zip(diagnostics.iter().copied()));
        let scalars: Vec<(&str, f64)> = scalars.iter().map(|(tag, value)| (tag.as_str(), *value)).collect();
        self.events.scalars(at.agent_steps, &scalars)
    }

    /// Records an evaluation.
    ///
    /// # Errors
    /// When a file cannot be written.
    ///
    /// # Panics
    /// When no game was played.
    pub fn evaluation(&mut self, record: &EvaluationRecord) -> Result<(), RecordError> {
        let EvaluationRecord { scores, epsilon, at } = record;
        let statistics = Statistics::of(scores);
        self.evaluation_count += 1;
        self.evaluations.row(&EvaluationRow {
            evaluation: self.evaluation_count,
            agent_steps: at.agent_steps.0,
            frames: at.frames.0,
            updates: at.updates,
            protocol: &self.protocol,
            epsilon: *epsilon,
            episodes: scores.len(),
            mean: statistics.mean,
            median: statistics.median,
            standard_deviation: statistics.standard_deviation,
            minimum: statistics.minimum,
            maximum: statistics.maximum,
            scores: scores.iter().map(f64::to_string).collect::<Vec<_>>().join(" "),
        })?;
        self.events.scalars(
            at.agent_steps,
            &[("evaluation/mean", statistics.mean), ("evaluation/median", statistics.median)],
        )?;
        let line = format!(
            "evaluation {} at {}: {statistics} (protocol {}, epsilon {epsilon})",
            self.evaluation_count, at.agent_steps, self.protocol
        );
        self.note(&line)
    }

    /// Records the distributions of all actions for one observation.
    ///
    /// # Errors
    /// When the file cannot be written.
    ///
    /// # Panics
    /// When the probabilities are not those of whole actions.
    pub fn distributions(&mut self, record: &DistributionRecord<'_>) -> Result<(), RecordError> {
        let &DistributionRecord { observation, support, probabilities, updates } = record;
        assert!(
            !support.is_empty() && probabilities.len().is_multiple_of(support.len()),
            "{} probabilities over {} atoms",
            probabilities.len(),
            support.len()
        );
        let table = match &mut self.distributions {
            Some(table) => table,
            none => none.insert(Table::create::<DistributionRow>(self.folder.path().join(DISTRIBUTIONS), &[])?),
        };
        for (action, probabilities) in probabilities.chunks(support.len()).enumerate() {
            let q = support.iter().zip(probabilities).map(|(atom, &probability)| atom * f64::from(probability)).sum();
            for (&atom, &probability) in support.iter().zip(probabilities) {
                table.row(&DistributionRow { update: updates, observation, action, atom, probability, q })?;
            }
        }
        Ok(())
    }

    /// Shows where the run stands. Call it after every step: it decides itself when to draw.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn progress(&mut self, at: &Progress) -> Result<(), RecordError> {
        let now = self.meter.elapsed();
        self.meter.measure(now, counts(at));
        let rates = self.meter.rates();
        if let Some(line) = self.episode_lines.overdue(now) {
            self.note(&line)?;
        }
        self.display.show(at, rates, &self.shown, self.window);
        if now - self.timed >= TIMING_PERIOD {
            self.timed = now;
            self.timing_row(at, rates)?;
            self.events.flush()?;
        }
        Ok(())
    }

    /// Says how the run ended and completes every file.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(mut self, summary: &Summary) -> Result<(), RecordError> {
        let at = &summary.at;
        let elapsed = self.meter.elapsed();
        let rates = self.meter.overall(counts(at));
        self.display.clear();
        if let Some(line) = self.episode_lines.newest() {
            self.note(&line)?;
        }
        self.timing_row(at, rates)?;
        let time = FormattedDuration(elapsed);
        let (episodes, updates) = (summary.episodes, at.updates);
        self.note(&match summary.ending {
            Ending::Solved => {
                format!("solved {} in {time} after {episodes} episodes and {updates} updates", self.environment)
            }
            Ending::Limit => format!("reached the limit in {time} after {episodes} episodes and {updates} updates"),
            Ending::Interrupted => format!("interrupted at {time} after {episodes} episodes and {updates} updates"),
        })?;
        self.note(&match (summary.mean_score, summary.best_score) {
            (Some(mean), Some(best)) => format!(
                "mean score of the last {} games {mean:.2}, best score {best} (protocol {})",
                summary.episodes.min(self.window as u64),
                self.protocol
            ),
            _ => "no game has ended".to_owned(),
        })?;
        self.note(&format!(
            "{} and {}: {:.0} frames/s, {:.0} agent steps/s, {:.1} updates/s",
            at.agent_steps, at.frames, rates.frames, rates.agent_steps, rates.updates
        ))?;
        self.events.flush()?;
        let path = self.folder.path().to_owned();
        self.note(&format!("weights and records are in {}", path.display()))?;
        self.folder
            .write_json(
                "summary.json",
                &SummaryFile {
                    ending: summary.ending,
                    environment: &self.environment,
                    protocol: &self.protocol,
                    episodes,
                    updates,
                    agent_steps: at.agent_steps,
                    frames: at.frames,
                    mean_score: summary.mean_score,
                    score_window: self.window,
                    best_score: summary.best_score,
                    elapsed_seconds: elapsed.as_secs_f64(),
                    agent_steps_per_second: rates.agent_steps,
                    frames_per_second: rates.frames,
                    updates_per_second: rates.updates,
                },
            )
            .map_err(|error| match error {
                RunFolderError::Write { path, source } => RecordError { path, source },
                other => RecordError { path, source: io::Error::other(other) },
            })
    }

    fn timing_row(&mut self, at: &Progress, rates: Rates) -> Result<(), RecordError> {
        self.timing.row(&TimingRow {
            elapsed_seconds: self.meter.elapsed().as_secs_f64(),
            agent_steps: at.agent_steps.0,
            frames: at.frames.0,
            updates: at.updates,
            agent_steps_per_second: rates.agent_steps,
            frames_per_second: rates.frames,
            updates_per_second: rates.updates,
        })
    }
}

fn counts(at: &Progress) -> Counts {
    Counts { agent_steps: at.agent_steps, frames: at.frames, updates: at.updates }
}

/// A CSV file, complete after every row.
#[derive(Debug)]
struct Table {
    writer: csv::Writer<File>,
    path: PathBuf,
}

impl Table {
    /// Starts a file with the names of `Row`'s fields and of the columns after them, which are there even if no row ever
    /// is.
    fn create<Row: Default + Serialize>(path: PathBuf, more_columns: &[String]) -> Result<Self, RecordError> {
        let mut header = csv::Writer::from_writer(Vec::new());
        header.serialize(Row::default()).expect("a row is written to memory");
        let header = header.into_inner().expect("a row is written to memory");
        let names = header.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let columns = names.split(|&byte| byte == b',').chain(more_columns.iter().map(String::as_bytes));
        let started = File::create_new(&path).and_then(|file| {
            let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(file);
            writer.write_record(columns)?;
            writer.flush()?;
            Ok(writer)
        });
        match started {
            Ok(writer) => Ok(Self { writer, path }),
            Err(source) => Err(RecordError { path, source }),
        }
    }

    fn row(&mut self, row: &impl Serialize) -> Result<(), RecordError> {
        self.writer
            .serialize(row)
            .map_err(io::Error::from)
            .and_then(|()| self.writer.flush())
            .map_err(|source| RecordError { path: self.path.clone(), source })
    }
}

/// The event file, with its folder's name in errors.
#[derive(Debug)]
struct Events {
    writer: EventWriter,
    folder: PathBuf,
}

impl Events {
    fn create(folder: &Path) -> Result<Self, RecordError> {
        match EventWriter::create(folder) {
            Ok(writer) => Ok(Self { writer, folder: folder.to_owned() }),
            Err(source) => Err(RecordError { path: folder.join("events.out.tfevents"), source }),
        }
    }

    fn scalars(&mut self, at: AgentSteps, scalars: &[(&str, f64)]) -> Result<(), RecordError> {
        self.writer
            .scalars(at.0, scalars)
            .map_err(|source| RecordError { path: self.folder.join("events.out.tfevents"), source })
    }

    fn flush(&mut self) -> Result<(), RecordError> {
        self.writer.flush().map_err(|source| RecordError { path: self.folder.join("events.out.tfevents"), source })
    }
}

/// The log file.
#[derive(Debug)]
struct Log {
    file: File,
    path: PathBuf,
}

impl Log {
    fn create(path: PathBuf) -> Result<Self, RecordError> {
        match File::create_new(&path) {
            Ok(file) => Ok(Self { file, path }),
            Err(source) => Err(RecordError { path, source }),
        }
    }

    fn line(&mut self, line: &str) -> Result<(), RecordError> {
        writeln!(self.file, "{line}").map_err(|source| RecordError { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Manifest, Source};
    use prism_environment::Seed;

    fn heading() -> Heading<'static> {
        Heading {
            environment: "catch",
            protocol: "catch",
            limit: AgentSteps(100),
            score_window: 100,
            diagnostics: vec!["best_q_value".to_owned()],
        }
    }

    /// Records a short run in a new folder below `parent`.
    fn record(parent: &Path, name: &str) -> RunFolder {
        let config = Config::read(&Source::find("catch").unwrap(), &[]).unwrap();
        let manifest = Manifest::new("catch", &config, Seed(0), "flex");
        let folder = RunFolder::create(Some(&parent.join(name)), &manifest).unwrap();
        let heading = heading();
        let mut records = Records::create(&folder, &heading).unwrap();
        let at = Progress { agent_steps: AgentSteps(9), frames: Frames(9), updates: 4, epsilon: 0.1 + 0.2 };
        let game = FinishedGame { number: 1, environment: 0, score: -1.0, steps: AgentSteps(9), frames: Frames(9) };
        records.episode(&EpisodeRecord { game, mean_score: -1.0, at }).unwrap();
        records
            .update(&UpdateRecord {
                loss: 0.5,
                mean_q: 0.125,
                gradient_norm: 2.0,
                replay: 8,
                diagnostics: vec![0.75],
                at,
            })
            .unwrap();
        records.evaluation(&EvaluationRecord { scores: vec![1.0, -1.0], epsilon: 0.0, at }).unwrap();
        records.progress(&at).unwrap();
        let summary =
            Summary { ending: Ending::Limit, episodes: 1, mean_score: Some(-1.0), best_score: Some(-1.0), at };
        records.finish(&summary).unwrap();
        folder
    }

    fn read(folder: &RunFolder, name: &str) -> String {
        std::fs::read_to_string(folder.path().join(name)).unwrap()
    }

    #[test]
    fn rows_hold_what_was_recorded_and_nothing_of_the_clock() {
        let parent = tempfile::tempdir().unwrap();
        let folder = record(parent.path(), "run");
        assert_eq!(
            read(&folder, "episodes.csv"),
            "episode,environment,agent_steps,frames,score,mean_score,episode_steps,episode_frames,epsilon\n\
             1,0,9,9,-1.0,-1.0,9,9,0.30000000000000004\n"
        );
        assert_eq!(
            read(&folder, "train.csv"),
            "updates,agent_steps,frames,loss,mean_q,gradient_norm,epsilon,replay,best_q_value\n\
             4,9,9,0.5,0.125,2.0,0.30000000000000004,8,0.75\n"
        );
        let evaluations = read(&folder, "evaluations.csv");
        assert!(
            evaluations.ends_with("\n1,9,9,4,catch,0.0,2,0.0,0.0,1.4142135623730951,-1.0,1.0,1 -1\n"),
            "{evaluations}"
        );
        assert_eq!(read(&folder, "timing.csv").lines().count(), 2);
    }

    #[test]
    fn distributions_have_a_row_for_each_atom_in_a_file_that_is_there_only_for_them() {
        let parent = tempfile::tempdir().unwrap();
        let folder = record(parent.path(), "run");
        assert!(!folder.path().join(DISTRIBUTIONS).exists());
        let config = Config::read(&Source::find("catch").unwrap(), &[]).unwrap();
        let manifest = Manifest::new("catch", &config, Seed(0), "flex");
        let folder = RunFolder::create(Some(&parent.path().join("categorical")), &manifest).unwrap();
        let heading = heading();
        let mut records = Records::create(&folder, &heading).unwrap();
        let record = DistributionRecord {
            observation: 3,
            support: &[-2.0, 4.0],
            probabilities: &[0.25, 0.75, 1.0, 0.0],
            updates: 50,
        };
        records.distributions(&record).unwrap();
        records.distributions(&DistributionRecord { updates: 60, ..record }).unwrap();
        let text = read(&folder, DISTRIBUTIONS);
        // q: -2 * 0.25 + 4 * 0.75 = 2.5.
        let expected = "update,observation,action,atom,probability,q\n\
            50,3,0,-2.0,0.25,2.5\n50,3,0,4.0,0.75,2.5\n50,3,1,-2.0,1.0,-2.0\n50,3,1,4.0,0.0,-2.0\n";
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(text.lines().count(), 9);
    }

    #[test]
    fn the_log_holds_every_line_and_each_score_its_protocol() {
        let parent = tempfile::tempdir().unwrap();
        let folder = record(parent.path(), "run");
        let log = read(&folder, "log.txt");
        for part in
            ["catch (protocol catch)", "episode 1  score -1 ", "evaluation 1", "reached the limit in", "updates/s"]
        {
            assert!(log.contains(part), "`{part}` is not in {log}");
        }
        let summary: serde_json::Value = serde_json::from_str(&read(&folder, "summary.json")).unwrap();
        assert_eq!(summary["ending"], "limit");
        assert_eq!(summary["protocol"], "catch");
        assert_eq!(summary["mean_score"], -1.0);
    }

    #[test]
    fn records_of_another_run_are_not_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let folder = record(parent.path(), "run");
        let heading = heading();
        let error = Records::create(&folder, &heading).unwrap_err();
        assert!(error.to_string().contains("episodes.csv"), "{error}");
        assert!(read(&folder, "episodes.csv").lines().count() == 2);
    }
}
