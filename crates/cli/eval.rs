//! `prism eval`: scores the weights of a run.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use prism::{
    Config, Environments, EvaluatedGame, EvaluationRecord, Games, Note, OutputFile, Override, Part, ProgressLine,
    RunFolder, RunPath, Statistics, append_evaluation,
};
use prism_model::Weights;
use serde::Serialize;

use crate::arguments::EvalArguments;
use crate::failure::{Failure, code_of};
use crate::signals;
use crate::weights;

/// Without a terminal, how often a line says how far the evaluation has come.
const LINE_PERIOD: Duration = Duration::from_secs(10);

/// What `--json` writes.
#[derive(Serialize)]
struct Evaluated<'a> {
    environment: &'a str,
    protocol: &'a str,
    epsilon: f64,
    seed: u64,
    weights: String,
    planned: usize,
    scores: &'a [f64],
    mean: f64,
    median: f64,
    standard_deviation: f64,
    minimum: f64,
    maximum: f64,
}

/// What the first signal to stop brings about.
const STOPPING: &str = "stopping, and showing the games that have ended; once more to quit at once";

/// Plays the games, shows how far they are, and says what they came to.
pub fn run(arguments: &EvalArguments, output: &mut impl Write) -> Result<ExitCode, Failure> {
    // Minutes of playing must not be lost to a slip in a name.
    let target = |path: &Option<PathBuf>, extension| -> Result<Option<OutputFile>, Failure> {
        Ok(path.as_deref().map(|path| OutputFile::new(path, extension)).transpose()?)
    };
    let (json, csv) = (target(&arguments.json, "json")?, target(&arguments.csv, "csv")?);
    let path = RunPath::find(&arguments.run)?;
    let file = path.weights()?;
    let weights = weights::read(&file)?;
    let config = config(arguments, &path, &weights)?;
    let environments = Environments::of(config.environment(), arguments.roms.as_deref())?;
    let interrupt = signals::interrupt(STOPPING)?;
    let mut progress = Progress::new(config.evaluation().episodes.get());
    let games = prism::evaluate(&config, &environments, &weights, &interrupt, &mut |game| progress.show(game))?;
    progress.end();
    let code = games.interruption().map_or(ExitCode::SUCCESS, code_of);
    let scores = games.scores();
    if scores.is_empty() {
        writeln!(output, "stopped before a game had ended")?;
        return Ok(code);
    }
    // Files first: whoever reads what is shown may have gone away.
    if let Some(csv) = csv {
        csv.write(table(&scores).as_bytes())?;
    }
    if let Some(json) = json {
        json.write(statistics(&config, &file, &games).as_bytes())?;
    }
    // What is no whole evaluation would be taken for one in the table of a run.
    if let Some(folder) = path.folder().filter(|_| games.are_complete())
        && let Err(error) = append(folder, &config, &weights, scores)
    {
        // A run that somebody else keeps, or has put away, can be scored all the same.
        let _ = writeln!(io::stderr(), "the run's own table does not have this evaluation: {}", error.sentence());
    }
    report(arguments, &config, &games, output)?;
    writeln!(output, "weights {}, seed {}", file.display(), config.run().seed.0)?;
    Ok(code)
}

/// The configuration that the weights were trained under, as far as it is known, with what was typed over it.
fn config(arguments: &EvalArguments, path: &RunPath, read: &Weights) -> Result<Config, Failure> {
    let source = weights::source(&arguments.run, path, read)?;
    let mut overrides = weights::overrides(&arguments.settings, arguments.seed.as_deref(), arguments.epsilon)?;
    // An evaluation has a device of its own, not that of the run.
    let device = arguments.device.as_deref().or((!weights::gives(&overrides, "run.device")).then_some("auto"));
    overrides.extend(device.map(|device| Override::flag("--device", "run.device", device)));
    let episodes = arguments.episodes.as_deref();
    overrides.extend(episodes.map(|episodes| Override::typed("--episodes", "evaluation.episodes", episodes)));
    let config = weights::config(&source, &overrides)?;
    // The other notes are about training.
    for note in config.notes().iter().filter(|note| matches!(note, Note::GivenTwice { .. })) {
        let _ = writeln!(io::stderr(), "{note}");
    }
    Ok(config)
}

/// The score of each game as CSV.
fn table(scores: &[f64]) -> String {
    let mut text = "game,score\n".to_owned();
    for (game, score) in (1..).zip(scores) {
        text.push_str(&format!("{game},{score}\n"));
    }
    text
}

/// What was played and what came of it as JSON.
fn statistics(config: &Config, weights: &Path, games: &Games) -> String {
    let scores = games.scores();
    let kind = &config.environment().kind;
    let Statistics { mean, median, standard_deviation, minimum, maximum, .. } = Statistics::of(&scores);
    let evaluated = Evaluated {
        environment: kind.name(),
        protocol: kind.protocol(),
        epsilon: config.evaluation().epsilon,
        seed: config.run().seed.0,
        weights: weights.display().to_string(),
        planned: games.planned(),
        scores: &scores,
        mean,
        median,
        standard_deviation,
        minimum,
        maximum,
    };
    let mut text = serde_json::to_string_pretty(&evaluated).expect("scores are plain data");
    text.push('\n');
    text
}

/// Adds the evaluation to the run's table, at the step that the weights are of.
fn append(folder: &RunFolder, config: &Config, weights: &Weights, scores: Vec<f64>) -> Result<(), Failure> {
    let at = weights.metadata(prism::POSITION_KEY).and_then(|text| serde_json::from_str(text).ok());
    let Some(at) = at else {
        return Err(Failure::outside(anyhow::anyhow!("these weights do not say at which agent step they were saved")));
    };
    let record = EvaluationRecord { scores, epsilon: config.evaluation().epsilon, at };
    append_evaluation(folder, config.environment().kind.protocol(), &record)?;
    Ok(())
}

fn report(arguments: &EvalArguments, config: &Config, games: &Games, output: &mut impl Write) -> Result<(), Failure> {
    let scores = games.scores();
    if arguments.games {
        for (number, score) in (1..).zip(&scores) {
            writeln!(output, "game {number}  score {score}")?;
        }
    }
    let kind = &config.environment().kind;
    writeln!(output, "{} (protocol {}, epsilon {})", kind.name(), kind.protocol(), config.evaluation().epsilon)?;
    if !games.are_complete() {
        writeln!(output, "stopped after {} of {} games", scores.len(), games.planned())?;
    }
    writeln!(output, "{}", Statistics::of(&scores))?;
    Ok(())
}

/// Shows how far an evaluation has come: a line that is redrawn where it can be, a line now and then elsewhere.
struct Progress {
    line: ProgressLine,
    sum: f64,
    told: Instant,
}

impl Progress {
    fn new(games: usize) -> Self {
        let mut line = ProgressLine::new(games as u64).with_time();
        line.draw(0, &[Part::new(0, format!("0 of {games} games"))]);
        Self { line, sum: 0.0, told: Instant::now() }
    }

    fn show(&mut self, game: EvaluatedGame) {
        self.sum += game.score;
        let mean = self.sum / game.ended as f64;
        let (games, mean) = (format!("{} of {} games", game.ended, game.planned), format!("mean score {mean:.2}"));
        if self.line.draws() {
            let parts = [Part::new(0, games), Part::new(1, mean), self.line.time_left(2)];
            self.line.draw(game.ended as u64, &parts);
        } else if self.told.elapsed() >= LINE_PERIOD {
            self.told = Instant::now();
            // Nobody may be listening, which is no reason to stop.
            let _ = writeln!(io::stderr(), "{games}, {mean}");
        }
    }

    fn end(self) {
        self.line.clear();
    }
}
