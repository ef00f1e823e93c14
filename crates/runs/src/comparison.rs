//! Whether two runs have the same records, byte for byte.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::folder::{RunFolder, SavedWeights};
use crate::names::{DISTRIBUTIONS, EPISODES, EVALUATIONS, TRAIN};
use crate::read_error::ReadError;
use crate::table::{complete_lines, exists};

/// How much of two runs is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of both: they ended at the same agent step.
    Whole,
    /// Their tables as far as both go.
    Common,
}

/// One record of two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The file, within the run's folder.
    pub file: &'static str,
    /// What was found.
    pub outcome: Outcome,
}

/// What comparing a record of two runs has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// So many lines, or tensors, are equal, and one run or both have no more of them.
    Equal {
        /// How many.
        count: usize,
        /// What each of them is.
        unit: &'static str,
    },
    /// A line of a table differs; none where a table has ended.
    Line {
        /// The line, from 1.
        number: usize,
        /// What the first run has.
        first: Option<String>,
        /// What the second run has.
        second: Option<String>,
    },
    /// A tensor differs, or one of the files lacks it.
    Tensor(String),
    /// One of the runs lacks the file.
    Lacking,
    /// It says nothing: why.
    NotCompared(&'static str),
}

impl Outcome {
    /// Whether something of the runs was compared: more than the names of a table's columns.
    pub fn compares(&self) -> bool {
        match self {
            Self::Equal { count, unit } => *count > usize::from(*unit == "line"),
            Self::Line { .. } | Self::Tensor(_) => true,
            Self::Lacking | Self::NotCompared(_) => false,
        }
    }

    /// Whether the record shows that the runs were not the same.
    pub fn differs(&self) -> bool {
        match self {
            Self::Equal { .. } | Self::NotCompared(_) => false,
            Self::Line { .. } | Self::Tensor(_) | Self::Lacking => true,
        }
    }
}

impl Comparison {
    /// Compares the records of the runs in two folders. What neither has is left out. Rows that `prism eval` added to the
    /// evaluations of the first are no part of it.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn of(first: &RunFolder, second: &RunFolder, extent: Extent) -> Result<Vec<Self>, ReadError> {
        let mut found = Vec::new();
        for file in [EPISODES, TRAIN, EVALUATIONS, DISTRIBUTIONS] {
            let paths = [first, second].map(|run| run.path().join(file));
            let outcome = match paths.each_ref().map(|path| exists(path)) {
                [false, false] => continue,
                [true, true] => {
                    let [first, second] = paths.map(|path| complete_lines(&path));
                    let (first, second) = (first?, second?);
                    match file {
                        EVALUATIONS => evaluations(&first, &second, extent),
                        TRAIN if extent == Extent::Common => updates(&first, &second),
                        _ => tables(first.lines(), second.lines(), extent),
                    }
                }
                // A table is made with its first row, or with the run: within a prefix there may be none.
                _ if extent == Extent::Common => Outcome::NotCompared("one of the runs has none so far"),
                _ => Outcome::Lacking,
            };
            found.push(Self { file, outcome });
        }
        let weights =
            [("weights/latest.safetensors", SavedWeights::Latest), ("weights/best.safetensors", SavedWeights::Best)];
        for (file, which) in weights {
            let paths = [first, second].map(|run| run.weights(which));
            let outcome = match paths.each_ref().map(|path| path.is_file()) {
                [false, false] => continue,
                _ if extent == Extent::Common => Outcome::NotCompared("they were saved at different agent steps"),
                [true, true] => {
                    let [first, second] = paths.each_ref().map(|path| tensors(path));
                    same_tensors(&first?, &second?)
                }
                _ => Outcome::Lacking,
            };
            found.push(Self { file, outcome });
        }
        Ok(found)
    }
}

fn tables<'a>(first: impl Iterator<Item = &'a str>, second: impl Iterator<Item = &'a str>, extent: Extent) -> Outcome {
    let (mut first, mut second) = (first.fuse(), second.fuse());
    let mut number = 0;
    loop {
        let line = (first.next(), second.next());
        match line {
            (None, None) => return Outcome::Equal { count: number, unit: "line" },
            (None, Some(_)) | (Some(_), None) if extent == Extent::Common => {
                return Outcome::Equal { count: number, unit: "line" };
            }
            (first, second) if first == second => number += 1,
            (first, second) => {
                let [first, second] = [first, second].map(|line| line.map(str::to_owned));
                return Outcome::Line { number: number + 1, first, second };
            }
        }
    }
}

/// Compares updates as far as both runs go, but for the last: a run that ends reads its results a step earlier than one that
/// goes on, when less is in replay.
fn updates(first: &str, second: &str) -> Outcome {
    let kept = first.lines().count().min(second.lines().count()).saturating_sub(1).max(1);
    tables(first.lines().take(kept), second.lines().take(kept), Extent::Common)
}

/// Compares evaluations without their numbers, which count those of `prism eval` as well.
fn evaluations(first: &str, second: &str, extent: Extent) -> Outcome {
    fn unnumbered(line: &str) -> &str {
        line.split_once(',').map_or(line, |(_, rest)| rest)
    }
    /// Which weights played, with what epsilon, how many games.
    fn key(row: &str) -> Vec<&str> {
        let cells: Vec<&str> = row.split(',').collect();
        [0, 1, 2, 4, 5].iter().filter_map(|&index| cells.get(index).copied()).collect()
    }
    let second: Vec<&str> = second.lines().map(unnumbered).collect();
    let keys: BTreeSet<Vec<&str>> = second.iter().map(|row| key(row)).collect();
    let mut taken = BTreeSet::new();
    let first: Vec<&str> = first.lines().map(unnumbered).collect();
    let own = first.into_iter().filter(|row| keys.contains(&key(row)) && taken.insert(key(row)));
    tables(own, second.iter().copied(), extent)
}

/// Name, type, shape and numbers of each tensor, in the order of their names.
type Tensors = Vec<(String, String, Vec<u8>)>;

fn tensors(path: &Path) -> Result<Tensors, ReadError> {
    let malformed = |reason: &str| ReadError::malformed(path, None, reason);
    let bytes = fs::read(path).map_err(|source| ReadError::read(path, source))?;
    let (length, rest) = bytes.split_first_chunk().ok_or_else(|| malformed("it is cut short"))?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok().filter(|&length| length <= rest.len());
    let (header, numbers) = rest.split_at(length.ok_or_else(|| malformed("it is cut short"))?);
    let header: serde_json::Map<String, Value> =
        serde_json::from_slice(header).map_err(|error| malformed(&error.to_string()))?;
    let mut tensors = Vec::new();
    for (name, about) in header.into_iter().filter(|(name, _)| name != "__metadata__") {
        let offset =
            |index: usize| about["data_offsets"][index].as_u64().and_then(|offset| usize::try_from(offset).ok());
        let range = offset(0).zip(offset(1)).and_then(|(from, to)| numbers.get(from..to));
        let range = range.ok_or_else(|| malformed(&format!("it does not hold the tensor {name}")))?;
        tensors.push((name, format!("{} {}", about["dtype"], about["shape"]), range.to_vec()));
    }
    tensors.sort();
    Ok(tensors)
}

fn same_tensors(first: &Tensors, second: &Tensors) -> Outcome {
    let differing = first.iter().zip(second).find(|(first, second)| first != second).map(|(first, _)| &first.0);
    let longer = if first.len() > second.len() { first } else { second };
    let more = (first.len() != second.len()).then(|| &longer[first.len().min(second.len())].0);
    match differing.or(more) {
        Some(name) => Outcome::Tensor(name.clone()),
        None => Outcome::Equal { count: first.len(), unit: "tensor" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(first: &str, second: &str, extent: Extent) -> Outcome {
        tables(first.lines(), second.lines(), extent)
    }

    #[test]
    fn the_first_line_that_differs_is_given() {
        let equal = |count| Outcome::Equal { count, unit: "line" };
        assert_eq!(compared("a\n1\n2\n", "a\n1\n2\n", Extent::Whole), equal(3));
        let line = |number, first: Option<&str>, second: Option<&str>| Outcome::Line {
            number,
            first: first.map(str::to_owned),
            second: second.map(str::to_owned),
        };
        assert_eq!(compared("a\n1\n2\n", "a\n1\n3\n", Extent::Common), line(3, Some("2"), Some("3")));
        assert_eq!(compared("a\n1\n2\n", "a\n1\n", Extent::Whole), line(3, Some("2"), None));
        assert_eq!(compared("a\n1\n2\n", "a\n1\n", Extent::Common), equal(2));
    }

    #[test]
    fn evaluations_of_others_are_no_part_of_a_run() {
        const NAMES: &str = "evaluation,agent_steps,frames,updates,protocol,epsilon,episodes,mean\n";
        let run = format!("{NAMES}1,100,100,9,catch,0,3,0.5\n2,200,200,19,catch,0,3,0.25\n");
        let with_more = format!(
            "{NAMES}1,100,100,9,catch,0,3,0.5\n2,100,100,9,catch,0,30,0.1\n3,200,200,19,catch,0,3,0.25\n4,200,200,19,catch,0,3,1\n"
        );
        assert_eq!(evaluations(&with_more, &run, Extent::Whole), Outcome::Equal { count: 3, unit: "line" });
        let other = run.replace("0.25", "0.75");
        assert!(evaluations(&with_more, &other, Extent::Whole).differs());
        let longer = format!("{run}3,300,300,29,catch,0,3,0.5\n");
        assert!(evaluations(&run, &longer, Extent::Whole).differs());
        assert!(!evaluations(&run, &longer, Extent::Common).differs());
    }

    #[test]
    fn the_tensor_that_differs_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str, texts: &str, numbers: [u8; 3]| {
            let header = format!(
                r#"{{"__metadata__":{{"at":"{texts}"}},"a":{{"dtype":"U8","shape":[1],"data_offsets":[0,1]}},"b":{{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}}}"#
            );
            let path = folder.path().join(name);
            let length = (header.len() as u64).to_le_bytes();
            fs::write(&path, [&length[..], header.as_bytes(), &numbers].concat()).unwrap();
            tensors(&path).unwrap()
        };
        let first = written("first", "9", [1, 2, 3]);
        assert_eq!(
            same_tensors(&first, &written("same", "10", [1, 2, 3])),
            Outcome::Equal { count: 2, unit: "tensor" }
        );
        assert_eq!(same_tensors(&first, &written("other", "9", [1, 2, 4])), Outcome::Tensor("b".to_owned()));
        assert_eq!(same_tensors(&first, &first[..1].to_vec()), Outcome::Tensor("b".to_owned()));
        fs::write(folder.path().join("short"), [9, 0, 0]).unwrap();
        assert!(tensors(&folder.path().join("short")).is_err());
    }
}
