//! Trains DQN on Catch until it catches nearly every ball, then scores its best weights.
//!
//! ```text
//! cargo run --release --example catch
//! ```

use std::path::Path;

use prism::{Config, Environments, Interrupt, Place, Run, RunFolder, SavedWeights, Statistics};
use prism_environment::Seed;
use prism_model::Weights;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A preset, with one of its settings changed. `prism settings` lists them all.
    let config = Config::preset("catch")?.with("learning.gamma", 0.98)?.with_run(Seed(1), "auto")?;

    let environments = Environments::of(config.environment(), None)?;
    let run = Run::new(&config, environments, Place::In("runs".into()))?;
    let folder = run.folder().path().to_owned();
    let summary = run.go()?;
    println!("{:?} after {} games", summary.ending, summary.episodes);

    let games = score(&config, &folder)?;
    println!("{}", Statistics::of(&games));
    Ok(())
}

/// Plays whole games with the best weights of a run.
fn score(config: &Config, folder: &Path) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let weights = Weights::read(&RunFolder::open(folder)?.weights(SavedWeights::Best))?;
    let environments = Environments::of(config.environment(), None)?;
    let games = prism::evaluate(config, &environments, &weights, &Interrupt::default(), &mut |_| {})?;
    Ok(games.scores())
}
