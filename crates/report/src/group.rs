//! Groups of runs that differ only in the seed, and their names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::str::FromStr;

use prism_runs::RecordedRun;
use thiserror::Error;

use crate::error::ReportError;

/// The most settings that a name lists; with more, the folder of the first run is the name.
const MOST_DIFFERENCES: usize = 3;
/// Keys, and sections that end with a point, that change nothing about what is learned from a seed: what is recorded, when
/// the run ends, how its work is shared among threads. Under the names of all versions of configurations.
const BESIDE_LEARNING: [&str; 13] = [
    "diagnostics.",
    "environment.threads",
    "evaluation.",
    "run.",
    "seed",
    "training.agent_steps",
    "training.frames",
    "training.limit",
    "training.record_period",
    "training.save_period",
    "training.score_window",
    "training.stop_score",
    VERSION,
];
/// The key with the version of the configuration's vocabulary; the first version lacks it.
const VERSION: &str = "version";
/// What a run plays, which its protocol names in words.
const ENVIRONMENT: &str = "environment.";
/// The game.
const GAME: &str = "environment.game";
/// What a protocol's name does not say of an environment.
const ENVIRONMENTS: &str = "environment.count";

/// `NAME=RUN`: the name of a run's group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The name.
    pub name: String,
    /// The folder of the run.
    pub run: PathBuf,
}

/// A text that is not a [`Label`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no label: expected NAME=RUN, such as double=runs/pong-double-seed0")]
pub struct LabelError(String);

impl FromStr for Label {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, run)) if !name.trim().is_empty() && !run.is_empty() => {
                Ok(Self { name: name.trim().to_owned(), run: run.into() })
            }
            _ => Err(LabelError(text.to_owned())),
        }
    }
}

/// Runs that differ only in the seed, or that were given one label.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) runs: Vec<RecordedRun>,
}

impl Group {
    /// Protocol of the scores of all its runs.
    pub(crate) fn protocol(&self) -> &str {
        &self.runs[0].protocol
    }

    /// Its name with the number of its seeds, or of its runs where a seed occurs twice.
    pub(crate) fn title(&self) -> String {
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

/// Opens the runs in these folders; a folder that is named twice is one run.
///
/// # Errors
/// When a folder is no run.
pub(crate) fn open_each_once(folders: &[PathBuf]) -> Result<Vec<RecordedRun>, ReportError> {
    let mut seen = BTreeSet::new();
    let new = folders.iter().filter(|folder| seen.insert(folder.canonicalize().unwrap_or_else(|_| (*folder).clone())));
    Ok(new.map(|folder| RecordedRun::open(folder)).collect::<Result<_, _>>()?)
}

/// Puts runs that differ only in the seed together, in the order of the first of each, and names the groups: as a label
/// says, else after game and preset and, where several groups come from one preset, after the settings that differ.
///
/// # Errors
/// When a label names none of the runs, or would average scores of different protocols.
pub(crate) fn groups(runs: Vec<RecordedRun>, labels: &[Label]) -> Result<Vec<Group>, ReportError> {
    grouped(runs, labels, Games::Apart)
}

/// The same with the runs of one agent on several games together.
///
/// # Errors
/// As [`groups`].
pub(crate) fn agents(runs: Vec<RecordedRun>, labels: &[Label]) -> Result<Vec<Group>, ReportError> {
    grouped(runs, labels, Games::Together)
}

/// Whether runs that differ in the game are of one group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Games {
    Apart,
    Together,
}

fn grouped(runs: Vec<RecordedRun>, labels: &[Label], games: Games) -> Result<Vec<Group>, ReportError> {
    let mut alike: Vec<Vec<RecordedRun>> = Vec::new();
    for run in runs {
        match alike.iter_mut().find(|others| identity(&others[0], games) == identity(&run, games)) {
            Some(others) => others.push(run),
            None => alike.push(vec![run]),
        }
    }
    let mut names: Vec<Option<&str>> = vec![None; alike.len()];
    for label in labels {
        let named = alike.iter().position(|runs| runs.iter().any(|run| run.path == label.run));
        let Some(index) = named else {
            return Err(ReportError::LabelWithoutRun { name: label.name.clone(), path: label.run.clone() });
        };
        names[index] = Some(&label.name);
    }
    let firsts: Vec<RecordedRun> = alike.iter().map(|runs| runs[0].clone()).collect();
    let mut groups: Vec<Group> = Vec::new();
    for (index, runs) in alike.into_iter().enumerate() {
        let name = names[index].map_or_else(|| own_name(index, &firsts, games), str::to_owned);
        match groups.iter_mut().find(|group| names[index].is_some() && group.name == name) {
            Some(group) if group.protocol() != runs[0].protocol => {
                let [first, second] = [group.protocol(), &runs[0].protocol].map(str::to_owned);
                return Err(ReportError::Protocols { name, first, second });
            }
            Some(group) => group.runs.extend(runs),
            None => groups.push(Group { name, runs }),
        }
    }
    Ok(groups)
}

/// What defines a run apart from its seed: the settings that its learning depends on, with commit and device.
fn identity(run: &RecordedRun, games: Games) -> BTreeMap<&str, &str> {
    let decides = |key: &str| {
        let beside = BESIDE_LEARNING
            .iter()
            .any(|beside| if beside.ends_with('.') { key.starts_with(beside) } else { key == *beside });
        !beside && (games == Games::Apart || key != GAME)
    };
    run.traits.iter().map(|(key, value)| (key.as_str(), value.as_str())).filter(|(key, _)| decides(key)).collect()
}

/// Game and preset of a run: the preset alone where its name begins with that of the game.
pub(crate) fn title(run: &RecordedRun) -> String {
    let RecordedRun { name, environment, .. } = run;
    match name.strip_prefix(environment.as_str()) {
        Some(rest) if rest.is_empty() || rest.starts_with('-') => name.clone(),
        _ => format!("{environment}, preset {name}"),
    }
}

/// The name of the `index`-th of `firsts`, one run of each group.
fn own_name(index: usize, firsts: &[RecordedRun], games: Games) -> String {
    let run = &firsts[index];
    let title_of = |run: &RecordedRun| match games {
        Games::Apart => title(run),
        Games::Together => run.name.clone(),
    };
    let title = title_of(run);
    let relatives: Vec<&RecordedRun> = firsts.iter().filter(|other| title_of(other) == title).collect();
    let own = identity(run, games);
    let others: Vec<BTreeMap<&str, &str>> = relatives.iter().map(|other| identity(other, games)).collect();
    let keys: BTreeSet<&str> = others.iter().flat_map(|other| other.keys().copied()).collect();
    // A setting may be missing only because the file has another version of the vocabulary.
    let versions_differ = relatives.iter().any(|other| other.traits.get(VERSION) != run.traits.get(VERSION));
    let comparable = |key: &&str| !versions_differ || others.iter().all(|other| other.contains_key(key));
    let differing = keys.into_iter().filter(comparable);
    let differing = differing.filter(|key| others.iter().any(|other| other.get(key) != own.get(key)));
    let protocols_differ = relatives.iter().any(|other| other.protocol != run.protocol);
    let told_by_protocol = |key: &str| protocols_differ && key.starts_with(ENVIRONMENT) && key != ENVIRONMENTS;
    let mut settings: Vec<String> = differing
        .filter(|key| !told_by_protocol(key))
        .map(|key| format!("{} {}", key.rsplit('.').next().unwrap_or(key), own.get(key).copied().unwrap_or("none")))
        .collect();
    if protocols_differ {
        settings.push(format!("protocol {}", run.protocol));
    }
    match settings.len() {
        0 => title,
        1..=MOST_DIFFERENCES => format!("{title}, {}", settings.join(", ")),
        _ => folder_name(run, &relatives).unwrap_or(title),
    }
}

/// The last part of the path of a run's folder, or the whole path where others end in the same part.
fn folder_name(run: &RecordedRun, relatives: &[&RecordedRun]) -> Option<String> {
    let last = |run: &RecordedRun| run.path.file_name().map(|name| name.to_string_lossy().into_owned());
    let own = last(run)?;
    let alike = relatives.iter().filter(|other| last(other).as_ref() == Some(&own)).count();
    Some(if alike > 1 { run.path.display().to_string() } else { own })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(path: &str, seed: u64, traits: &[(&str, &str)]) -> RecordedRun {
        let traits: BTreeMap<String, String> =
            traits.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        RecordedRun {
            path: path.into(),
            name: "pong".to_owned(),
            environment: "pong".to_owned(),
            protocol: "cleanrl".to_owned(),
            seed,
            traits,
            score_window: 100,
            stop_score: None,
            warm_up: 0.0,
            actions: Vec::new(),
            device: String::new(),
            commit: String::new(),
            config: Default::default(),
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
        for skip in ["environment.kind.atari.config.frame_skip", "environment.frame_skip"] {
            let with = |path, skipped, protocol: &str| RecordedRun {
                protocol: protocol.to_owned(),
                ..run(path, 0, &[(skip, skipped), ("environment.protocol", "cleanrl")])
            };
            let runs = vec![with("a", "4", "cleanrl"), with("b", "3", "cleanrl with frame_skip = 3")];
            assert_eq!(
                titles(runs, &[]),
                ["pong, protocol cleanrl (1 seed)", "pong, protocol cleanrl with frame_skip = 3 (1 seed)"]
            );
        }
        let many = [("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")];
        let runs = vec![run("runs/here", 0, &many), run("runs/there", 0, &[])];
        assert_eq!(titles(runs, &[]), ["here (1 seed)", "there (1 seed)"]);
        let runs = vec![run("x/seed1", 0, &many), run("y/seed1", 0, &[])];
        assert_eq!(titles(runs, &[]), ["x/seed1 (1 seed)", "y/seed1 (1 seed)"]);
    }

    #[test]
    fn what_cannot_change_learning_does_not_split_groups() {
        let runs = vec![
            run("a", 0, &[("learning.n_step", "1"), ("training.save_period", "100"), ("training.stop_score", "null")]),
            run("b", 1, &[("learning.n_step", "1"), ("training.stop_score", "18.0"), ("training.limit", "7")]),
            run("c", 2, &[("learning.n_step", "1"), ("training.agent_steps", "9"), ("training.frames", "36")]),
            run("d", 3, &[("learning.n_step", "1"), ("training.record_period", "9"), ("environment.threads", "3")]),
            run("e", 4, &[("learning.n_step", "1"), ("diagnostics.record_period", "9"), ("evaluation.episodes", "3")]),
            RecordedRun {
                name: "mine".to_owned(),
                ..run("f", 5, &[("learning.n_step", "1"), ("run.seed", "5"), ("run.device", "auto"), ("version", "2")])
            },
        ];
        assert_eq!(titles(runs, &[]), ["pong (6 seeds)"]);
        for decisive in ["environment.count", "training.pipeline", "learning.pipeline", "device", "optimiser.kind"] {
            let runs = vec![run("a", 0, &[(decisive, "1")]), run("b", 0, &[(decisive, "2")])];
            let name = decisive.rsplit('.').next().unwrap();
            assert_eq!(titles(runs, &[]), [format!("pong, {name} 1 (1 seed)"), format!("pong, {name} 2 (1 seed)")]);
        }
    }

    #[test]
    fn settings_that_only_one_version_has_a_word_for_are_not_spelt_out() {
        let old = run("a", 0, &[("commit", "1"), ("network.output", "q-values"), ("learning.gamma", "0.99")]);
        let new =
            run("b", 0, &[("commit", "2"), ("version", "2"), ("learning.gamma", "0.9"), ("environment.stack", "4")]);
        assert_eq!(
            titles(vec![old, new], &[]),
            ["pong, commit 1, gamma 0.99 (1 seed)", "pong, commit 2, gamma 0.9 (1 seed)"]
        );
    }

    #[test]
    fn a_name_tells_game_and_preset() {
        let named = |environment: &str, name: &str| RecordedRun {
            environment: environment.to_owned(),
            name: name.to_owned(),
            ..run("a", 0, &[])
        };
        assert_eq!(titles(vec![named("pong", "pong")], &[]), ["pong (1 seed)"]);
        assert_eq!(titles(vec![named("pong", "pong-fast")], &[]), ["pong-fast (1 seed)"]);
        assert_eq!(titles(vec![named("breakout", "pong")], &[]), ["breakout, preset pong (1 seed)"]);
        assert_eq!(titles(vec![named("freeway", "dqn")], &[]), ["freeway, preset dqn (1 seed)"]);
        assert_eq!(titles(vec![named("pong", "pongo")], &[]), ["pong, preset pongo (1 seed)"]);
    }

    #[test]
    fn a_label_needs_a_name_one_of_the_runs_and_one_protocol() {
        for text in ["name", "=run", "name=", " =run"] {
            assert!(text.parse::<Label>().unwrap_err().to_string().contains("NAME=RUN"), "{text}");
        }
        let other = RecordedRun { protocol: "machado".to_owned(), ..run("b", 0, &[("commit", "2")]) };
        let labels: Vec<Label> = ["x=a", "x=b"].iter().map(|text| text.parse().unwrap()).collect();
        let message = groups(vec![run("a", 0, &[]), other], &labels).unwrap_err().to_string();
        assert!(message.contains("cleanrl and machado"), "{message}");
        let label = Label { name: "x".to_owned(), run: "other".into() };
        let message = groups(vec![run("a", 0, &[])], &[label]).unwrap_err().to_string();
        assert!(message.contains("`x`") && message.contains("other"), "{message}");
    }
}
