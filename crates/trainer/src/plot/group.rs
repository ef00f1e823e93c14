//! Which runs are one system seen several times, and what it is called.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use super::PlotError;
use prism_runs::RecordedRun;

/// Settings that a name spells out at most; beyond that, the folder of the first run says more.
const MOST_DIFFERENCES: usize = 3;
/// Settings of a game, which the name of its protocol already tells.
const PROTOCOL_KEYS: &str = "environment.";

/// `NAME=RUN`: what the group of a run is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The name.
    pub name: String,
    /// The folder of the run.
    pub run: PathBuf,
}

impl FromStr for Label {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, run)) if !name.trim().is_empty() && !run.is_empty() => {
                Ok(Self { name: name.trim().to_owned(), run: run.into() })
            }
            _ => Err("expected NAME=RUN, such as double=runs/pong-double-seed0"),
        }
    }
}

/// Runs that differ only in the seed, or that were given one label.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) runs: Vec<RecordedRun>,
}

impl Group {
    /// What the scores of all its runs are counted under.
    pub(super) fn protocol(&self) -> &str {
        &self.runs[0].protocol
    }

    /// Its name with the number of its seeds, or of its runs where a seed occurs twice.
    pub(super) fn title(&self) -> String {
        let seeds: BTreeSet<u64> = self.runs.iter().map(|run| run.seed).collect();
        let count = self.runs.len();
        let unit = match (seeds.len() == count, count) {
            (true, 1) => "seed",
            (true, _) => "seeds",
            (false, _) => "runs",
        };
        format!("{} ({count} {unit})", self.name)
    }
}

/// Puts runs that differ only in the seed together, in the order of the first of each, and names the groups: as a label
/// says, else after the preset and, where several groups come from one preset, after the settings that differ.
///
/// # Errors
/// When a label names none of the runs, or would average scores of different protocols.
pub(super) fn groups(runs: Vec<RecordedRun>, labels: &[Label]) -> Result<Vec<Group>, PlotError> {
    let mut alike: Vec<Vec<RecordedRun>> = Vec::new();
    for run in runs {
        match alike.iter_mut().find(|others| others[0].traits == run.traits) {
            Some(others) => others.push(run),
            None => alike.push(vec![run]),
        }
    }
    let mut names: Vec<Option<&str>> = vec![None; alike.len()];
    for label in labels {
        let named = alike.iter().position(|runs| runs.iter().any(|run| run.path == label.run));
        let Some(index) = named else {
            return Err(PlotError::LabelWithoutRun { name: label.name.clone(), path: label.run.clone() });
        };
        names[index] = Some(&label.name);
    }
    let firsts: Vec<RecordedRun> = alike.iter().map(|runs| runs[0].clone()).collect();
    let mut groups: Vec<Group> = Vec::new();
    for (index, runs) in alike.into_iter().enumerate() {
        let name = names[index].map_or_else(|| own_name(index, &firsts), str::to_owned);
        match groups.iter_mut().find(|group| names[index].is_some() && group.name == name) {
            Some(group) if group.protocol() != runs[0].protocol => {
                let [first, second] = [group.protocol(), &runs[0].protocol].map(str::to_owned);
                return Err(PlotError::Protocols { name, first, second });
            }
            Some(group) => group.runs.extend(runs),
            None => groups.push(Group { name, runs }),
        }
    }
    Ok(groups)
}

/// The name of the `index`-th of `firsts`, one run of each group.
fn own_name(index: usize, firsts: &[RecordedRun]) -> String {
    let run = &firsts[index];
    let relatives: Vec<&RecordedRun> = firsts.iter().filter(|other| other.name == run.name).collect();
    let keys: BTreeSet<&String> = relatives.iter().flat_map(|other| other.traits.keys()).collect();
    let differing: Vec<&String> = keys
        .into_iter()
        .filter(|key| !key.starts_with(PROTOCOL_KEYS))
        .filter(|key| relatives.iter().any(|other| other.traits.get(*key) != run.traits.get(*key)))
        .collect();
    if differing.is_empty() {
        return run.name.clone();
    }
    if differing.len() > MOST_DIFFERENCES {
        return run.path.file_name().map_or_else(|| run.name.clone(), |folder| folder.to_string_lossy().into_owned());
    }
    let settings: Vec<String> = differing
        .into_iter()
        .map(|key| {
            let value = run.traits.get(key).map_or("none", String::as_str);
            format!("{} {value}", key.rsplit('.').next().unwrap_or(key))
        })
        .collect();
    format!("{}, {}", run.name, settings.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn run(path: &str, seed: u64, traits: &[(&str, &str)]) -> RecordedRun {
        let traits: BTreeMap<String, String> =
            traits.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        RecordedRun {
            path: path.into(),
            name: "pong".to_owned(),
            environment: "pong".to_owned(),
            protocol: "cleanrl".to_owned(),
            seed,
            device: "flex".to_owned(),
            commit: "1".to_owned(),
            actions: Vec::new(),
            config: toml::Table::new(),
            traits,
            score_window: 100,
            stop_score: None,
            warm_up: 0.0,
        }
    }

    fn titles(runs: Vec<RecordedRun>, labels: &[&str]) -> Vec<String> {
        let labels: Vec<Label> = labels.iter().map(|text| text.parse().unwrap()).collect();
        groups(runs, &labels).unwrap().iter().map(Group::title).collect()
    }

    #[test]
    fn runs_that_differ_only_in_the_seed_are_one_group() {
        let (one, three) = ([("learning.n_step", "1")], [("learning.n_step", "3")]);
        let runs = || vec![run("a", 0, &one), run("b", 0, &three), run("c", 1, &one), run("d", 2, &one)];
        assert_eq!(titles(runs(), &[]), ["pong, n_step 1 (3 seeds)", "pong, n_step 3 (1 seed)"]);
        assert_eq!(titles(runs(), &["plain=c"]), ["plain (3 seeds)", "pong, n_step 3 (1 seed)"]);
        assert_eq!(titles(runs()[..1].to_vec(), &[]), ["pong (1 seed)"]);
    }

    #[test]
    fn groups_with_one_label_are_one_group() {
        let runs = vec![run("a", 0, &[("commit", "1")]), run("b", 0, &[("commit", "2")])];
        assert_eq!(titles(runs.clone(), &[]), ["pong, commit 1 (1 seed)", "pong, commit 2 (1 seed)"]);
        assert_eq!(titles(runs, &["both=a", "both=b/"]), ["both (2 runs)"]);
    }

    #[test]
    fn what_a_protocol_tells_is_not_told_twice_and_long_lists_give_way_to_the_folder() {
        let skip = "environment.frame_skip";
        let protocol = "protocol";
        let runs = vec![
            run("a", 0, &[(skip, "4"), (protocol, "cleanrl")]),
            run("b", 0, &[(skip, "3"), (protocol, "cleanrl with frame_skip = 3")]),
        ];
        assert_eq!(
            titles(runs, &[]),
            ["pong, protocol cleanrl (1 seed)", "pong, protocol cleanrl with frame_skip = 3 (1 seed)"]
        );
        let many = [("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")];
        let runs = vec![run("runs/here", 0, &many), run("runs/there", 0, &[])];
        assert_eq!(titles(runs, &[]), ["here (1 seed)", "there (1 seed)"]);
    }

    #[test]
    fn a_label_needs_a_name_one_of_the_runs_and_one_protocol() {
        for text in ["name", "=run", "name=", " =run"] {
            assert!(text.parse::<Label>().unwrap_err().contains("NAME=RUN"), "{text}");
        }
        let other = RecordedRun { protocol: "machado".to_owned(), ..run("b", 0, &[("commit", "2")]) };
        let labels: Vec<Label> = ["x=a", "x=b"].iter().map(|text| text.parse().unwrap()).collect();
        let message = groups(vec![run("a", 0, &[]), other], &labels).unwrap_err().to_string();
        assert!(message.contains("cleanrl and machado"), "{message}");
        let label = Label { name: "x".to_owned(), run: "other".into() };
        let message = groups(vec![run("a", 0, &[])], &[label]).unwrap_err().to_string();
        assert!(message.contains("x=other"), "{message}");
    }
}
