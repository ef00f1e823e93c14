//! Scores of a run, and what they are drawn against.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use prism_runs::{EPISODES, RecordedRun, TIMING, TRAIN};

use crate::curve::{Curve, trailing_mean};
use crate::error::{ReportError, UnknownName, find};

/// What a score is drawn against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Against {
    /// Wall-clock time since the start.
    Time,
    /// Games that have ended.
    Episodes,
    /// Agent steps of all environments.
    #[default]
    Steps,
    /// Emulator frames of all environments.
    Frames,
    /// Updates of the network.
    Updates,
}

impl Against {
    /// Every value.
    pub const ALL: [Self; 5] = [Self::Time, Self::Episodes, Self::Steps, Self::Frames, Self::Updates];

    /// Its name in arguments.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Episodes => "episodes",
            Self::Steps => "steps",
            Self::Frames => "frames",
            Self::Updates => "updates",
        }
    }

    /// Its meaning, in a line.
    pub fn description(self) -> &'static str {
        match self {
            Self::Time => "Wall-clock time since the start",
            Self::Episodes => "Games that have ended",
            Self::Steps => "Agent steps of all environments",
            Self::Frames => "Emulator frames of all environments",
            Self::Updates => "Updates of the network",
        }
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Against {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        find(text, &Self::ALL, Self::name)
    }
}

/// The trailing mean score of a run. Games that ended after the last record of the clock or of updates have no place on
/// those axes yet and are left out.
pub(crate) fn score_curve(run: &RecordedRun, against: Against, window: usize) -> Result<Curve, ReportError> {
    let episodes = run.table(EPISODES)?;
    let agent_steps = episodes.column("agent_steps")?;
    let positions: Vec<Option<f64>> = match against {
        Against::Episodes => episodes.column("episode")?.iter().copied().map(Some).collect(),
        Against::Steps => agent_steps.iter().copied().map(Some).collect(),
        Against::Frames => episodes.column("frames")?.iter().copied().map(Some).collect(),
        Against::Time => {
            let clock = clock(run)?;
            agent_steps.iter().map(|&steps| clock.at(steps)).collect()
        }
        Against::Updates => {
            let updates = updates(run)?;
            agent_steps.iter().map(|&steps| updates.at(steps)).collect()
        }
    };
    let means = trailing_mean(episodes.column("score")?, window);
    let skipped = first_game(means.len(), window) - 1;
    let placed = positions.into_iter().zip(means).skip(skipped);
    let points: Vec<(f64, f64)> = placed.filter_map(|(position, mean)| Some((position?, mean))).collect();
    if points.is_empty() {
        let missing = match against {
            Against::Time => "games that ended before its last row of timing.csv",
            Against::Updates => "games that ended before its last row of train.csv",
            _ => "games that have ended",
        };
        return Err(ReportError::Empty { path: episodes.path().to_owned(), missing });
    }
    let finite = points.iter().all(|(position, mean)| position.is_finite() && mean.is_finite());
    if !points.is_sorted_by(|left, right| left.0 <= right.0) || !finite {
        let reason = "its games are not in the order in which they ended, or have no place or no score".to_owned();
        return Err(ReportError::Malformed { path: episodes.path().to_owned(), reason });
    }
    Ok(Curve::new(points))
}

/// The game at which a curve of `games` begins: means of very few games vary the most and mean the least.
fn first_game(games: usize, window: usize) -> usize {
    if games > window { window.div_ceil(10) } else { 1 }
}

/// Seconds since the start, by agent steps.
pub(crate) fn clock(run: &RecordedRun) -> Result<Curve, ReportError> {
    let timing = run.table(TIMING)?;
    let rows = timing.column("agent_steps")?.iter().zip(timing.column("elapsed_seconds")?);
    rising(rows.map(|(&steps, &seconds)| (steps, seconds)).chain([(0.0, 0.0)]).collect(), timing.path())
}

/// Updates made, by agent steps.
fn updates(run: &RecordedRun) -> Result<Curve, ReportError> {
    let mut points = vec![(0.0, 0.0), (run.warm_up, 0.0)];
    let mut path = run.path.clone();
    for name in [TRAIN, TIMING] {
        let table = run.table(name)?;
        let rows = table.column("agent_steps")?.iter().zip(table.column("updates")?);
        points.extend(rows.map(|(&steps, &updates)| (steps, updates)));
        path = table.path().to_owned();
    }
    // A run that is still warming up, or ended before, has no later row.
    let last = points[2..].iter().map(|point| point.0).fold(0.0, f64::max);
    points.retain(|point| point.0 <= last || !point.0.is_finite());
    rising(points, &path)
}

/// The curve through `points`, of the table at `path`, in order of their abscissas, then ordinates.
fn rising(mut points: Vec<(f64, f64)>, path: &Path) -> Result<Curve, ReportError> {
    if let Some((x, y)) = points.iter().find(|(x, y)| !x.is_finite() || !y.is_finite()) {
        let reason = format!("it has {y} at agent step {x}, where a curve needs finite numbers");
        return Err(ReportError::Malformed { path: path.to_owned(), reason });
    }
    points.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1)));
    Ok(Curve::new(points))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abscissas_are_found_by_their_names() {
        for against in Against::ALL {
            assert_eq!(against.to_string().parse(), Ok(against));
        }
        let message = "moon".parse::<Against>().unwrap_err().to_string();
        assert_eq!(message, "`moon` is none of time, episodes, steps, frames, updates");
    }

    #[test]
    fn long_curves_begin_after_a_tenth_of_the_window() {
        assert_eq!((first_game(101, 100), first_game(100, 100), first_game(5, 1)), (10, 1, 1));
    }
}
