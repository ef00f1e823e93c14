//! `prism eval`: scores the weights of a run, or its training games.

mod progress;
mod scored;
mod training;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use prism::{
    Config, Environments, EvaluationLength, EvaluationRecord, Note, Override, RunFolder, RunFolderError, RunPath,
    SavedWeights, append_evaluation,
};
use prism_environment::AgentSteps;
use prism_model::{Layers, Weights};

use crate::arguments::EvalArguments;
use crate::failure::{Failure, code_of};
use crate::signals;
use crate::weights;
use progress::Progress;
use scored::{Evaluated, Files, Played, Scored};

/// What the first signal to stop brings about.
const STOPPING: &str = "stopping, and showing the games that have ended; once more to quit at once";

/// Plays the games, or reads those of training, and says what they came to.
pub fn run(arguments: &EvalArguments, output: &mut impl Write) -> Result<ExitCode, Failure> {
    // Minutes of playing must not be lost to a slip in a name.
    let files = Files::of(arguments)?;
    let path = RunPath::find(&arguments.run)?;
    match arguments.protocol {
        Some(protocol) if protocol.new_games(Layers::Plain).is_none() => {
            training::run(arguments, protocol, &path, files, output)
        }
        _ => play(arguments, &path, files, output),
    }
}

/// Plays the games, shows how far they are, and says what they came to.
fn play(arguments: &EvalArguments, path: &RunPath, files: Files, output: &mut impl Write) -> Result<ExitCode, Failure> {
    let file = weights_file(arguments, path)?;
    let weights = weights::read(&file)?;
    let (config, length) = config(arguments, path, &weights)?;
    let published = match (arguments.protocol, path.folder()) {
        (Some(protocol), Some(folder)) => training::published(protocol, folder)?,
        _ => Vec::new(),
    };
    let environments = Environments::of(config.environment(), arguments.roms.as_deref())?;
    let interrupt = signals::interrupt(STOPPING)?;
    let mut progress = Progress::new(length);
    let mut watch = |game| progress.show(game);
    let games = match length {
        EvaluationLength::Games(_) => prism::evaluate(&config, &environments, &weights, &interrupt, &mut watch),
        EvaluationLength::Phase(steps) => {
            prism::evaluate_phase(&config, &environments, &weights, steps, &interrupt, &mut watch)
        }
    }?;
    progress.end();
    let code = games.interruption().map_or(ExitCode::SUCCESS, code_of);
    let scores = games.scores();
    if scores.is_empty() {
        writeln!(output, "stopped before a game had ended")?;
        return Ok(code);
    }
    let saved = path.saved(&file);
    let label = match arguments.protocol {
        Some(protocol) => protocol.label(&protocol.departures(&config, length, saved)),
        None => config.environment().kind.protocol().to_owned(),
    };
    let played = Played {
        scored: Scored::new(label.clone(), config.evaluation().epsilon, scores.clone()),
        seed: config.run().seed.0,
        weights: file.display().to_string(),
        saved: saved.map(SavedWeights::name),
        planned: games.planned(),
    };
    let evaluated = Evaluated {
        environment: config.environment().kind.name(),
        evaluation: arguments.protocol,
        played: Some(played),
        training: published,
    };
    // Files first: whoever reads what is shown may have gone away.
    files.write(&evaluated)?;
    // What is no whole evaluation would be taken for one in the table of a run.
    if let Some(folder) = path.folder().filter(|_| games.are_complete())
        && let Err(error) = append(folder, &label, &config, &weights, scores)
    {
        // A run that somebody else keeps, or has put away, can be scored all the same.
        let _ = writeln!(io::stderr(), "the run's own table does not have this evaluation: {}", error.sentence());
    }
    let stopped = (!games.are_complete()).then(|| games.planned());
    evaluated.show(arguments, stopped, output)?;
    Ok(code)
}

/// The weights that play: those that were asked for, else those of the protocol, else the best; where a run has no best
/// weights, its latest.
fn weights_file(arguments: &EvalArguments, path: &RunPath) -> Result<PathBuf, Failure> {
    let (RunPath::Folder(folder) | RunPath::Configuration(folder)) = path else {
        return match arguments.weights {
            Some(which) => {
                let named = arguments.run.display();
                let error =
                    anyhow::anyhow!("{named} names weights itself, and --weights {which} asks for those of a run");
                Err(Failure::usage(error).with_remedy("leave out --weights, or give the folder of the run"))
            }
            None => Ok(path.weights()?),
        };
    };
    if let Some(weights) = arguments.weights {
        let file = folder.weights(weights);
        let missing = || RunFolderError::NoSuchWeights { path: folder.path().to_owned(), weights };
        return if file.is_file() { Ok(file) } else { Err(missing().into()) };
    }
    // Which weights a protocol takes does not depend on layers.
    let games = arguments.protocol.and_then(|protocol| protocol.new_games(Layers::Plain));
    let wanted = games.map(|games| folder.weights(games.weights)).filter(|file| file.is_file());
    wanted.map_or_else(|| Ok(folder.best_weights()?), Ok)
}

/// The configuration that the weights were trained under, as far as it is known, with what the protocol says and what was
/// typed over it; and how long the evaluation lasts.
fn config(arguments: &EvalArguments, path: &RunPath, read: &Weights) -> Result<(Config, EvaluationLength), Failure> {
    let source = weights::source(&arguments.run, path, read)?;
    let mut overrides = weights::overrides(&arguments.settings, arguments.seed.as_deref(), arguments.epsilon)?;
    // An evaluation has a device of its own, not that of the run.
    let device = arguments.device.as_deref().or((!weights::gives(&overrides, "run.device")).then_some("auto"));
    overrides.extend(device.map(|device| Override::flag("--device", "run.device", device)));
    let episodes = arguments.episodes.as_deref();
    overrides.extend(episodes.map(|episodes| Override::typed("--episodes", "evaluation.episodes", episodes)));
    let given = weights::config(&source, &overrides)?;
    // The other notes are about training.
    for note in given.notes().iter().filter(|note| matches!(note, Note::GivenTwice { .. })) {
        let _ = writeln!(io::stderr(), "{note}");
    }
    let typed = |key: &str| weights::gives(&overrides, key);
    let config = match arguments.protocol {
        Some(protocol) => protocol.configure(&given, typed)?,
        None => given,
    };
    let games = arguments.protocol.and_then(|protocol| protocol.new_games(config.agent().network.layers));
    let length = match (arguments.steps, games) {
        (Some(steps), _) => EvaluationLength::Phase(AgentSteps(steps.into())),
        (None, Some(games)) if !typed("evaluation.episodes") => games.length,
        _ => EvaluationLength::Games(config.evaluation().episodes),
    };
    Ok((config, length))
}

/// Adds the evaluation to the run's table, at the step that the weights are of.
fn append(
    folder: &RunFolder,
    label: &str,
    config: &Config,
    weights: &Weights,
    scores: Vec<f64>,
) -> Result<(), Failure> {
    let at = weights.metadata(prism::POSITION_KEY).and_then(|text| serde_json::from_str(text).ok());
    let Some(at) = at else {
        return Err(Failure::outside(anyhow::anyhow!("these weights do not say at which agent step they were saved")));
    };
    let record = EvaluationRecord { scores, epsilon: config.evaluation().epsilon, at };
    append_evaluation(folder, label, &record)?;
    Ok(())
}
