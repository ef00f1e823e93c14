//! The configuration of a run: read, checked, changed, written.
//!
//! Every setting stands in one line of its section's file: key, range, unit, parsing and what it means.

mod choice;
mod diagnostics;
mod environment;
mod error;
mod evaluation;
mod expects;
mod exploration;
mod given;
mod key;
mod layering;
mod learning;
pub mod listing;
mod memory;
mod network;
mod note;
mod optimiser;
pub mod presets;
mod replay;
mod run;
mod sections;
mod source;
mod training;
mod variant_names;

use std::fmt::Write;

use prism_algorithms::AgentConfig;
use prism_environment::Seed;
use serde::{Serialize, Serializer};
use toml::{Table, Value};

pub(crate) use self::environment::departures_from;
pub use self::environment::{EnvironmentConfig, EnvironmentKind, Threads};
pub use self::error::{Fault, Origin, Problem, SettingsError};
pub(crate) use self::error::{did_you_mean, near_matches};
pub use self::evaluation::EvaluationConfig;
use self::key::{name_of, section_of};
pub use self::memory::{MemoryNeed, NotEnoughMemory};
pub use self::note::Note;
pub use self::run::RunConfig;
pub(crate) use self::sections::is_section;
use self::sections::{RUN, setting, settings};
use self::source::{Entry, Layers, VERSION};
pub use self::source::{Override, Source};
pub use self::training::TrainingConfig;

/// Everything that decides a run but its folder, whole and checked: what it holds can be run.
///
/// Two configurations are equal when every setting in force is.
///
/// ```
/// use prism::Config;
///
/// let config = Config::preset("catch")?.with("learning.gamma", 0.98)?;
/// assert_eq!(config.agent().learning.gamma, 0.98);
/// // What is written down is what is in force, and reads as the same configuration.
/// let again = Config::from_toml("again", &config.to_toml())?;
/// assert_eq!(again, config);
/// # Ok::<(), prism::SettingsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    name: String,
    /// How errors call it.
    shown: String,
    environment: EnvironmentConfig,
    agent: AgentConfig,
    training: TrainingConfig,
    evaluation: EvaluationConfig,
    run: RunConfig,
    /// Every setting in force, by section.
    table: Table,
    notes: Vec<Note>,
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        self.table == other.table
    }
}

impl Config {
    /// The configuration of a preset.
    ///
    /// # Errors
    /// [`SettingsError::UnknownPreset`].
    pub fn preset(name: &str) -> Result<Self, SettingsError> {
        Self::read(&Source::find_preset(name)?, &[])
    }

    /// A configuration in TOML, which errors call `name`.
    ///
    /// # Errors
    /// [`SettingsError`], as of [`Config::read`].
    pub fn from_toml(name: &str, text: &str) -> Result<Self, SettingsError> {
        Self::read(&Source::text(name, text), &[])
    }

    /// Reads a preset or file, puts `overrides` over it, the last one winning, and checks the result.
    ///
    /// # Errors
    /// [`SettingsError`]: [`SettingsError::Refused`] has every setting that cannot be used, with its value and place and
    /// what was expected.
    pub fn read(source: &Source, overrides: &[Override]) -> Result<Self, SettingsError> {
        let mut problems = Vec::new();
        let layers = source.layers(&mut problems)?;
        Self::of((&source.name, &source.shown), layers, overrides, problems)
    }

    /// The same with another value of a setting.
    ///
    /// # Errors
    /// [`SettingsError::Refused`].
    pub fn with(&self, key: &str, value: impl Into<Value>) -> Result<Self, SettingsError> {
        self.with_all([(key, value)])
    }

    /// The same with other values of several settings, which need to fit each other only together.
    ///
    /// # Errors
    /// [`SettingsError::Refused`].
    pub fn with_all<'a, V: Into<Value>>(
        &self,
        values: impl IntoIterator<Item = (&'a str, V)>,
    ) -> Result<Self, SettingsError> {
        let changes: Vec<Override> =
            values.into_iter().map(|(key, value)| Override::change(key, value.into())).collect();
        let origin = Origin::Whole(self.shown.clone());
        let entries = self.settings().map(|(path, value)| Entry {
            setting: setting(path).expect("what is in force is a setting"),
            value: value.clone(),
            origin: origin.clone(),
        });
        let layers = Layers { layers: vec![entries.collect()], version: VERSION };
        Self::of((&self.name, &self.shown), layers, &changes, Vec::new())
    }

    /// The same with this seed and this device, a name for [`prism_model::find_device`].
    ///
    /// # Errors
    /// [`SettingsError::Refused`] when the name is empty.
    pub fn with_run(&self, seed: Seed, device: &str) -> Result<Self, SettingsError> {
        // TOML's own numbers end where a seed does not.
        let seed = i64::try_from(seed.0).map_or_else(|_| Value::String(seed.0.to_string()), Value::Integer);
        let values = [(run::SEED.path(), seed), (run::DEVICE.path(), Value::String(device.to_owned()))];
        self.with_all(values)
    }

    fn of(
        (name, shown): (&str, &str),
        mut layers: Layers,
        overrides: &[Override],
        mut problems: Vec<Problem>,
    ) -> Result<Self, SettingsError> {
        let mut put_over = Vec::new();
        for given in overrides {
            match given.entry() {
                Ok(entry) => put_over.push(entry),
                Err(problem) => problems.push(*problem),
            }
        }
        layers.layers.push(put_over);
        let mut given = layering::put_over_one_another(shown, layers, problems);

        let environment = environment::read(&mut given);
        let network = network::read(&mut given);
        let replay = replay::read(&mut given);
        let exploration = exploration::read(&mut given, replay.warm_up);
        let (learning, distributions) = learning::read(&mut given, &replay);
        let optimiser = optimiser::read(&mut given);
        let diagnostics = diagnostics::read(&mut given, distributions);
        let agent = AgentConfig { network, exploration, replay, learning, optimiser, diagnostics };
        let training = training::read(&mut given, environment.kind.frame_skip());
        let evaluation = evaluation::read(&mut given);
        let run = run::read(&mut given);

        let (table, mut notes) = given.finish()?;
        notes.extend(note::of_run(&agent, training.limit));
        let [name, shown] = [name, shown].map(str::to_owned);
        Ok(Self { name, shown, environment, agent, training, evaluation, run, table, notes })
    }

    /// What is played.
    pub fn environment(&self) -> &EnvironmentConfig {
        &self.environment
    }

    /// What learns.
    pub fn agent(&self) -> &AgentConfig {
        &self.agent
    }

    /// When a run ends and what it keeps.
    pub fn training(&self) -> &TrainingConfig {
        &self.training
    }

    /// How the agent is scored.
    pub fn evaluation(&self) -> &EvaluationConfig {
        &self.evaluation
    }

    /// Seed and device.
    pub fn run(&self) -> &RunConfig {
        &self.run
    }

    /// The preset, the run or the file that it comes from: the first part of a run's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What there is to say about it: what can be run and may not be what was meant.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Every setting in force with its value, in the order in which they are listed and written.
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        settings().filter_map(|setting| {
            let path = setting.about().path;
            Some((path, self.table.get(section_of(path))?.get(name_of(path))?))
        })
    }

    /// The value of the setting `path`, such as `learning.gamma`, where it is in force.
    pub fn setting(&self, path: &str) -> Option<&Value> {
        self.settings().find(|(found, _)| *found == path).map(|(_, value)| value)
    }

    /// Every setting in force, by section.
    pub fn to_table(&self) -> &Table {
        &self.table
    }

    /// The TOML that [`Config::read`] makes this configuration from again: every setting in force, those that a protocol
    /// decides included.
    pub fn to_toml(&self) -> String {
        let mut text = format!("version = {VERSION}\n");
        let mut section = "";
        for (path, value) in self.settings() {
            if section_of(path) != section {
                section = section_of(path);
                let _ = writeln!(text, "\n[{section}]");
            }
            let _ = writeln!(text, "{} = {value}", name_of(path));
        }
        text
    }
}

/// Every setting in force, by section, but for seed and device, which runs of one configuration do not share.
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sections = self.table.iter().filter(|(section, _)| *section != RUN);
        serializer.collect_map(sections)
    }
}

#[cfg(test)]
mod tests;
