//! The runs of a sweep: presets × variants × games × seeds.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use toml::Value;

use super::error::SweepError;
use super::file::{Setting, SweepFile, Variant, is_folder_letter};
use crate::config::{Config, Override, SettingsError, Source, near_matches};

/// How many names an error lists.
const LISTED: usize = 10;

/// Every run that a sweep's file asks for.
#[derive(Debug)]
pub struct Sweep {
    /// The folder that holds those of the runs.
    pub out: PathBuf,
    /// How many runs go on at a time, where the file says so.
    pub jobs: Option<NonZeroUsize>,
    /// Options of Slurm's `sbatch` for each run.
    pub slurm: Vec<String>,
    /// The runs, seeds in the innermost order; at least one.
    pub runs: Vec<PlannedRun>,
}

/// A run of a sweep.
#[derive(Clone, Debug)]
pub struct PlannedRun {
    /// What it is called: its folder within that of the sweep, such as `dqn/pong-seed0`.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// The preset or the path of the configuration that it comes from.
    preset: OsString,
    /// Everything that is set beside the preset, in the order in which it is put over it.
    settings: Vec<(String, Value)>,
}

/// A combination of what a sweep's file lists.
struct Combination<'a> {
    preset: &'a str,
    variant: Option<&'a Variant>,
    game: Option<&'a Setting>,
    seed: Option<&'a Setting>,
}

impl Sweep {
    /// Reads the file at `path` and the configuration of each run. Relative paths in it begin where the file is; without
    /// `out` the runs go into the folder beside the file that has its name without the ending.
    ///
    /// # Errors
    /// When the file or the configuration of a run cannot be used.
    pub fn read(path: &Path) -> Result<Self, SweepError> {
        let file = SweepFile::read(path)?;
        let beside = path.parent().unwrap_or(Path::new(""));
        let out = match &file.out {
            Some(out) => beside.join(out),
            None if path.extension().is_some() => path.with_extension(""),
            None => {
                return Err(SweepError::Missing {
                    path: path.to_owned(),
                    key: "out",
                    expected: "the path of a folder",
                });
            }
        };
        // Where the presets stand as they can be typed: their own names, else paths from here.
        let mut presets = Vec::new();
        for (name, origin) in &file.presets {
            let refused = |source| SweepError::Preset { origin: origin.clone(), source };
            let (typed, source) = match Source::find_preset(name) {
                Ok(source) => (OsString::from(name), source),
                Err(unknown) if !names_a_file(name, beside) => return Err(refused(unknown)),
                Err(_) => {
                    let path = beside.join(name);
                    let source = Source::read(&path).map_err(refused)?;
                    (path.into_os_string(), source)
                }
            };
            presets.push((name.as_str(), typed, source));
        }
        let mut runs = Vec::new();
        let mut names = BTreeSet::new();
        for combination in combinations(&file) {
            let found = presets.iter().find(|(name, ..)| *name == combination.preset);
            let (_, typed, source) = found.expect("combinations are made of the presets");
            let run = combination.plan(&file, typed, source, &out)?;
            if !names.insert(run.name.clone()) {
                return Err(SweepError::Twice { run: run.name });
            }
            runs.push(run);
        }
        Ok(Self { out, jobs: file.jobs, slurm: file.slurm, runs })
    }

    /// The run called `name`.
    ///
    /// # Errors
    /// [`SweepError::NoSuchRun`].
    pub fn run(&self, name: &str) -> Result<&PlannedRun, SweepError> {
        let found = self.runs.iter().find(|run| run.name == name);
        found.ok_or_else(|| {
            let names = || self.runs.iter().map(|run| run.name.as_str());
            let mut runs: Vec<String> = names().take(LISTED).map(str::to_owned).collect();
            runs.extend((self.runs.len() > LISTED).then(|| "...".to_owned()));
            SweepError::NoSuchRun { name: name.to_owned(), near: near_matches(name, names()), runs }
        })
    }
}

/// Whether somebody means a file of their own, not a preset.
fn names_a_file(name: &str, beside: &Path) -> bool {
    let path = Path::new(name);
    path.extension().is_some() || path.components().count() > 1 || beside.join(path).exists()
}

fn combinations(file: &SweepFile) -> impl Iterator<Item = Combination<'_>> {
    /// All of a list, or none once where it is empty.
    fn each<T>(list: &[T]) -> Vec<Option<&T>> {
        if list.is_empty() { vec![None] } else { list.iter().map(Some).collect() }
    }
    file.presets.iter().flat_map(move |(preset, _)| {
        each(&file.variants).into_iter().flat_map(move |variant| {
            each(&file.games).into_iter().flat_map(move |game| {
                each(&file.seeds).into_iter().map(move |seed| Combination { preset, variant, game, seed })
            })
        })
    })
}

impl Combination<'_> {
    fn plan(&self, file: &SweepFile, typed: &OsString, source: &Source, out: &Path) -> Result<PlannedRun, SweepError> {
        // What is named last wins: a variant over what all runs have, and the lists over both.
        let of_variant = self.variant.map_or(&[][..], |variant| &variant.settings);
        let settings: Vec<&Setting> =
            file.settings.iter().chain(of_variant).chain(self.game).chain(self.seed).collect();
        let overrides: Vec<Override> = settings.iter().map(|setting| setting.to_override()).collect();
        let label = self.label(file, &source.name);
        let refused = |source: SettingsError| SweepError::Settings { runs: label.clone(), source };
        let config = Config::read(source, &overrides).map_err(refused)?;
        let name = format!("{label}/{}-seed{}", config.environment().kind.name(), config.run().seed.0);
        Ok(PlannedRun {
            folder: out.join(&name),
            name,
            config,
            preset: typed.clone(),
            settings: settings.into_iter().map(|setting| (setting.key.clone(), setting.value.clone())).collect(),
        })
    }

    /// The folder of the runs that differ in game and seed alone: preset and variant, the preset where there is but one.
    fn label(&self, file: &SweepFile, preset: &str) -> String {
        let preset = preset.replace(|letter| !is_folder_letter(letter), "-");
        match self.variant {
            Some(variant) if file.presets.len() == 1 => variant.name.clone(),
            Some(variant) => format!("{preset}-{}", variant.name),
            None => preset,
        }
    }
}

impl PlannedRun {
    /// The arguments of `prism` that begin it.
    pub fn train(&self) -> Vec<OsString> {
        let mut arguments = vec!["train".into(), self.preset.clone()];
        arguments.extend(typed(self.settings.iter().map(|(key, value)| (key.as_str(), value))));
        arguments.extend(["--out".into(), self.folder.clone().into_os_string()]);
        arguments
    }

    /// The arguments of `prism` that go on with it, with `changes` to its settings.
    pub fn resume(&self, changes: &[(&'static str, Value)]) -> Vec<OsString> {
        let mut arguments = vec!["resume".into(), self.folder.clone().into_os_string()];
        arguments.extend(typed(changes.iter().map(|(key, value)| (*key, value))));
        arguments
    }
}

/// Settings as `--set` takes them.
fn typed<'a>(settings: impl Iterator<Item = (&'a str, &'a Value)>) -> impl Iterator<Item = OsString> {
    settings.flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")]).map(OsString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(text: &str) -> Result<Sweep, SweepError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.toml");
        std::fs::write(&path, text).unwrap();
        Sweep::read(&path)
    }

    fn names(text: &str) -> Vec<String> {
        sweep(text).unwrap().runs.into_iter().map(|run| run.name).collect()
    }

    #[test]
    fn runs_are_all_combinations_in_folders_of_their_own() {
        assert_eq!(names("preset = \"catch\""), ["catch/catch-seed0"]);
        assert_eq!(names("preset = \"catch\"\nseeds = \"3..4\""), ["catch/catch-seed3", "catch/catch-seed4"]);
        let two =
            "presets = [\"catch\", \"cartpole\"]\nseeds = [7]\n[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"";
        let expected =
            ["catch-a/catch-seed7", "catch-b/catch-seed7", "cartpole-a/cartpole-seed7", "cartpole-b/cartpole-seed7"];
        assert_eq!(names(two), expected);
        let games = "preset = \"dqn\"\ngames = [\"pong\", \"ALE/SpaceInvaders-v5\"]\nseeds = 1";
        assert_eq!(names(games), ["dqn/pong-seed1", "dqn/space_invaders-seed1"]);
        let groups = names("preset = \"dqn\"\ngames = [\"atari-26\", \"zaxxon\"]");
        assert_eq!(
            (groups.len(), groups[0].as_str(), groups[26].as_str()),
            (27, "dqn/alien-seed0", "dqn/zaxxon-seed0")
        );
        let twice = sweep("preset = \"dqn\"\ngames = [\"pong\", \"ALE/Pong-v5\"]").unwrap_err();
        assert!(matches!(&twice, SweepError::Twice { run } if run == "dqn/pong-seed0"), "{twice}");
    }

    #[test]
    fn a_variants_settings_are_put_over_those_of_all_runs() {
        let text = "preset = \"catch\"\nseeds = 5\n[set]\n\"learning.gamma\" = 0.5\nlearning.n_step = 2\n\
                    [[variants]]\nname = \"n3\"\nset = { learning.n_step = 3 }\n[[variants]]\nname = \"plain\"";
        let sweep = sweep(text).unwrap();
        let values = |run: &PlannedRun| {
            let learning = &run.config.to_table()["learning"];
            (learning["gamma"].as_float().unwrap(), learning["n_step"].as_integer().unwrap())
        };
        assert_eq!(sweep.runs.iter().map(values).collect::<Vec<_>>(), [(0.5, 3), (0.5, 2)]);
        let arguments: Vec<_> =
            sweep.runs[0].train().into_iter().map(|argument| argument.into_string().unwrap()).collect();
        let expected = [
            "train",
            "catch",
            "--set",
            "learning.n_step=2",
            "--set",
            "learning.gamma=0.5",
            "--set",
            "learning.n_step=3",
            "--set",
            "run.seed=5",
            "--out",
        ];
        assert_eq!(arguments[..expected.len()], expected);
    }
}
