//! What can be typed for commands that read what runs have recorded: `prism plot` and `prism summarize`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use prism_report::{Against, Earned, Label, Show};

use super::values::{number_in, one_of};

/// Arguments of `prism plot`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism plot curves runs/pong-*
  prism plot diagnostics runs/pong-seed0-20260101-120000
  prism plot projection

Pictures are SVG files. A run may still be going on.")]
pub struct PlotArguments {
    /// What to draw
    #[command(subcommand)]
    pub picture: Picture,
}

/// What to draw.
#[derive(Debug, Subcommand)]
pub enum Picture {
    /// Scores of several runs; those that differ only in the seed become a mean with its spread
    Curves(CurvesArguments),
    /// Everything that the learner of a run recorded: every column of train.csv
    Diagnostics(DiagnosticsArguments),
    /// Distributions of returns that a run recorded for its fixed observations
    Distributions(DistributionsArguments),
    /// What the projection of C51 does to a normal distribution of returns
    Projection(ProjectionArguments),
}

/// Arguments of `prism plot curves`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism plot curves runs/pong-seed0-20260101-120000
  prism plot curves runs/pong-* runs/double-* --by time --out pong.svg --csv pong.csv
  prism plot curves runs/a runs/b runs/c --label dqn=runs/a --label double=runs/b --label double=runs/c

Runs that learn alike are one group, whatever their seeds: commit, device and all settings are equal but \
those of recording, evaluation, threads and the end. A label names the group of a run; groups with one \
label become one. What the groups came to is shown as a table: mean of the last games over seeds, agent \
steps to the stop score, time.")]
pub struct CurvesArguments {
    /// Run folders
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// What scores are drawn against
    #[arg(long, default_value_t, value_name = "AXIS",
        value_parser = one_of::<Against>(Against::ALL.map(|axis| (axis.name(), axis.description()))))]
    pub by: Against,
    /// Games that a score is averaged over [default: the runs' training.score_window]
    #[arg(long, value_name = "N")]
    pub window: Option<NonZeroUsize>,
    /// Name the group of a run; may be given several times
    #[arg(long = "label", value_name = "NAME=RUN")]
    pub labels: Vec<Label>,
    /// The picture
    #[arg(long, value_name = "FILE", default_value = "curves.svg")]
    pub out: PathBuf,
    /// A table of the numbers as CSV as well
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
}

/// Arguments of `prism plot diagnostics`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism plot diagnostics runs/pong-seed0-20260101-120000 --out pong-diagnostics.svg")]
pub struct DiagnosticsArguments {
    /// A run folder
    pub run: PathBuf,
    /// The picture
    #[arg(long, value_name = "FILE", default_value = "diagnostics.svg")]
    pub out: PathBuf,
}

/// Arguments of `prism plot projection`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism plot projection
  prism plot projection --reward=-6.5 --discount 0.5 --deviation 1 --out shifted.svg

The support has 51 atoms from -10 to 10.")]
pub struct ProjectionArguments {
    /// Reward of the step
    #[arg(long, value_name = "R", default_value_t = 2.0, allow_negative_numbers = true)]
    pub reward: f64,
    /// Discount of the step, 0 to 1
    #[arg(long, value_name = "D", default_value_t = 0.9, value_parser = number_in(0.0..=1.0))]
    pub discount: f64,
    /// Standard deviation of the source, whose mean is 0; 0.1 to 100
    #[arg(long, value_name = "S", default_value_t = 3.0, value_parser = number_in(0.1..=100.0))]
    pub deviation: f64,
    /// The picture
    #[arg(long, value_name = "FILE", default_value = "projection.svg")]
    pub out: PathBuf,
}

/// Arguments of `prism plot distributions`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism plot distributions runs/c51-seed0-...                   all observations, last update
  prism plot distributions runs/c51-seed0-... --updates 5000    all observations, another update
  prism plot distributions runs/c51-seed0-... --observation 2   one observation, five updates
  prism plot distributions runs/c51-seed0-... --observation 2 --updates 100,5000 --show best")]
pub struct DistributionsArguments {
    /// A run folder
    pub run: PathBuf,
    /// One of the fixed observations, from 0: rows are then updates [default: all, at one update]
    #[arg(long, value_name = "N")]
    pub observation: Option<usize>,
    /// Updates, as in distributions.csv [default: the last, or five for one observation]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    pub updates: Vec<u64>,
    /// What is drawn of each observation
    #[arg(long, default_value_t, value_parser = one_of::<Show>(Show::ALL.map(|show| (show.name(), show.description()))))]
    pub show: Show,
    /// The picture
    #[arg(long, value_name = "FILE", default_value = "distributions.svg")]
    pub out: PathBuf,
}

/// Arguments of `prism summarize`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  prism train dqn --game pong,breakout --seeds 0..4 --out runs/dqn
  prism summarize runs/dqn/* runs/c51/*
  prism summarize runs/dqn/* runs/c51/* --intervals intervals.svg --profile profile.svg
  prism summarize runs/a runs/b runs/c --label dqn=runs/a --label dqn=runs/b --csv all.csv

Runs of one agent differ in nothing but seed and game; a label names the agent of a run, and agents with \
one label become one. Scores of different protocols are refused. Over games there are the interquartile \
mean, median, mean and optimality gap of human-normalised scores, with 95 % intervals of a stratified \
bootstrap, and the probability that one agent does better than another (Agarwal et al. 2021): the numbers \
of rliable. Equal runs give equal numbers.")]
pub struct SummarizeArguments {
    /// Run folders
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Which scores of a run count
    #[arg(long, default_value_t, value_name = "WHICH",
        value_parser = one_of::<Earned>(Earned::ALL.map(|earned| (earned.name(), earned.description()))))]
    pub scores: Earned,
    /// Name the agent of a run; may be given several times
    #[arg(long = "label", value_name = "NAME=RUN")]
    pub labels: Vec<Label>,
    /// Write every number to this file
    #[arg(long, value_name = "FILE.csv")]
    pub csv: Option<PathBuf>,
    /// Draw the numbers over games with their intervals
    #[arg(long, value_name = "FILE.svg")]
    pub intervals: Option<PathBuf>,
    /// Draw for each score the share of runs above it
    #[arg(long, value_name = "FILE.svg")]
    pub profile: Option<PathBuf>,
}
