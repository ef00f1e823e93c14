//! What came of an evaluation, as it is shown and written.

use std::io::{self, Write};
use std::path::PathBuf;

use prism::{EvaluationLength, EvaluationProtocol, OutputFile, Statistics};
use serde::{Serialize, Serializer};

use crate::arguments::EvalArguments;
use crate::failure::Failure;

/// What came of an evaluation; as JSON what `--json` writes.
#[derive(Serialize)]
pub struct Evaluated<'a> {
    /// What was played.
    pub environment: &'a str,
    /// The protocol that was asked for.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "name")]
    pub evaluation: Option<EvaluationProtocol>,
    /// New games, where some were played.
    #[serde(flatten)]
    pub played: Option<Played>,
    /// Training games of the run, where the protocol counts them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub training: Vec<Trained>,
}

/// New games.
#[derive(Serialize)]
pub struct Played {
    /// Their scores.
    #[serde(flatten)]
    pub scored: Scored,
    /// The seed that they were drawn from.
    pub seed: u64,
    /// The file of the weights that played.
    pub weights: String,
    /// Which of the run's weights these are, where they are known to be some.
    #[serde(rename = "which_weights", skip_serializing_if = "Option::is_none")]
    pub saved: Option<&'static str>,
    /// How many were to be played.
    #[serde(flatten, serialize_with = "planned")]
    pub planned: EvaluationLength,
}

/// Training games of a run.
#[derive(Serialize)]
pub struct Trained {
    /// Their scores.
    #[serde(flatten)]
    pub scored: Scored,
    /// Agent steps of the run there.
    pub agent_steps: u64,
    /// Frames of the run there.
    pub frames: u64,
}

/// Scores with what they are counted under.
#[derive(Serialize)]
pub struct Scored {
    protocol: String,
    epsilon: f64,
    scores: Vec<f64>,
    mean: f64,
    median: f64,
    standard_deviation: f64,
    minimum: f64,
    maximum: f64,
}

impl Scored {
    /// Scores of games that were played with this probability of a random action.
    ///
    /// # Panics
    /// When there are none.
    pub fn new(protocol: String, epsilon: f64, scores: Vec<f64>) -> Self {
        let Statistics { mean, median, standard_deviation, minimum, maximum, .. } = Statistics::of(&scores);
        Self { protocol, epsilon, scores, mean, median, standard_deviation, minimum, maximum }
    }

    fn show(&self, environment: &str, arguments: &EvalArguments, output: &mut impl Write) -> io::Result<()> {
        if arguments.games {
            for (number, score) in (1..).zip(&self.scores) {
                writeln!(output, "game {number}  score {score}")?;
            }
        }
        writeln!(output, "{environment} (protocol {}, epsilon {})", self.protocol, self.epsilon)
    }

    fn statistics(&self) -> Statistics {
        Statistics::of(&self.scores)
    }
}

impl Evaluated<'_> {
    /// Says what came of it. `stopped` has what was planned, where it ended before that.
    pub fn show(
        &self,
        arguments: &EvalArguments,
        stopped: Option<EvaluationLength>,
        output: &mut impl Write,
    ) -> io::Result<()> {
        if let Some(Played { scored, seed, weights, saved, .. }) = &self.played {
            scored.show(self.environment, arguments, output)?;
            let ended = scored.scores.len();
            match stopped {
                Some(EvaluationLength::Games(games)) => writeln!(output, "stopped after {ended} of {games} games")?,
                Some(EvaluationLength::Phase(steps)) => {
                    writeln!(output, "stopped after {ended} games, before {steps}")?;
                }
                None => {}
            }
            writeln!(output, "{}", scored.statistics())?;
            let which = saved.map_or_else(String::new, |which| format!("{which} "));
            writeln!(output, "{which}weights {weights}, seed {seed}")?;
        }
        for Trained { scored, .. } in &self.training {
            scored.show(self.environment, arguments, output)?;
            writeln!(output, "{}", scored.statistics())?;
        }
        if let Some(protocol) = self.evaluation {
            writeln!(output, "{}", protocol.remark())?;
        }
        Ok(())
    }

    /// The score of each game as CSV: of new games, where there are none of training games.
    fn table(&self) -> String {
        let scored: Vec<&Scored> = match &self.played {
            Some(played) => vec![&played.scored],
            None => self.training.iter().map(|trained| &trained.scored).collect(),
        };
        let rows = scored.into_iter().flat_map(|Scored { protocol, scores, .. }| {
            (1..).zip(scores).map(|(game, score): (u64, _)| [game.to_string(), score.to_string(), protocol.clone()])
        });
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in [["game", "score", "protocol"].map(str::to_owned)].into_iter().chain(rows) {
            writer.write_record(row).expect("every row has a cell for each column");
        }
        let bytes = writer.into_inner().expect("a table in memory can always be written");
        String::from_utf8(bytes).expect("cells are text")
    }

    fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("scores are plain data");
        text.push('\n');
        text
    }
}

/// The files that were asked for.
pub struct Files {
    json: Option<OutputFile>,
    csv: Option<OutputFile>,
}

impl Files {
    /// Those that the command line names.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn of(arguments: &EvalArguments) -> Result<Self, Failure> {
        let target = |path: &Option<PathBuf>, extension| -> Result<Option<OutputFile>, Failure> {
            Ok(path.as_deref().map(|path| OutputFile::new(path, extension)).transpose()?)
        };
        Ok(Self { json: target(&arguments.json, "json")?, csv: target(&arguments.csv, "csv")? })
    }

    /// Writes them.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write(self, evaluated: &Evaluated<'_>) -> Result<(), Failure> {
        if let Some(csv) = self.csv {
            csv.write(evaluated.table().as_bytes())?;
        }
        if let Some(json) = self.json {
            json.write(evaluated.json().as_bytes())?;
        }
        Ok(())
    }
}

fn name<S: Serializer>(protocol: &Option<EvaluationProtocol>, serializer: S) -> Result<S::Ok, S::Error> {
    protocol.map(EvaluationProtocol::name).serialize(serializer)
}

/// `planned` games, or `planned_agent_steps`.
fn planned<S: Serializer>(length: &EvaluationLength, serializer: S) -> Result<S::Ok, S::Error> {
    let (key, value) = match length {
        EvaluationLength::Games(games) => ("planned", games.get() as u64),
        EvaluationLength::Phase(steps) => ("planned_agent_steps", steps.0),
    };
    serializer.collect_map([(key, value)])
}
