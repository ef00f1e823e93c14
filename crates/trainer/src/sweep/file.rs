//! The file of a sweep, as it is written.

use std::num::NonZeroUsize;
use std::path::Path;
use std::str::FromStr;

use prism_environment::GameGroup;
use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Value};

use super::error::SweepError;
use crate::config::{Origin, Override, is_section, near_matches};
use crate::seeds::Seeds;

/// Keys at the top of a sweep's file.
const KEYS: [&str; 9] = ["preset", "presets", "games", "seeds", "out", "jobs", "slurm", "set", "variants"];
/// Keys of a variant.
const VARIANT_KEYS: [&str; 2] = ["name", "set"];

/// What a sweep's file says.
#[derive(Debug)]
pub(super) struct SweepFile {
    /// Presets and paths of configurations, with their places.
    pub(super) presets: Vec<(String, Origin)>,
    /// The presets' own where there are none.
    pub(super) games: Vec<Setting>,
    /// The presets' own where there are none.
    pub(super) seeds: Vec<Setting>,
    pub(super) out: Option<String>,
    pub(super) jobs: Option<NonZeroUsize>,
    /// Options of `sbatch`.
    pub(super) slurm: Vec<String>,
    /// Settings of every run.
    pub(super) settings: Vec<Setting>,
    pub(super) variants: Vec<Variant>,
}

/// A setting with its value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

impl Setting {
    pub(super) fn to_override(&self) -> Override {
        Override::in_file(self.origin.clone(), &self.key, self.value.clone())
    }
}

/// Settings that some of the runs have.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) settings: Vec<Setting>,
}

impl SweepFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read or a key or value cannot be used.
    pub(super) fn read(path: &Path) -> Result<Self, SweepError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| SweepError::Read { path: path.to_owned(), source })?;
        Reader { shown: path.display().to_string(), text: &text }.read(path)
    }
}

struct Reader<'a> {
    /// How errors call the file.
    shown: String,
    text: &'a str,
}

type Table<'a> = DeTable<'a>;

impl Reader<'_> {
    fn at(&self, position: usize) -> Origin {
        let line = 1 + self.text[..position].matches('\n').count();
        Origin::Line { name: self.shown.clone(), line }
    }

    fn read(&self, path: &Path) -> Result<SweepFile, SweepError> {
        let document = DeTable::parse(self.text).map_err(|error| SweepError::Syntax {
            origin: self.at(error.span().map_or(0, |span| span.start)),
            reason: error.message().replace('\n', "; "),
        })?;
        let document = document.into_inner();
        self.refuse_unknown(&document, &KEYS)?;

        const PRESETS: &str = "the name of a preset or the path of a configuration file, or a list of such";
        let mut presets = Vec::new();
        for key in ["preset", "presets"] {
            presets.extend(self.texts(&document, key, PRESETS)?);
        }
        if presets.is_empty() {
            return Err(SweepError::Missing { path: path.to_owned(), key: "presets", expected: PRESETS });
        }
        let games = self.texts(&document, "games", "the name of a game or of a group of games, or a list of such")?;
        let setting =
            |game: &str, origin: Origin| Setting { key: "environment.game".to_owned(), value: game.into(), origin };
        let games = games.into_iter().flat_map(|(game, origin)| match GameGroup::find(&game) {
            Some(group) => group.games.iter().map(|game| setting(game, origin.clone())).collect(),
            None => vec![setting(&game, origin)],
        });
        Ok(SweepFile {
            presets,
            games: games.collect(),
            seeds: self.seeds(&document)?,
            out: self.text(&document, "out", "the path of a folder")?,
            jobs: self.jobs(&document)?,
            slurm: self.slurm(&document)?,
            settings: self.settings(&document)?,
            variants: self.variants(&document)?,
        })
    }

    fn refuse_unknown(&self, table: &Table<'_>, known: &[&'static str]) -> Result<(), SweepError> {
        let unknown = table.keys().find(|key| !known.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown else { return Ok(()) };
        let (origin, key) = (self.at(key.span().start), key.get_ref().to_string());
        // Settings at the top are those of every run, meant for `[set]`.
        let near = if is_section(key.split('.').next().unwrap_or(&key)) {
            vec!["`[set]`, with `section.key = value` below it".to_owned()]
        } else {
            near_matches(&key, known.iter().copied())
        };
        Err(SweepError::UnknownKey { origin, key, near, known: known.to_vec() })
    }

    fn refused(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: impl Into<String>) -> SweepError {
        let shown = plain(value).map_or_else(|| "this".to_owned(), |value| value.to_string());
        let (origin, key) = (self.at(value.span().start), key.to_owned());
        SweepError::Value { origin, key, value: shown, expected: expected.into() }
    }

    fn text(&self, table: &Table<'_>, key: &str, expected: &str) -> Result<Option<String>, SweepError> {
        let Some(value) = table.get(key) else { return Ok(None) };
        let text = value.get_ref().as_str().filter(|text| !text.trim().is_empty());
        text.map(|text| Some(text.to_owned())).ok_or_else(|| self.refused(key, value, expected))
    }

    /// A text, or a list of at least one, with the place of each.
    fn texts(&self, table: &Table<'_>, key: &str, expected: &str) -> Result<Vec<(String, Origin)>, SweepError> {
        let Some(value) = table.get(key) else { return Ok(Vec::new()) };
        let texts: Option<Vec<(String, Origin)>> = match value.get_ref() {
            DeValue::String(_) => text_at(self, value).map(|text| vec![text]),
            DeValue::Array(values) => values.iter().map(|value| text_at(self, value)).collect(),
            _ => None,
        };
        texts.filter(|texts| !texts.is_empty()).ok_or_else(|| self.refused(key, value, expected))
    }

    fn seeds(&self, table: &Table<'_>) -> Result<Vec<Setting>, SweepError> {
        const FORM: &str = "seeds such as \"0..4\", \"3,5,8\" or [3, 5, 8], at most 10000 of them, each once";
        let Some(value) = table.get("seeds") else { return Ok(Vec::new()) };
        let refused = || self.refused("seeds", value, FORM);
        let whole = |value: &Value| value.as_integer().and_then(|seed| u64::try_from(seed).ok());
        let seeds = match plain(value).ok_or_else(refused)? {
            Value::String(text) => Seeds::from_str(&text).map_err(|_| refused())?,
            Value::Array(values) => {
                let seeds: Option<Vec<u64>> = values.iter().map(whole).collect();
                Seeds::new(seeds.ok_or_else(refused)?).map_err(|_| refused())?
            }
            value => Seeds(vec![whole(&value).ok_or_else(refused)?]),
        };
        let origin = self.at(value.span().start);
        // TOML's own numbers end where a seed does not.
        let written = |seed: u64| i64::try_from(seed).map_or_else(|_| Value::String(seed.to_string()), Value::Integer);
        let setting = |seed| Setting { key: "run.seed".to_owned(), value: written(seed), origin: origin.clone() };
        Ok(seeds.0.into_iter().map(setting).collect())
    }

    fn jobs(&self, table: &Table<'_>) -> Result<Option<NonZeroUsize>, SweepError> {
        let Some(value) = table.get("jobs") else { return Ok(None) };
        let jobs = plain(value).and_then(|value| value.as_integer()).and_then(|jobs| usize::try_from(jobs).ok());
        let jobs = jobs.and_then(NonZeroUsize::new);
        jobs.map(Some)
            .ok_or_else(|| self.refused("jobs", value, "how many runs go on at a time, a whole number from 1 on"))
    }

    fn slurm(&self, table: &Table<'_>) -> Result<Vec<String>, SweepError> {
        const FORM: &str = "options of sbatch, such as [\"--time=12:00:00\", \"--cpus-per-task=4\"]";
        let options = self.texts(table, "slurm", FORM)?;
        let is_option = |text: &str| text.starts_with('-') && !text.contains(char::is_control);
        match table.get("slurm") {
            Some(value) if !options.iter().all(|(option, _)| is_option(option)) => {
                Err(self.refused("slurm", value, FORM))
            }
            _ => Ok(options.into_iter().map(|(option, _)| option).collect()),
        }
    }

    /// What stands below `set`: `section.key = value`, with or without quotes around the key, or tables of sections.
    fn settings(&self, table: &Table<'_>) -> Result<Vec<Setting>, SweepError> {
        const FORM: &str = "settings, such as { learning.n_step = 3 }";
        let Some(value) = table.get("set") else { return Ok(Vec::new()) };
        let given = value.get_ref().as_table().ok_or_else(|| self.refused("set", value, FORM))?;
        let mut settings = Vec::new();
        for (key, value) in given {
            let place = key.span().start;
            match value.get_ref().as_table().filter(|_| is_section(key.get_ref())) {
                Some(section) => {
                    for (name, value) in section {
                        let path = format!("{}.{}", key.get_ref(), name.get_ref());
                        settings.push(self.setting(path, value, name.span().start)?);
                    }
                }
                None => settings.push(self.setting(key.get_ref().to_string(), value, place)?),
            }
        }
        Ok(settings)
    }

    fn setting(&self, key: String, value: &Spanned<DeValue<'_>>, place: usize) -> Result<Setting, SweepError> {
        let origin = self.at(place);
        let instead = match key.as_str() {
            "run.seed" => Some("seeds"),
            "environment.game" => Some("games"),
            // What stands below the line [set] is in it.
            key => KEYS.into_iter().find(|top| *top == key),
        };
        let expected = match (instead, plain(value)) {
            (None, Some(value)) => return Ok(Setting { key, value, origin }),
            (Some(instead), _) => format!("the key `{instead}` at the top of the file, above [set]"),
            (None, None) => "a number, text, list or table".to_owned(),
        };
        Err(self.refused(&key, value, expected))
    }

    fn variants(&self, table: &Table<'_>) -> Result<Vec<Variant>, SweepError> {
        const FORM: &str = "[[variants]], each with a name and what is set";
        const NAME: &str = "a name of letters, digits, points, dashes and underscores, which becomes a folder";
        let Some(value) = table.get("variants") else { return Ok(Vec::new()) };
        let variants = value.get_ref().as_array().filter(|variants| variants.iter().all(|v| v.get_ref().is_table()));
        let variants = variants.ok_or_else(|| self.refused("variants", value, FORM))?;
        let mut read = Vec::new();
        for variant in variants.iter() {
            let table = variant.get_ref().as_table().expect("all of them are tables");
            self.refuse_unknown(table, &VARIANT_KEYS)?;
            let name = self.text(table, "name", NAME)?;
            let name = name.ok_or_else(|| self.refused("variants", variant, FORM))?;
            if !is_folder_name(&name) {
                return Err(self.refused("name", &table["name"], NAME));
            }
            read.push(Variant { name, settings: self.settings(table)? });
        }
        Ok(read)
    }
}

fn text_at(reader: &Reader<'_>, value: &Spanned<DeValue<'_>>) -> Option<(String, Origin)> {
    let text = value.get_ref().as_str().filter(|text| !text.trim().is_empty())?;
    Some((text.to_owned(), reader.at(value.span().start)))
}

/// The value without its places; none for a number that TOML cannot hold.
fn plain(value: &Spanned<DeValue<'_>>) -> Option<Value> {
    Value::deserialize(serde::de::IntoDeserializer::into_deserializer(value.clone())).ok()
}

/// Whether a name can be that of a folder, and of the same one everywhere.
fn is_folder_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(['.', '-']) && name.chars().all(is_folder_letter)
}

/// Whether a letter may stand in the name of a folder that shells and patterns leave alone.
pub(super) fn is_folder_letter(letter: char) -> bool {
    letter.is_alphanumeric() || ['.', '-', '_', '+', '=', ','].contains(&letter)
}
