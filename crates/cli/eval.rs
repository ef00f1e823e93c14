//! `prism eval`: scores the weights of a run.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use prism::{
    CONFIG_KEY, Config, Environments, EvaluatedGame, EvaluationRecord, Games, Override, RunPath, Source, Statistics,
    append_evaluation,
};
use prism_model::Weights;
use serde::Serialize;

use crate::arguments::EvalArguments;
use crate::failure::{Failure, code_of};
use crate::signals;

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

/// Plays the games, shows how far they are, and says what they came to.
pub fn run(arguments: &EvalArguments, output: &mut impl Write) -> Result<ExitCode, Failure> {
    for path in [&arguments.json, &arguments.csv].into_iter().flatten() {
        check_folder(path)?;
    }
    let path = RunPath::find(&arguments.run)?;
    let file = path.weights()?;
    let weights = Weights::read(&file)?;
    let config = config(arguments, &path, &weights)?;
    let environments = Environments::of(config.environment(), arguments.place.roms.as_deref())?;
    let interrupt = signals::interrupt()?;
    let mut progress = Progress::new(config.evaluation().episodes.get());
    let games = prism::evaluate(&config, &environments, &weights, &interrupt, &mut |game| progress.show(game))?;
    progress.end();
    let code = games.interruption().map_or(ExitCode::SUCCESS, code_of);
    let scores = games.scores();
    if scores.is_empty() {
        writeln!(output, "stopped before a game had ended")?;
        return Ok(code);
    }
    keep(arguments, &path, &config, &weights, &games)?;
    report(arguments, &config, &games, output)?;
    writeln!(output, "weights {}, seed {}", file.display(), config.run().seed.0)?;
    Ok(code)
}

/// The configuration that the weights were trained under, as far as it is known, with what was typed over it.
fn config(arguments: &EvalArguments, path: &RunPath, weights: &Weights) -> Result<Config, Failure> {
    let source = match (path.config(), weights.metadata(CONFIG_KEY)) {
        (Some(file), _) => Source::read(&file)?,
        (None, Some(text)) => Source::text(&arguments.run.display().to_string(), text),
        (None, None) => {
            let error = anyhow::anyhow!(
                "{} does not say what it plays, as weights of older versions do not: put it beside the config.toml of its run",
                arguments.run.display()
            );
            return Err(Failure::outside(error));
        }
    };
    let mut overrides: Vec<Override> =
        arguments.settings.iter().map(|text| Override::parse(text)).collect::<Result<_, _>>()?;
    let mut typed = |flag: &'static str, key: &'static str, value: Option<&str>| {
        overrides.extend(value.map(|value| Override::typed(flag, key, value)));
    };
    typed("--episodes", "evaluation.episodes", arguments.episodes.as_deref());
    // An evaluation has a seed and a device of its own.
    typed("--seed", "run.seed", Some(arguments.place.seed.as_deref().unwrap_or("0")));
    overrides.extend(arguments.epsilon.map(|epsilon| Override::flag("--epsilon", "evaluation.epsilon", epsilon)));
    let device = arguments.place.device.clone().unwrap_or_else(|| "auto".to_owned());
    overrides.push(Override::flag("--device", "run.device", device));
    Ok(Config::read(&source, &overrides)?)
}

/// Writes the scores to the run's table and to the files that were asked for.
fn keep(
    arguments: &EvalArguments,
    path: &RunPath,
    config: &Config,
    weights: &Weights,
    games: &Games,
) -> Result<(), Failure> {
    let scores = games.scores();
    let kind = &config.environment().kind;
    let epsilon = config.evaluation().epsilon;
    // What is no whole evaluation would be taken for one in the table of a run.
    if let Some(folder) = path.folder().filter(|_| games.are_complete()) {
        let at = weights.metadata(prism::POSITION_KEY).and_then(|text| serde_json::from_str(text).ok());
        let record = EvaluationRecord { scores: scores.clone(), epsilon, at: at.unwrap_or_default() };
        append_evaluation(folder, kind.protocol(), &record)?;
    }
    if let Some(path) = &arguments.csv {
        let mut text = "game,score\n".to_owned();
        for (game, score) in (1..).zip(&scores) {
            text.push_str(&format!("{game},{score}\n"));
        }
        write(path, text.as_bytes())?;
    }
    if let Some(path) = &arguments.json {
        let Statistics { mean, median, standard_deviation, minimum, maximum, .. } = Statistics::of(&scores);
        let evaluated = Evaluated {
            environment: kind.name(),
            protocol: kind.protocol(),
            epsilon,
            seed: config.run().seed.0,
            weights: arguments.run.display().to_string(),
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
        write(path, text.as_bytes())?;
    }
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

/// Minutes of playing must not be lost to a slip in a name.
fn check_folder(path: &Path) -> Result<(), Failure> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            let error = anyhow::anyhow!("cannot write {}: there is no folder {}", path.display(), folder.display());
            Err(Failure::outside(error))
        }
        _ => Ok(()),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| {
        Failure::outside(anyhow::Error::new(error).context(format!("cannot write {}", path.display())))
    })
}

/// Shows how far an evaluation has come: a bar on a terminal, a line now and then elsewhere.
struct Progress {
    bar: ProgressBar,
    sum: f64,
    told: Instant,
}

impl Progress {
    fn new(games: usize) -> Self {
        let bar = ProgressBar::new(games as u64);
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} games, {msg}, {eta} left");
        bar.set_style(style.expect("the template is right"));
        bar.set_message("no score yet");
        Self { bar, sum: 0.0, told: Instant::now() }
    }

    fn show(&mut self, game: EvaluatedGame) {
        self.sum += game.score;
        let mean = self.sum / game.ended as f64;
        self.bar.set_position(game.ended as u64);
        self.bar.set_message(format!("mean score {mean:.2}"));
        if self.bar.is_hidden() && self.told.elapsed() >= LINE_PERIOD {
            self.told = Instant::now();
            eprintln!("{} of {} games, mean score {mean:.2}", game.ended, game.planned);
        }
    }

    fn end(self) {
        self.bar.finish_and_clear();
    }
}
