//! Distributions that a run recorded for its fixed observations: reading them and choosing what to draw.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use prism_runs::{DISTRIBUTIONS, DistributionRow as Row, RecordedRun, complete_lines};

use crate::bars::{BestAction, DistributionRow, distribution_grid_beside, q_over_best_beside};
use crate::error::{ReportError, UnknownName, find};
use crate::figure::Svg;
use crate::group::title;
use crate::observations::{self, Image};

/// Moments that are drawn of one observation unless others are asked for.
const MOMENTS: usize = 5;

/// What is drawn of each observation or moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Show {
    /// The distribution of every action.
    #[default]
    Actions,
    /// Every action's q-value over the distribution of the best action.
    Best,
}

impl Show {
    /// Every value.
    pub const ALL: [Self; 2] = [Self::Actions, Self::Best];

    /// Its name in arguments.
    pub fn name(self) -> &'static str {
        match self {
            Self::Actions => "actions",
            Self::Best => "best",
        }
    }

    /// Its meaning, in a line.
    pub fn description(self) -> &'static str {
        match self {
            Self::Actions => "The distribution of every action",
            Self::Best => "Every action's q-value over the distribution of the best action",
        }
    }
}

impl fmt::Display for Show {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Show {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        find(text, &Self::ALL, Self::name)
    }
}

/// Which distributions are in a figure.
#[derive(Clone, Debug)]
pub struct DistributionOptions {
    /// The folder of a run.
    pub run: PathBuf,
    /// One observation at several moments, instead of all at one moment.
    pub observation: Option<usize>,
    /// Moments, by the number of updates made; none for the last one, or for five spread over the run where there is one
    /// observation.
    pub updates: Vec<u64>,
    /// What is drawn of each.
    pub show: Show,
}

/// All actions of one observation at one moment.
#[derive(Clone, Debug, PartialEq)]
struct Snapshot {
    update: u64,
    observation: usize,
    /// `[A]`.
    q_values: Vec<f64>,
    /// `[A][K]`.
    probabilities: Vec<Vec<f64>>,
    /// The atoms of each action, `[A][K]`.
    atoms: Vec<Vec<f64>>,
}

/// Draws distributions that a run recorded: all observations at one moment, or one observation at several.
///
/// # Errors
/// When the folder is no run, has no distributions, or not those asked for.
pub fn distributions(options: &DistributionOptions) -> Result<Svg, ReportError> {
    let run = RecordedRun::open(&options.run)?;
    let path = run.path.join(DISTRIBUTIONS);
    let snapshots = read(&path)?;
    let chosen = choose(&snapshots, options, &path)?;
    let row_title = |snapshot: &Snapshot| match options.observation {
        Some(_) => format!("update {}", snapshot.update),
        None => format!("observation {}", snapshot.observation),
    };
    let what = match options.observation {
        Some(observation) => format!("observation {observation}"),
        None => format!("update {}", chosen[0].update),
    };
    let title = format!("{}: {what}", title(&run));
    let support = &chosen[0].atoms[0];
    let actions = action_names(&run.actions, chosen[0].q_values.len());
    let images = images(&run, &snapshots, &chosen)?;
    Ok(match options.show {
        Show::Actions => {
            let rows: Vec<DistributionRow> = chosen
                .iter()
                .map(|snapshot| DistributionRow {
                    title: row_title(snapshot),
                    probabilities: snapshot.probabilities.clone(),
                    q_values: snapshot.q_values.clone(),
                })
                .collect();
            distribution_grid_beside(images, &title, support, &actions, &rows)
        }
        Show::Best => {
            let moments: Vec<BestAction> = chosen
                .iter()
                .map(|snapshot| BestAction {
                    title: row_title(snapshot),
                    q_values: snapshot.q_values.clone(),
                    probabilities: snapshot.best().to_vec(),
                })
                .collect();
            q_over_best_beside(images, &title, support, &actions, &moments)
        }
    })
}

/// The `names` of `count` actions, or their numbers where the names are of other actions.
fn action_names(names: &[String], count: usize) -> Vec<String> {
    if names.len() == count { names.to_vec() } else { (0..count).map(|action| format!("action {action}")).collect() }
}

/// The picture of the observation of each of the `chosen` snapshots, once where it is the same in all; none where the run
/// has no pictures.
fn images(run: &RecordedRun, snapshots: &[Snapshot], chosen: &[&Snapshot]) -> Result<Vec<Image>, ReportError> {
    let count = snapshots.iter().map(|snapshot| snapshot.observation + 1).max().unwrap_or(0);
    let images = observations::read(&run.path.join(observations::FILE), count)?;
    if images.is_empty() {
        return Ok(images);
    }
    let mut shown: Vec<usize> = chosen.iter().map(|snapshot| snapshot.observation).collect();
    shown.dedup();
    Ok(shown.into_iter().map(|observation| images[observation].clone()).collect())
}

impl Snapshot {
    /// The distribution of the action with the highest q-value.
    fn best(&self) -> &[f64] {
        let values = self.q_values.iter().zip(&self.probabilities).rev();
        values.max_by(|left, right| left.0.total_cmp(right.0)).expect("a snapshot has actions").1
    }

    /// Whether every action has probabilities over the same atoms, and a mean among them.
    fn has_distributions(&self) -> bool {
        let support = &self.atoms[0];
        let (lowest, highest) = (support[0], support[support.len() - 1]);
        // Means are rounded.
        let room = 1e-3 * (highest - lowest);
        support.is_sorted_by(|left, right| left < right)
            && support.len() > 1
            && self.atoms.iter().all(|atoms| atoms == support)
            && self.probabilities.iter().all(|row| row.iter().any(|&probability| probability > 0.0))
            && self.q_values.iter().all(|&q| (lowest - room..=highest + room).contains(&q))
    }

    /// Whether it has all actions and atoms that `first` has.
    fn is_complete_like(&self, first: &Self) -> bool {
        self.atoms == first.atoms
    }
}

/// The snapshots in the file at `path`, in its order, without one that is still being written.
fn read(path: &Path) -> Result<Vec<Snapshot>, ReportError> {
    if !path.exists() {
        return Err(ReportError::NoDistributions(path.to_owned()));
    }
    let malformed = |reason: String| ReportError::Malformed { path: path.to_owned(), reason };
    let text = complete_lines(path)?;
    let mut snapshots: Vec<Snapshot> = Vec::new();
    for (number, row) in (2..).zip(csv::Reader::from_reader(text.as_bytes()).deserialize()) {
        let row: Row = row.map_err(|error| malformed(error.to_string()))?;
        if !(0.0..=1.0).contains(&row.probability) || !row.q.is_finite() || !row.atom.is_finite() {
            let reason = format!(
                "line {number} has probability {}, atom {} and q {}, which is no distribution",
                row.probability, row.atom, row.q
            );
            return Err(malformed(reason));
        }
        let new = snapshots.last().is_none_or(|last| (last.update, last.observation) != (row.update, row.observation));
        if new {
            snapshots.push(Snapshot {
                update: row.update,
                observation: row.observation,
                q_values: Vec::new(),
                probabilities: Vec::new(),
                atoms: Vec::new(),
            });
        }
        let snapshot = snapshots.last_mut().expect("there is one now");
        if row.action == snapshot.q_values.len() {
            snapshot.q_values.push(row.q);
            snapshot.probabilities.push(Vec::new());
            snapshot.atoms.push(Vec::new());
        }
        if row.action + 1 != snapshot.q_values.len() {
            return Err(malformed(format!("line {number} has action {} out of order", row.action)));
        }
        snapshot.probabilities[row.action].push(f64::from(row.probability));
        snapshot.atoms[row.action].push(row.atom);
    }
    if snapshots.len() > 1 && !snapshots[snapshots.len() - 1].is_complete_like(&snapshots[0]) {
        snapshots.pop();
    }
    let Some(first) = snapshots.first() else {
        return Err(ReportError::Empty { path: path.to_owned(), missing: "distributions" });
    };
    match snapshots.iter().find(|snapshot| !snapshot.is_complete_like(first) || !snapshot.has_distributions()) {
        None => Ok(snapshots),
        Some(Snapshot { update, observation, .. }) => Err(malformed(format!(
            "update {update}, observation {observation} does not have the same atoms for each action, with probabilities and their mean"
        ))),
    }
}

/// The snapshots to draw.
fn choose<'a>(
    snapshots: &'a [Snapshot],
    options: &DistributionOptions,
    path: &Path,
) -> Result<Vec<&'a Snapshot>, ReportError> {
    let among: Vec<&Snapshot> = snapshots
        .iter()
        .filter(|snapshot| options.observation.is_none_or(|observation| observation == snapshot.observation))
        .collect();
    if let Some(observation) = options.observation
        && among.is_empty()
    {
        let last = snapshots.iter().map(|snapshot| snapshot.observation).max().expect("there are snapshots");
        return Err(ReportError::UnknownObservation { observation, last, path: path.to_owned() });
    }
    let mut recorded: Vec<u64> = among.iter().map(|snapshot| snapshot.update).collect();
    recorded.dedup();
    if let Some(&update) = options.updates.iter().find(|update| !recorded.contains(update)) {
        return Err(ReportError::UnknownUpdate { update, recorded: listed(&recorded), path: path.to_owned() });
    }
    let updates = match (options.observation, options.updates.as_slice()) {
        (None, []) => vec![recorded[recorded.len() - 1]],
        (Some(_), []) => spread_out(recorded.len(), MOMENTS).into_iter().map(|index| recorded[index]).collect(),
        (None, updates) if updates.len() > 1 => return Err(ReportError::TooManyMoments(updates.len())),
        (_, updates) => updates.to_vec(),
    };
    Ok(among.into_iter().filter(|snapshot| updates.contains(&snapshot.update)).collect())
}

/// Up to `most` of the numbers below `count`, evenly spread, first and last included.
fn spread_out(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|index| (index * (count - 1) + (most - 1) / 2) / (most - 1)).collect()
}

/// Numbers for a message: all where they are few, else the first ones and the last.
fn listed(numbers: &[u64]) -> String {
    let shown: Vec<String> = numbers.iter().map(u64::to_string).collect();
    match shown.as_slice() {
        [first, second, third, .., last] if shown.len() > 8 => {
            format!("{} of them, {first}, {second}, {third} and so on to {last}", shown.len())
        }
        _ => shown.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "update,observation,action,atom,probability,q\n";

    fn read_text(text: &str) -> Result<Vec<Snapshot>, ReportError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DISTRIBUTIONS);
        std::fs::write(&path, format!("{HEADER}{text}")).unwrap();
        read(&path)
    }

    /// Two actions over the atoms 0 and 1.
    fn snapshot(update: u64, observation: usize) -> String {
        let row = |action, atom, probability, q| format!("{update},{observation},{action},{atom},{probability},{q}\n");
        [row(0, 0, 0.25, 0.75), row(0, 1, 0.75, 0.75), row(1, 0, 0.5, 0.5), row(1, 1, 0.5, 0.5)].concat()
    }

    #[test]
    fn rows_become_snapshots_and_the_one_being_written_is_left_out() {
        let whole = snapshot(100, 0) + &snapshot(100, 1);
        let snapshots = read_text(&whole).unwrap();
        assert_eq!(snapshots.len(), 2);
        assert_eq!(snapshots[1].observation, 1);
        assert_eq!(snapshots[0].q_values, [0.75, 0.5]);
        assert_eq!(snapshots[0].probabilities, [[0.25, 0.75], [0.5, 0.5]]);
        assert_eq!(snapshots[0].atoms[0], [0.0, 1.0]);
        for cut in [3, 25, 50] {
            let begun = whole.clone() + &snapshot(200, 0);
            assert_eq!(read_text(&begun[..begun.len() - cut]).unwrap(), snapshots, "{cut} bytes short");
        }
    }

    #[test]
    fn what_is_no_distribution_is_refused_by_its_line() {
        let cases = [
            (snapshot(1, 0).replace("0.25", "NaN"), "line 2 has probability NaN"),
            (snapshot(1, 0).replace("1,0,1,0,", "1,0,3,0,"), "line 4 has action 3"),
            (snapshot(1, 0) + "2,0,0,0,1,0\n" + &snapshot(3, 0), "update 2, observation 0"),
            (snapshot(1, 0).replace(",0.5,0.5", ",0,0.5"), "update 1, observation 0"),
            (snapshot(1, 0).replace(",0.75\n", ",7\n"), "update 1, observation 0"),
            (snapshot(1, 0).replace("0.25", "some"), "line: 2"),
        ];
        for (text, expected) in cases {
            let message = read_text(&text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        assert!(read_text("").unwrap_err().to_string().contains("has no distributions yet"));
    }

    fn updates(observation: Option<usize>, updates: &[u64]) -> Result<Vec<(u64, usize)>, String> {
        let text: String = (1..=9).flat_map(|update| [snapshot(100 * update, 0), snapshot(100 * update, 1)]).collect();
        let snapshots = read_text(&text).unwrap();
        let options =
            DistributionOptions { run: PathBuf::new(), observation, updates: updates.to_vec(), show: Show::Actions };
        let chosen = choose(&snapshots, &options, Path::new("file")).map_err(|error| error.to_string())?;
        Ok(chosen.into_iter().map(|snapshot| (snapshot.update, snapshot.observation)).collect())
    }

    #[test]
    fn rows_are_observations_at_one_moment_or_moments_of_one_observation() {
        assert_eq!(updates(None, &[]).unwrap(), [(900, 0), (900, 1)]);
        assert_eq!(updates(None, &[300]).unwrap(), [(300, 0), (300, 1)]);
        assert_eq!(updates(Some(1), &[300, 500]).unwrap(), [(300, 1), (500, 1)]);
        assert_eq!(updates(Some(0), &[]).unwrap(), [(100, 0), (300, 0), (500, 0), (700, 0), (900, 0)]);
    }

    #[test]
    fn actions_have_the_names_of_the_run_or_numbers() {
        let names = ["NOOP", "FIRE"].map(str::to_owned);
        assert_eq!(action_names(&names, 2), names);
        assert_eq!(action_names(&names, 3), ["action 0", "action 1", "action 2"]);
        assert_eq!(action_names(&names, 1), ["action 0"]);
        assert_eq!(action_names(&[], 1), ["action 0"]);
    }

    #[test]
    fn what_was_not_recorded_is_named_with_what_was() {
        assert!(updates(None, &[100, 200]).unwrap_err().contains("one observation"));
        assert!(updates(None, &[150]).unwrap_err().contains("9 of them, 100, 200, 300 and so on to 900"));
        assert!(updates(Some(2), &[]).unwrap_err().contains("observations 0 to 1"));
    }
}
