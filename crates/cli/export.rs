//! `prism export`: a policy file of a run's weights, and the same policy as ONNX.

use std::io::Write;
use std::path::{Path, PathBuf};

use prism::{Config, OutputFile, POSITION_KEY, Position, RecordedRun, RunPath};
use prism_agent::Scores;
use prism_model::Weights;

use crate::arguments::ExportArguments;
use crate::failure::Failure;
use crate::weights;

/// Writes the files, and says what is in them.
pub fn run(arguments: &ExportArguments, output: &mut impl Write) -> Result<(), Failure> {
    let onnx = arguments.onnx.as_deref().map(|path| OutputFile::new(path, "onnx")).transpose()?;
    let path = RunPath::find(&arguments.run)?;
    let file = path.weights()?;
    let read = weights::read(&file)?;
    let config = Config::read(&weights::source(&arguments.run, &path, &read)?, &[])?;
    let kind = &config.environment().kind;
    let name = match (&arguments.out, &onnx) {
        (Some(name), _) => Some(name.clone()),
        (None, Some(_)) => None,
        (None, None) => Some(PathBuf::from(format!("{}.safetensors", kind.name()))),
    };
    let target = name.as_deref().map(|name| OutputFile::new(name, "safetensors")).transpose()?;
    let scores = scores(&path, &read, kind.protocol())?;
    let policy = prism::policy_file(read, kind, scores);
    // Weights that are not finite, or a network that cannot be, are refused here and not in a game.
    let whole = |error| Failure::outside(anyhow::Error::new(error).context(format!("{} cannot act", file.display())));
    prism_agent::Policy::from_bytes(policy.bytes()).map_err(whole)?;
    let bytes = match arguments.int8 {
        true => prism_agent::to_int8(policy.bytes()).map_err(whole)?,
        false => policy.bytes().to_vec(),
    };
    writeln!(output, "{} (protocol {}), {} actions", kind.name(), kind.protocol(), policy.config().actions)?;
    match scores {
        Some(Scores { games, mean, epsilon, .. }) => {
            writeln!(output, "mean score {mean:.2} of {games} games with epsilon {epsilon}")?;
        }
        None => writeln!(output, "no scores: `prism eval` has not scored these weights of the run")?,
    }
    if let (Some(target), Some(name)) = (target, name) {
        target.write(&bytes)?;
        written(output, &name, bytes.len())?;
    }
    if let (Some(onnx), Some(name)) = (onnx, &arguments.onnx) {
        let model = prism_exchange::to_onnx(&bytes).map_err(whole)?;
        onnx.write(&model)?;
        written(output, name, model.len())?;
    }
    Ok(())
}

fn written(output: &mut impl Write, name: &Path, bytes: usize) -> Result<(), Failure> {
    Ok(writeln!(output, "{} has {:.1} KB", name.display(), bytes as f64 / 1e3)?)
}

/// The last evaluation of exactly these weights that the run has.
fn scores(path: &RunPath, weights: &Weights, protocol: &str) -> Result<Option<Scores>, Failure> {
    let at: Option<Position> = weights.metadata(POSITION_KEY).and_then(|text| serde_json::from_str(text).ok());
    let (Some(folder), Some(at)) = (path.folder(), at) else { return Ok(None) };
    let run = RecordedRun::open(folder.path()).map_err(Failure::outside)?;
    let of_weights = run
        .evaluations()
        .map_err(Failure::outside)?
        .into_iter()
        .rfind(|row| (row.agent_steps, row.updates) == (at.agent_steps.0, at.updates) && row.protocol == protocol);
    Ok(of_weights.map(|row| Scores {
        games: row.episodes as u64,
        mean: row.mean,
        standard_deviation: row.standard_deviation,
        epsilon: row.epsilon,
    }))
}
