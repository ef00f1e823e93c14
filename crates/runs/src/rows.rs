//! Rows of the tables in a run folder, as they are written and read. The order of the fields is that of the columns.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Rates;
use crate::events::{DistributionRecord, EpisodeRecord, EvaluationRecord};
use crate::position::Position;
use crate::statistics::Statistics;

/// A row of `episodes.csv`: a game that has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpisodeRow {
    /// Its number, from 1.
    pub episode: u64,
    /// The environment that played it.
    pub environment: usize,
    /// Agent steps of the run at its end.
    pub agent_steps: u64,
    /// Frames of the run at its end.
    pub frames: u64,
    /// Its score.
    pub score: f64,
    /// Mean score of the last games, this one included.
    pub mean_score: f64,
    /// Agent steps it took.
    pub episode_steps: u64,
    /// Frames it took.
    pub episode_frames: u64,
    /// Probability of a random action at its end.
    pub epsilon: f64,
}

/// A row of `train.csv`: what the learner did since the row before.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct UpdateRow {
    /// Updates made.
    pub updates: u64,
    /// Agent steps taken.
    pub agent_steps: u64,
    /// Frames shown.
    pub frames: u64,
    /// Mean loss.
    pub loss: f64,
    /// Mean q-value of the actions in the batches.
    pub mean_q: f64,
    /// Global L2 norm of the gradient before it was bounded; runs of the oldest versions lack it.
    #[serde(default)]
    pub gradient_norm: Option<f64>,
    /// Probability of a random action.
    pub epsilon: f64,
    /// Transitions in replay.
    pub replay: u64,
    /// Diagnostics by name, in the order of the columns.
    #[serde(skip)]
    pub diagnostics: Vec<(String, f64)>,
}

/// A row of `evaluations.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRow {
    /// Its number, from 1.
    pub evaluation: u64,
    /// Agent steps of the run when it had these weights.
    pub agent_steps: u64,
    /// Frames of the run then.
    pub frames: u64,
    /// Updates of the run then.
    pub updates: u64,
    /// Protocol of the scores.
    pub protocol: String,
    /// Probability of a random action.
    pub epsilon: f64,
    /// Games that were played.
    pub episodes: usize,
    /// Mean score.
    pub mean: f64,
    /// Median score.
    pub median: f64,
    /// Standard deviation of the scores.
    pub standard_deviation: f64,
    /// Lowest score.
    pub minimum: f64,
    /// Highest score.
    pub maximum: f64,
    /// Every score, in the order of play; the file has spaces between them.
    #[serde(serialize_with = "join", deserialize_with = "split")]
    pub scores: Vec<f64>,
}

/// A row of `timing.csv`: speeds over the last second or so, in the last row over the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimingRow {
    /// Time since the start of the run.
    pub elapsed_seconds: f64,
    /// Agent steps taken.
    pub agent_steps: u64,
    /// Frames shown.
    pub frames: u64,
    /// Updates made.
    pub updates: u64,
    /// Agent steps per second.
    pub agent_steps_per_second: f64,
    /// Frames per second.
    pub frames_per_second: f64,
    /// Updates per second.
    pub updates_per_second: f64,
}

/// A row of `distributions.csv`: one atom of one action's distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DistributionRow {
    /// Updates made.
    pub update: u64,
    /// Index of the observation among the run's held-out observations.
    pub observation: usize,
    /// Index of the action.
    pub action: usize,
    /// The return that the atom stands for.
    pub atom: f64,
    /// Its probability.
    pub probability: f32,
    /// Mean of the action's distribution, the same in all its rows.
    pub q: f64,
}

impl From<&EpisodeRecord> for EpisodeRow {
    fn from(record: &EpisodeRecord) -> Self {
        let EpisodeRecord { game, mean_score, at } = record;
        Self {
            episode: game.number,
            environment: game.environment,
            agent_steps: at.agent_steps.0,
            frames: at.frames.0,
            score: game.score,
            mean_score: *mean_score,
            episode_steps: game.steps.0,
            episode_frames: game.frames.0,
            epsilon: at.epsilon,
        }
    }
}

impl EvaluationRow {
    /// The row of the `number`-th evaluation.
    ///
    /// # Panics
    /// When no game was played.
    pub(crate) fn of(number: u64, protocol: &str, record: &EvaluationRecord) -> Self {
        let EvaluationRecord { scores, epsilon, at } = record;
        let statistics = Statistics::of(scores);
        Self {
            evaluation: number,
            agent_steps: at.agent_steps.0,
            frames: at.frames.0,
            updates: at.updates,
            protocol: protocol.to_owned(),
            epsilon: *epsilon,
            episodes: scores.len(),
            mean: statistics.mean,
            median: statistics.median,
            standard_deviation: statistics.standard_deviation,
            minimum: statistics.minimum,
            maximum: statistics.maximum,
            scores: scores.clone(),
        }
    }
}

impl TimingRow {
    /// The row of a run at the position `at`.
    pub(crate) fn of(elapsed_seconds: f64, at: &Position, rates: &Rates) -> Self {
        Self {
            elapsed_seconds,
            agent_steps: at.agent_steps.0,
            frames: at.frames.0,
            updates: at.updates,
            agent_steps_per_second: rates.agent_steps,
            frames_per_second: rates.frames,
            updates_per_second: rates.updates,
        }
    }
}

impl DistributionRow {
    /// The rows of one observation, action by action.
    ///
    /// # Panics
    /// When the probabilities are not those of whole actions.
    pub(crate) fn of(record: &DistributionRecord) -> Vec<Self> {
        let DistributionRecord { observation, support, probabilities, updates } = record;
        assert!(
            !support.is_empty() && probabilities.len().is_multiple_of(support.len()),
            "{} probabilities over {} atoms",
            probabilities.len(),
            support.len()
        );
        let mut rows = Vec::with_capacity(probabilities.len());
        for (action, probabilities) in probabilities.chunks(support.len()).enumerate() {
            let atoms = || support.iter().zip(probabilities);
            let q = atoms().map(|(atom, &probability)| atom * f64::from(probability)).sum();
            rows.extend(atoms().map(|(&atom, &probability)| Self {
                update: *updates,
                observation: *observation,
                action,
                atom,
                probability,
                q,
            }));
        }
        rows
    }
}

fn join<S: Serializer>(scores: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&scores.iter().map(f64::to_string).collect::<Vec<_>>().join(" "))
}

fn split<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.split_whitespace().map(|score| score.parse().map_err(serde::de::Error::custom)).collect()
}
