//! What a run writes down and keeps: records, scores, weights.

use prism_agent::Card;
use prism_algorithms::{Agent, AgentPosition, Learned};
use prism_environment::VectorStep;
use prism_model::{InputElement, Weights};
use prism_report::observations::{self, Pixels};
use prism_runs::{
    DistributionRecord, Ending, EpisodeRecord, EvaluationRecord, Event, Journal, JournalPosition, Owed, Position,
    RunFolder, SavedWeights, ScoreTracker, Sink, Summary, UpdateRecord,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::config::Config;
use crate::error::RunError;
use crate::policy_file::{CONFIG_KEY, POSITION_KEY, with_card};
use crate::run::offending;
use crate::run::training::TrainingEvent;

/// Writes a run down and keeps its weights.
pub(super) struct Recorder {
    folder: RunFolder,
    journal: Journal,
    scores: ScoreTracker,
    /// Weights of the best mean score, until they are written.
    best: Option<Weights>,
    /// The run's configuration, which weights carry.
    config: String,
    /// What the weights are trained for, which they carry.
    card: Card,
    picture: Picture,
}

/// What a recorder needs to go on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RecorderState {
    journal: JournalPosition,
    scores: ScoreTracker,
    /// The file of the best weights.
    best: Option<ByteBuf>,
    picture: Picture,
}

impl RecorderState {
    pub(super) fn journal(&self) -> &JournalPosition {
        &self.journal
    }

    pub(super) fn scores(&self) -> &ScoreTracker {
        &self.scores
    }

    /// What contradicts a run of so many environments that is at `at`, if anything does.
    pub(super) fn check(&self, config: &Config, environments: usize, at: &Position) -> Result<(), String> {
        if !self.scores.is_like(&ScoreTracker::new(environments, config.training().score_window)) {
            return Err(format!("its scores are not those of {environments} environments, or of other games"));
        }
        self.journal.check(at)
    }
}

/// Whether the observations that distributions are of have been drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Picture {
    Due,
    Written,
}

impl Recorder {
    pub(super) fn new(config: &Config, card: Card, folder: RunFolder, journal: Journal, first: &[VectorStep]) -> Self {
        let mut scores = ScoreTracker::new(first.len(), config.training().score_window);
        for (environment, step) in first.iter().enumerate() {
            scores.begin(environment, &step.time_step);
        }
        Self { folder, journal, scores, best: None, config: config.to_toml(), card, picture: Picture::Due }
    }

    /// Goes on from `state`, after which `journal` was rewound. Both files of weights are again those of that time.
    pub(super) fn resumed(
        config: &Config,
        card: Card,
        folder: RunFolder,
        journal: Journal,
        state: RecorderState,
    ) -> Result<Self, RunError> {
        let RecorderState { scores, best, picture, .. } = state;
        match best {
            Some(best) => {
                let best = Weights::from_bytes(best.into_vec(), "the best weights of the checkpoint".to_owned())?;
                let best = best.with_metadata(CONFIG_KEY, &config.to_toml());
                folder.write_weights(SavedWeights::Best, best.bytes())?;
            }
            None => folder.remove_weights(SavedWeights::Best)?,
        }
        Ok(Self { folder, journal, scores, best: None, config: config.to_toml(), card, picture })
    }

    /// What is needed to go on from here. Everything recorded so far is on the disk when this returns, the best weights
    /// included.
    pub(super) fn state(&mut self, owed: Owed) -> Result<RecorderState, RunError> {
        self.save_best()?;
        Ok(RecorderState {
            journal: self.journal.position(owed)?,
            scores: self.scores.clone(),
            best: self.folder.read_weights(SavedWeights::Best)?.map(ByteBuf::from),
            picture: self.picture,
        })
    }

    pub(super) fn folder(&self) -> &RunFolder {
        &self.folder
    }

    pub(super) fn scores(&self) -> &ScoreTracker {
        &self.scores
    }

    pub(super) fn add(&mut self, sink: Box<dyn Sink>) -> Result<(), RunError> {
        Ok(self.journal.add(sink)?)
    }

    /// Takes note of something that happened.
    pub(super) fn record(&mut self, agent: &Agent, event: TrainingEvent<'_>) -> Result<(), RunError> {
        match event {
            TrainingEvent::Stepped { environment, step } => {
                let best_before = self.scores.best_mean();
                let Some(game) = self.scores.observe(environment, step) else { return Ok(()) };
                if self.scores.best_mean() > best_before {
                    self.best = Some(self.weights(agent));
                }
                let mean_score = self.scores.recent_mean().expect("a game has just ended");
                self.journal.record(Event::Episode(EpisodeRecord { game, mean_score, at: position(agent) }))?;
            }
            TrainingEvent::Learned(Learned::Updates(summary)) => {
                self.journal.record(Event::Update(UpdateRecord {
                    loss: summary.loss,
                    mean_q: summary.mean_q,
                    gradient_norm: summary.gradient_norm,
                    replay: summary.replay,
                    diagnostics: summary.diagnostics,
                    at: record_position(summary.at),
                }))?;
            }
            TrainingEvent::Learned(Learned::Distributions(distributions)) => {
                self.picture(agent, distributions.observations)?;
                let of_one = distributions.probabilities.len() / distributions.observations;
                for (observation, probabilities) in distributions.probabilities.chunks(of_one).enumerate() {
                    self.journal.record(Event::Distributions(DistributionRecord {
                        observation,
                        support: distributions.support.clone(),
                        probabilities: probabilities.to_vec(),
                        updates: distributions.updates,
                    }))?;
                }
            }
        }
        Ok(())
    }

    /// Writes a picture of the observations whose distributions are recorded, once: of each its newest frame, where
    /// observations are images.
    fn picture(&mut self, agent: &Agent, count: usize) -> Result<(), RunError> {
        let input = &agent.network_config().input;
        let (Picture::Due, &[_, height, width], InputElement::U8, Some(observations)) =
            (self.picture, input.shape.as_slice(), input.element, agent.held_out_observations())
        else {
            return Ok(());
        };
        let newest = observations.chunks_exact(input.bytes()).take(count);
        let frames: Vec<u8> =
            newest.flat_map(|observation| &observation[observation.len() - height * width..]).copied().collect();
        let png = observations::sheet(Pixels::Grey, (width as u32, height as u32), &frames);
        self.folder.write_file(observations::FILE, &png)?;
        self.picture = Picture::Written;
        Ok(())
    }

    /// Tells people something.
    pub(super) fn note(&mut self, line: impl Into<String>) -> Result<(), RunError> {
        Ok(self.journal.note(line)?)
    }

    /// Records an evaluation.
    pub(super) fn evaluation(&mut self, record: EvaluationRecord) -> Result<(), RunError> {
        Ok(self.journal.record(Event::Evaluation(record))?)
    }

    /// Says where the run stands.
    pub(super) fn progress(&mut self, agent: &Agent) -> Result<(), RunError> {
        Ok(self.journal.record(Event::Progress(position(agent)))?)
    }

    /// Writes the latest weights, and the best if they are new. Weights that are not finite are of no use to anybody: the
    /// ones before them stay.
    pub(super) fn save(&mut self, agent: &Agent) -> Result<(), RunError> {
        let latest = self.weights(agent);
        if latest.are_finite() {
            self.folder.write_weights(SavedWeights::Latest, latest.bytes())?;
        }
        self.save_best()
    }

    fn save_best(&mut self) -> Result<(), RunError> {
        if let Some(best) = self.best.take().filter(Weights::are_finite) {
            self.folder.write_weights(SavedWeights::Best, best.bytes())?;
        }
        Ok(())
    }

    fn weights(&self, agent: &Agent) -> Weights {
        let at = serde_json::to_string(&position(agent)).expect("a position is plain data");
        let weights = agent.weights().with_metadata(CONFIG_KEY, &self.config).with_metadata(POSITION_KEY, &at);
        with_card(weights, &self.card)
    }

    /// Completes the records of a run that has come to an end.
    pub(super) fn finish(mut self, ending: Ending, agent: &Agent) -> Result<Summary, RunError> {
        if let Err(error) = self.save(agent) {
            self.give_up(&error, agent);
            return Err(error);
        }
        Ok(self.journal.finish(ending, position(agent))?)
    }

    /// Completes what can be completed of a run that cannot go on. What fails here adds nothing to why it cannot.
    pub(super) fn give_up(mut self, error: &RunError, agent: &Agent) {
        let _ = self.save(agent);
        if let Some(batch) = agent.offending_batch() {
            let written =
                self.folder.write_file(offending::FILE, &offending::safetensors(&batch, &agent.network_config().input));
            let _ = written.map(|()| {
                let path = self.folder.path().join(offending::FILE);
                self.note(format!("the batch of update {} is in {}", batch.update, path.display()))
            });
        }
        let _ = self.journal.finish(Ending::Failed { reason: error.reason() }, position(agent));
    }
}

/// Where the agent stands, as records have it.
pub(super) fn position(agent: &Agent) -> Position {
    record_position(agent.position())
}

fn record_position(at: AgentPosition) -> Position {
    let AgentPosition { agent_steps, frames, updates, epsilon } = at;
    Position { agent_steps, frames, updates, epsilon }
}
