//! Pictures of runs and speeds, as SVG in one style.
//!
//! [`learning_curves`], [`diagnostics`] and [`distributions`] read run folders, those of runs that still go on included.
//! [`speeds`] draws what [`crate::bench`] measured. [`projection`], [`distribution_grid`], [`target_and_prediction`] and
//! [`q_over_best`] draw the numbers they are given.

mod axis;
mod bars;
mod curve;
mod diagnostics;
mod distributions;
mod draw;
mod figure;
mod group;
mod learning_curves;
mod normal_projection;
mod speeds;
mod style;

use std::path::PathBuf;

use thiserror::Error;

pub use bars::{
    BestAction, Comparison, DistributionRow, Projection, distribution_grid, projection, q_over_best,
    target_and_prediction,
};
pub use diagnostics::diagnostics;
pub use distributions::{DistributionOptions, Show, distributions};
pub use figure::Svg;
pub use group::Label;
pub use learning_curves::{Against, CurveOptions, learning_curves};
pub use normal_projection::projection_of_normal;
pub use speeds::speeds;

use prism_runs::{ReadError, RunFolderError};

/// Why a picture cannot be drawn or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlotError {
    /// There is no run.
    #[error("cannot plot {}: give the folder of a run, which `prism train` names when it starts", .path.display())]
    Run {
        /// What was given.
        path: PathBuf,
        /// What is wrong with it.
        source: RunFolderError,
    },
    /// A file of a run cannot be read.
    #[error("cannot read {}, which a run writes into its folder: give a folder that is whole", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file of a run is not what a run writes.
    #[error("{}: {reason}: give a folder whose files are as the run wrote them", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// A run has not written anything to draw.
    #[error("{} has no {missing} yet: let the run go on for a while, then plot it again", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        missing: &'static str,
    },
    /// A run that has no distributions.
    #[error("there is no {}: only runs that learn distributions of returns write it", .0.display())]
    NoDistributions(PathBuf),
    /// Scores that have nothing to do with each other.
    #[error(
        "scores of different environments do not belong in one picture: {} plays {first}, {} plays {second}; \
         plot each by itself",
        .first_path.display(), .second_path.display()
    )]
    Environments {
        /// One environment.
        first: String,
        /// A run that plays it.
        first_path: PathBuf,
        /// Another.
        second: String,
        /// A run that plays that.
        second_path: PathBuf,
    },
    /// Runs whose scores are averaged over different numbers of games.
    #[error(
        "these runs average their scores over different numbers of games ({first} and {second}): \
         give one number for all with --window"
    )]
    Windows {
        /// One number.
        first: usize,
        /// Another.
        second: usize,
    },
    /// A label for a run that is not in the picture.
    #[error(
        "--label {name}={}: this run is not among those to plot: give its folder as an argument too", .path.display()
    )]
    LabelWithoutRun {
        /// The label.
        name: String,
        /// The run.
        path: PathBuf,
    },
    /// One mean over scores that do not compare.
    #[error(
        "--label {name} joins scores of the protocols {first} and {second}, which have no common mean: \
         give each its own label"
    )]
    Protocols {
        /// The label.
        name: String,
        /// One protocol.
        first: String,
        /// Another.
        second: String,
    },
    /// More lines than can be told apart.
    #[error(
        "{count} groups of runs are more than the {most} that can be told apart: plot fewer, or give some the same --label"
    )]
    TooManyGroups {
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// An observation that was not recorded.
    #[error("--observation {observation} is not in {}: it has observations 0 to {last}", .path.display())]
    UnknownObservation {
        /// What was asked for.
        observation: usize,
        /// The highest there is.
        last: usize,
        /// The file.
        path: PathBuf,
    },
    /// An update that was not recorded.
    #[error("--updates {update} is not in {}: it has {recorded}", .path.display())]
    UnknownUpdate {
        /// What was asked for.
        update: u64,
        /// Those there are.
        recorded: String,
        /// The file.
        path: PathBuf,
    },
    /// Several moments of several observations.
    #[error(
        "{0} updates of every observation do not fit one picture: give one update, or one observation with --observation"
    )]
    TooManyMoments(usize),
    /// A name that is not a picture's.
    #[error("pictures are SVG files: let the name {} end in .svg", .0.display())]
    NotSvg(PathBuf),
    /// The picture cannot be written.
    #[error("cannot write {}: give a file in a folder that exists and is writable with --out", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl From<ReadError> for PlotError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Run { path, source } => Self::Run { path, source },
            ReadError::Read { path, source } => Self::Read { path, source },
            ReadError::Malformed { path, line, reason } => {
                let place = line.map_or_else(String::new, |line| format!("line {line}: "));
                Self::Malformed { path, reason: format!("{place}{reason}") }
            }
            other => Self::Malformed { path: PathBuf::new(), reason: other.to_string() },
        }
    }
}
