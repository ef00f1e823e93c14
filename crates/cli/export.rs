//! `prism export`: a policy file of a run's weights, and the same policy as ONNX.

use std::io::Write;
use std::path::{Path, PathBuf};

use prism::{Config, OutputFile, POSITION_KEY, Position, RecordedRun, RunPath};
use prism_agent::{PolicyError, Scores};
use prism_model::Weights;

use crate::arguments::ExportArguments;
use crate::failure::Failure;
use crate::weights;

/// Writes the files, and says what is in them.
pub fn run(arguments: &ExportArguments, output: &mut impl Write) -> Result<(), Failure> {
    let path = RunPath::find(&arguments.run)?;
    let file = path.weights()?;
    let target = |name: Option<&Path>, extension| -> Result<Option<OutputFile>, Failure> {
        Ok(name.map(|name| OutputFile::new(name, extension)?.apart_from(&file)).transpose()?)
    };
    let onnx = target(arguments.onnx.as_deref(), "onnx")?;
    let read = weights::read(&file)?;
    let config = Config::read(&weights::source(&arguments.run, &path, &read)?, &[])?;
    let kind = &config.environment().kind;
    let name = match (&arguments.out, &onnx) {
        (Some(name), _) => Some(name.clone()),
        (None, Some(_)) => None,
        (None, None) => Some(PathBuf::from(format!("{}.safetensors", kind.name()))),
    };
    if arguments.int8 && name.is_none() {
        let error = anyhow::anyhow!("--int8 is about the policy file, and only --onnx is asked for");
        return Err(Failure::usage(error).with_remedy("name the policy file with --out"));
    }
    let written = target(name.as_deref(), "safetensors")?;
    let scores = scores(&path, &read, &config)?;
    let exported = prism::policy_file(read, kind, scores);
    let policy = weights::policy(&file, &exported)?;
    let unfit = |error: PolicyError| weights::cannot_act(&file, error);
    let mut told = Vec::new();
    let mut write = |target: &OutputFile, name: &Path, bytes: &[u8]| -> Result<(), Failure> {
        target.write(bytes)?;
        told.push(format!("{} has {:.1} KB", name.display(), bytes.len() as f64 / 1e3));
        Ok(())
    };
    // Files first: whoever reads what is shown may have gone away.
    if let (Some(target), Some(name)) = (&written, &name) {
        let narrow = arguments.int8.then(|| prism_agent::to_int8(exported.bytes())).transpose().map_err(unfit)?;
        write(target, name, narrow.as_deref().unwrap_or(exported.bytes()))?;
    }
    if let (Some(target), Some(name)) = (&onnx, &arguments.onnx) {
        let model = prism_exchange::to_onnx(exported.bytes()).map_err(unfit)?;
        write(target, name, &model)?;
    }
    writeln!(output, "{} (protocol {}), {} actions", kind.name(), kind.protocol(), policy.actions())?;
    match policy.card().and_then(|card| card.scores) {
        Some(Scores { games, mean, epsilon, .. }) => {
            writeln!(output, "mean score {mean:.2}, {games} games with epsilon {epsilon}")?;
        }
        None => writeln!(output, "no scores: `prism eval` has not scored these weights of the run")?,
    }
    for line in told {
        writeln!(output, "{line}")?;
    }
    Ok(())
}

/// The last evaluation of exactly these weights that the run has: of those with the epsilon of its configuration, where there
/// are any.
fn scores(path: &RunPath, weights: &Weights, config: &Config) -> Result<Option<Scores>, Failure> {
    let at: Option<Position> = weights.metadata(POSITION_KEY).and_then(|text| serde_json::from_str(text).ok());
    let (Some(folder), Some(at)) = (path.folder(), at) else { return Ok(None) };
    let (protocol, epsilon) = (config.environment().kind.protocol(), config.evaluation().epsilon);
    let run = RecordedRun::open(folder.path()).map_err(Failure::outside)?;
    let of_weights = run
        .evaluations()
        .map_err(Failure::outside)?
        .into_iter()
        .filter(|row| (row.agent_steps, row.updates) == (at.agent_steps.0, at.updates) && row.protocol == protocol);
    // Of equals the last.
    Ok(of_weights.max_by_key(|row| row.epsilon == epsilon).map(|row| Scores {
        games: row.episodes as u64,
        mean: row.mean,
        standard_deviation: row.standard_deviation,
        epsilon: row.epsilon,
    }))
}
