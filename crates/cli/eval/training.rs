//! Scores of a run's own training games, under the protocols that count them.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::process::ExitCode;

use prism::{
    Config, EvaluationProtocol, EvaluationRecord, RecordedRun, RunFolder, RunPath, Source, TrainingGames,
    TrainingRecord, TrainingScores, append_evaluation,
};

use super::scored::{Evaluated, Files, Scored, Trained};
use crate::arguments::EvalArguments;
use crate::failure::Failure;

/// Scores the training games of a run, and says what they came to.
pub fn run(
    arguments: &EvalArguments,
    protocol: EvaluationProtocol,
    path: &RunPath,
    files: Files,
    output: &mut impl Write,
) -> Result<ExitCode, Failure> {
    refuse_new_games(arguments, protocol)?;
    let Some(folder) = path.folder() else {
        let named = arguments.run.display();
        let error =
            anyhow::anyhow!("{named} is in no run's folder, and protocol {protocol} scores a run's training games");
        return Err(Failure::usage(error).with_remedy("give the folder of the run"));
    };
    let which = games(arguments, protocol)?;
    let config = config(folder)?;
    let found = scores(folder, which)?;
    if found.is_empty() {
        let error = anyhow::anyhow!("no training game of the run in {} has ended yet", folder.path().display());
        return Err(Failure::outside(error).with_remedy("let it train for a while first"));
    }
    let label = |scores: &TrainingScores| protocol.label_of_training(scores, &config, which);
    let environment = config.environment().kind.name();
    let training = found.iter().map(|scores| trained(scores, label(scores))).collect();
    let evaluated = Evaluated { environment, evaluation: Some(protocol), played: None, training };
    // Files first: whoever reads what is shown may have gone away.
    files.write(&evaluated)?;
    for scores in &found {
        let record = EvaluationRecord { scores: scores.scores.clone(), epsilon: scores.at.epsilon, at: scores.at };
        if let Err(error) = append_evaluation(folder, &label(scores), &record) {
            // A run that somebody else keeps, or has put away, can be scored all the same.
            let sentence = Failure::from(error).sentence();
            let _ = writeln!(io::stderr(), "the run's own table does not have this evaluation: {sentence}");
        }
    }
    evaluated.show(arguments, None, output)?;
    Ok(ExitCode::SUCCESS)
}

/// The training games of a run that a protocol's authors publish beside their evaluations, if they do.
pub fn published(protocol: EvaluationProtocol, folder: &RunFolder) -> Result<Vec<Trained>, Failure> {
    let Some(which) = protocol.training_games() else { return Ok(Vec::new()) };
    let (config, found) = (config(folder)?, scores(folder, which)?);
    Ok(found.iter().map(|scores| trained(scores, protocol.label_of_training(scores, &config, which))).collect())
}

/// What the training games were played under: nothing that is typed for an evaluation changes it.
fn config(folder: &RunFolder) -> Result<Config, Failure> {
    Ok(Config::read(&Source::read(&folder.config())?, &[])?)
}

/// Options that are about new games mean nothing here.
fn refuse_new_games(arguments: &EvalArguments, protocol: EvaluationProtocol) -> Result<(), Failure> {
    let typed = [
        ("--weights", arguments.weights.is_some()),
        ("--steps", arguments.steps.is_some()),
        ("--epsilon", arguments.epsilon.is_some()),
        ("--seed", arguments.seed.is_some()),
        ("--set", !arguments.settings.is_empty()),
    ];
    match typed.iter().find(|(_, typed)| *typed) {
        Some((option, _)) => {
            let error =
                anyhow::anyhow!("{option} is about new games, and protocol {protocol} scores a run's training games");
            Err(Failure::usage(error).with_remedy(format!("leave out {option}, or choose another protocol")))
        }
        None => Ok(()),
    }
}

/// The games that count, as many as were asked for.
fn games(arguments: &EvalArguments, protocol: EvaluationProtocol) -> Result<TrainingGames, Failure> {
    let which = protocol.training_games().expect("a protocol without new games has training games");
    let Some(typed) = &arguments.episodes else { return Ok(which) };
    let games: NonZeroUsize = typed.parse().map_err(|_| {
        Failure::usage(anyhow::anyhow!(
            "--episodes {typed} cannot be used: expected a whole number of games, at least 1"
        ))
    })?;
    Ok(which.with_games(games))
}

fn scores(folder: &RunFolder, which: TrainingGames) -> Result<Vec<TrainingScores>, Failure> {
    let run = RecordedRun::open(folder.path()).map_err(Failure::outside)?;
    Ok(TrainingRecord::read(&run).map_err(Failure::outside)?.scores(which))
}

fn trained(scores: &TrainingScores, label: String) -> Trained {
    let TrainingScores { scores, at, .. } = scores;
    Trained {
        scored: Scored::new(label, at.epsilon, scores.clone()),
        agent_steps: at.agent_steps.0,
        frames: at.frames.0,
    }
}
