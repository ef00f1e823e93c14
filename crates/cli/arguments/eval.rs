//! What `prism eval` takes.

use std::path::PathBuf;

use clap::Args;
use prism::{EvaluationProtocol, SavedWeights};

use super::values::{one_of, whole_in};

/// Arguments of `prism eval`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism eval runs/pong-seed0-...
  prism eval runs/pong-seed0-... --episodes 100 --epsilon 0.01
  prism eval runs/pong-seed0-... --protocol rainbow
  prism eval runs/pong-seed0-... --weights latest
  prism eval runs/pong-seed0-.../weights/latest.safetensors

Scores of whole games are printed as mean, median, standard deviation, minimum and maximum. A completed evaluation also \
becomes a row of the run's evaluations.csv; from those of the run's own settings `prism export` takes the scores of a policy \
file. What departs from a protocol, in the run's environment or by --episodes, --steps, --epsilon, --weights or --set, stands \
in the name that the scores carry.")]
pub struct EvalArguments {
    /// A run folder (its best weights, else its latest), a weights file or a policy file
    pub run: PathBuf,
    /// Evaluate as the scores of a paper or program came about [default: the run's own settings]
    #[arg(long, value_name = "PROTOCOL",
        value_parser = one_of::<EvaluationProtocol>(EvaluationProtocol::ALL.map(|one| (one.name(), one.description()))))]
    pub protocol: Option<EvaluationProtocol>,
    /// Which weights of a run play [default: the protocol's; without one the best, else the latest]
    #[arg(long, value_name = "WHICH",
        value_parser = one_of::<SavedWeights>(SavedWeights::ALL.map(|one| (one.name(), one.description()))))]
    pub weights: Option<SavedWeights>,
    /// Games to play [default: the protocol's, without one the run's setting]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub episodes: Option<String>,
    /// Play whole games until they have taken this many agent steps, instead of a number of games
    #[arg(long, value_name = "N", conflicts_with = "episodes", allow_negative_numbers = true,
        value_parser = whole_in(1..=1_000_000_000))]
    pub steps: Option<u32>,
    /// Probability of a random action [default: the protocol's, without one the run's setting]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub epsilon: Option<f64>,
    /// Print the score of every game as well
    #[arg(long)]
    pub games: bool,
    /// Write the scores and their statistics to this file
    #[arg(long, value_name = "FILE.json")]
    pub json: Option<PathBuf>,
    /// Write the score of every game to this file
    #[arg(long, value_name = "FILE.csv")]
    pub csv: Option<PathBuf>,
    /// Device of the network: one that `prism devices` lists, such as flex or cuda:1 [default: auto]
    #[arg(long)]
    pub device: Option<String>,
    /// Seed of the games and of random actions: the same seed plays the same games [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<String>,
    /// Folder of ROM files, searched before ALE_ROMS_DIR and the data folder
    #[arg(long, value_name = "DIR")]
    pub roms: Option<PathBuf>,
    /// Change a setting of the run; may be given several times
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub settings: Vec<String>,
}
