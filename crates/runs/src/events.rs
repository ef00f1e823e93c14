//! What happens in a run.

use std::time::Duration;

use prism_environment::AgentSteps;
use serde::Serialize;

use crate::clock::Rates;
use crate::manifest::Manifest;
use crate::position::Position;
use crate::scores::FinishedGame;

/// Something that happened in a run. A [`Journal`](crate::Journal) records it and passes it to its sinks.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "the large one comes once in a run")]
pub enum Event {
    /// The run begins: the first event of every sink, also of one that is added later.
    Started(RunHeader),
    /// A line for people. The journal adds such lines for events that people want to know of.
    Note(String),
    /// A game has ended.
    Episode(EpisodeRecord),
    /// The learner has made some updates.
    Update(UpdateRecord),
    /// Weights were evaluated.
    Evaluation(EvaluationRecord),
    /// Distributions of returns were computed.
    Distributions(DistributionRecord),
    /// The run's position, after every call that plays: an agent step of every environment, or several.
    Progress(Position),
    /// The run's position, every ten seconds.
    Timing(Position),
    /// How long the run will take, once its speed has been measured.
    Estimate(Estimate),
    /// The run has ended. The last event.
    Ended(Summary),
}

/// What is known of a run before its first step.
#[derive(Clone, Debug, PartialEq)]
pub struct RunHeader {
    /// What is run, where and when.
    pub manifest: Manifest,
    /// Agent steps after which the run ends at the latest.
    pub limit: AgentSteps,
    /// Games in the mean score.
    pub score_window: usize,
    /// Names of the diagnostics that every [`UpdateRecord`] carries.
    pub diagnostics: Vec<String>,
    /// Bytes of memory that the run will need at most, where that was computed.
    pub memory: Option<u64>,
}

/// A game that has ended, and the run's position then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpisodeRecord {
    /// The game.
    pub game: FinishedGame,
    /// Mean score of the last games, this one included.
    pub mean_score: f64,
    /// The run's position at its end.
    pub at: Position,
}

/// What the learner did since the last such record.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateRecord {
    /// Mean loss.
    pub loss: f64,
    /// Mean q-value of the actions in the batches.
    pub mean_q: f64,
    /// Global L2 norm of the gradient in the last of these updates, before it was bounded.
    pub gradient_norm: f64,
    /// Transitions in replay.
    pub replay: usize,
    /// What was measured after the last of these updates, one value for each name in the [`RunHeader`].
    pub diagnostics: Vec<f64>,
    /// The run's position at the last of these updates.
    pub at: Position,
}

/// One evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationRecord {
    /// Score of each game, in the order of play.
    pub scores: Vec<f64>,
    /// Probability of a random action in the evaluation.
    pub epsilon: f64,
    /// The run's position when it had the weights that played.
    pub at: Position,
}

/// Distributions of the returns that a network expects from one observation.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributionRecord {
    /// Index of the observation among the run's held-out observations, from 0.
    pub observation: usize,
    /// Atoms of the support, `[K]`.
    pub support: Vec<f64>,
    /// Probabilities of the atoms for each action, `[A, K]`, row-major.
    pub probabilities: Vec<f32>,
    /// Updates made.
    pub updates: u64,
}

/// How long a run will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// From now until its limit, at the measured speed.
    pub remaining: Duration,
    /// The measured speed.
    pub agent_steps_per_second: f64,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The mean score reached the bound that was set for it.
    Solved,
    /// The limit of agent steps was reached.
    Limit,
    /// A user asked for it with Ctrl-C.
    Interrupted,
    /// The system or a batch system asked for it, by SIGTERM or SIGHUP.
    Terminated,
    /// The run could not continue.
    Failed {
        /// Why.
        reason: String,
    },
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Why.
    pub ending: Ending,
    /// Games that ended.
    pub episodes: u64,
    /// Mean score of the last games, if one ended.
    pub mean_score: Option<f64>,
    /// Highest score, if a game ended.
    pub best_score: Option<f64>,
    /// The run's position at its end.
    pub at: Position,
    /// How long it took.
    pub elapsed: Duration,
    /// Mean speeds over that time.
    pub rates: Rates,
}

/// A number in a table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A count.
    Whole(u64),
    /// A measurement.
    Real(f64),
}

impl From<Value> for f64 {
    fn from(value: Value) -> Self {
        match value {
            Value::Whole(count) => count as Self,
            Value::Real(measurement) => measurement,
        }
    }
}

impl UpdateRecord {
    /// The columns of `train.csv` with their values: the run's position, then what the learner did, then the diagnostics
    /// under these names.
    ///
    /// # Panics
    /// When there are more or fewer diagnostics than names.
    pub fn columns<'a>(&self, diagnostics: &'a [String]) -> Vec<(&'a str, Value)> {
        assert_eq!(self.diagnostics.len(), diagnostics.len(), "one value for each diagnostic");
        let mut columns = vec![
            ("updates", Value::Whole(self.at.updates)),
            ("agent_steps", Value::Whole(self.at.agent_steps.0)),
            ("frames", Value::Whole(self.at.frames.0)),
            ("loss", Value::Real(self.loss)),
            ("mean_q", Value::Real(self.mean_q)),
            ("gradient_norm", Value::Real(self.gradient_norm)),
            ("epsilon", Value::Real(self.at.epsilon)),
            ("replay", Value::Whole(self.replay as u64)),
        ];
        let measured = self.diagnostics.iter().map(|&value| Value::Real(value));
        columns.extend(diagnostics.iter().map(String::as_str).zip(measured));
        columns
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use prism_environment::Frames;

    use super::*;
    use crate::manifest::tests::manifest;

    /// The header of a run with one diagnostic.
    pub(crate) fn header() -> RunHeader {
        RunHeader {
            manifest: manifest(),
            limit: AgentSteps(1000),
            score_window: 100,
            diagnostics: vec!["best_q_value".to_owned()],
            memory: Some(3 << 30),
        }
    }

    /// The position of a run after so many agent steps.
    pub(crate) fn position(agent_steps: u64) -> Position {
        Position {
            agent_steps: AgentSteps(agent_steps),
            frames: Frames(4 * agent_steps),
            updates: agent_steps / 2,
            epsilon: 0.1 + 0.2,
        }
    }

    /// The `number`-th game of a run.
    pub(crate) fn episode(number: u64, score: f64) -> Event {
        let game = FinishedGame { number, environment: 0, score, steps: AgentSteps(9), frames: Frames(36) };
        Event::Episode(EpisodeRecord { game, mean_score: score / 2.0, at: position(9 * number) })
    }

    /// Everything that can happen between a start and an end, after so many agent steps.
    pub(crate) fn events(agent_steps: u64) -> Vec<Event> {
        let at = position(agent_steps);
        vec![
            Event::Note(format!("a note at {agent_steps}")),
            episode(agent_steps / 9, -1.0),
            Event::Update(UpdateRecord {
                loss: 0.5,
                mean_q: 0.125,
                gradient_norm: 2.0,
                replay: 8,
                diagnostics: vec![0.75],
                at,
            }),
            Event::Evaluation(EvaluationRecord { scores: vec![1.0, -1.0], epsilon: 0.0, at }),
            Event::Distributions(DistributionRecord {
                observation: 3,
                support: vec![-2.0, 4.0],
                probabilities: vec![0.25, 0.75, 1.0, 0.0],
                updates: at.updates,
            }),
            Event::Progress(at),
            Event::Timing(at),
            Event::Estimate(Estimate { remaining: Duration::from_secs(7200), agent_steps_per_second: 50.0 }),
        ]
    }

    #[test]
    #[should_panic(expected = "one value for each diagnostic")]
    fn every_diagnostic_has_a_name() {
        let Event::Update(record) = &events(18)[2] else { panic!("the third is an update") };
        record.columns(&[]);
    }
}
