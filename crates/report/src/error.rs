//! Why a figure cannot be drawn or written.

use std::path::PathBuf;

use prism_runs::ReadError;
use thiserror::Error;

/// An unknown name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{name}` is none of {known}")]
pub struct UnknownName {
    /// What was given.
    pub name: String,
    /// The known names, with commas between.
    pub known: String,
}

/// The value among `all` that has this name.
pub(crate) fn find<T: Copy>(name: &str, all: &[T], called: impl Fn(T) -> &'static str) -> Result<T, UnknownName> {
    all.iter().copied().find(|&one| called(one) == name).ok_or_else(|| UnknownName {
        name: name.to_owned(),
        known: all.iter().map(|&one| called(one)).collect::<Vec<_>>().join(", "),
    })
}

/// Why a figure or a table cannot be made or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A run cannot be read.
    #[error(transparent)]
    Run(#[from] ReadError),
    /// A file of a run cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file does not have the form that runs write.
    #[error("{}: {reason}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// A run has not written anything to draw.
    #[error("{} has no {missing} yet", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        missing: &'static str,
    },
    /// A run that has no distributions.
    #[error("there is no {}: only runs that learn distributions of returns write it", .0.display())]
    NoDistributions(PathBuf),
    /// Scores of different environments, which do not compare.
    #[error(
        "scores of different environments do not belong in one picture: {} plays {first}, {} plays {second}",
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
    #[error("these runs average their scores over different numbers of games ({first} and {second})")]
    Windows {
        /// One number.
        first: usize,
        /// Another.
        second: usize,
    },
    /// A label for a run that is not in the figure.
    #[error("the label `{name}` is for {}, which is not among the runs", .path.display())]
    LabelWithoutRun {
        /// The label.
        name: String,
        /// The run.
        path: PathBuf,
    },
    /// A label that joins scores of different protocols, which do not compare.
    #[error("the label `{name}` joins scores of the protocols {first} and {second}, which have no common mean")]
    Protocols {
        /// The label.
        name: String,
        /// One protocol.
        first: String,
        /// Another.
        second: String,
    },
    /// Scores that were earned under different rules.
    #[error("these scores were earned under different rules ({first}; {second}), and nothing over both means anything")]
    Rules {
        /// Protocol of one run, with the epsilon of an evaluation.
        first: String,
        /// That of another.
        second: String,
    },
    /// More lines than can be told apart.
    #[error("{count} groups of runs are more than the {most} that can be told apart in one picture")]
    TooManyGroups {
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// An observation that was not recorded.
    #[error("observation {observation} is not in {}: it has observations 0 to {last}", .path.display())]
    UnknownObservation {
        /// What was asked for.
        observation: usize,
        /// The highest there is.
        last: usize,
        /// The file.
        path: PathBuf,
    },
    /// An update that was not recorded.
    #[error("update {update} is not in {}: it has {recorded}", .path.display())]
    UnknownUpdate {
        /// What was asked for.
        update: u64,
        /// Those there are.
        recorded: String,
        /// The file.
        path: PathBuf,
    },
    /// Several moments of several observations.
    #[error("{0} updates of every observation do not fit one picture: one update or one observation does")]
    TooManyMoments(usize),
}
