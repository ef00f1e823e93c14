//! What was given: a preset or configuration file with the preset it is based on, and what is put over it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Value;
use toml::de::DeTable;

use super::error::{Fault, Origin, Problem, SettingsError, near_matches};
use super::key::{Setting, name_of, section_of, typed_value};
use super::presets;
use super::sections::{is_section, keys_of, sections, setting, settings};

/// The version of the settings' vocabulary: what files say in `version`. Files without it are of version 1.
pub(super) const VERSION: i64 = 2;
/// Key at the top of a source that names the version of its vocabulary.
const VERSION_KEY: &str = "version";
/// Key at the top of a source that names the preset whose values stand where the source gives none.
const BASE: &str = "base";
/// Keys of version 1 that have no successor, and why.
const GONE: &[(&str, &str)] = &[(
    "network.output",
    "it follows from learning.loss: \"squared\" and \"huber\" learn q-values, \"cross-entropy\" and \"quantile-huber\" \
     distributions",
)];

/// A preset or configuration file before it is parsed.
#[derive(Clone, Debug)]
pub struct Source {
    /// The preset's name, that of the run the file belongs to, or the file's stem: the first part of a run's name.
    pub name: String,
    /// How errors call it.
    pub(super) shown: String,
    text: String,
}

impl Source {
    /// Finds `name` among the presets, else reads the file, or the configuration of the run folder, of that path.
    ///
    /// # Errors
    /// [`SettingsError::UnknownPreset`], and those of [`Source::read`].
    pub fn find(name: impl AsRef<OsStr>) -> Result<Self, SettingsError> {
        let path = Path::new(name.as_ref());
        if let Some(preset) = path.to_str().and_then(presets::find) {
            return Ok(Self::preset(preset));
        }
        // A bare word is a preset mistyped; anything with a separator or an ending was meant as a path.
        if !path.exists() && path.extension().is_none() && path.components().count() == 1 {
            return Err(unknown_preset(&path.to_string_lossy()));
        }
        Self::read(path)
    }

    /// Finds `name` among the presets.
    ///
    /// # Errors
    /// [`SettingsError::UnknownPreset`].
    pub fn find_preset(name: &str) -> Result<Self, SettingsError> {
        presets::find(name).map(Self::preset).ok_or_else(|| unknown_preset(name))
    }

    fn preset(preset: &presets::Preset) -> Self {
        let name = preset.name;
        Self { name: name.to_owned(), shown: format!("preset {name}"), text: preset.text.to_owned() }
    }

    /// Reads the file at `path`, or `config.toml` in the folder at `path`.
    ///
    /// # Errors
    /// [`SettingsError::Read`], [`SettingsError::NotARun`].
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let file = if path.is_dir() { path.join("config.toml") } else { path.to_owned() };
        if file != path && !file.is_file() {
            return Err(SettingsError::NotARun(path.to_owned()));
        }
        let text =
            std::fs::read_to_string(&file).map_err(|source| SettingsError::Read { path: file.clone(), source })?;
        Ok(Self { name: run_name(&file), shown: file.display().to_string(), text })
    }

    /// A configuration in TOML; `name` is what errors and runs call it.
    pub fn text(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), shown: name.to_owned(), text: text.to_owned() }
    }

    /// What it gives, layer by layer: that of the preset it is based on first. Keys that cannot be are noted in `problems`
    /// and left out.
    pub(super) fn layers(&self, problems: &mut Vec<Problem>) -> Result<Layers, SettingsError> {
        let at = |position: usize| Origin::Line {
            name: self.shown.clone(),
            line: 1 + self.text[..position].matches('\n').count(),
        };
        let document = DeTable::parse(&self.text).map_err(|error| SettingsError::Syntax {
            origin: at(error.span().map_or(0, |span| span.start)),
            reason: error.message().replace('\n', "; "),
        })?;
        let mut document: Vec<TopLevel> = document
            .into_inner()
            .into_iter()
            .map(|(key, value)| {
                let origin = at(key.span().start);
                // Where the keys of a section stand, before their values forget it.
                let table = value.get_ref().as_table();
                let keys = table.into_iter().flat_map(|table| table.keys());
                let places = keys.map(|key| (key.get_ref().to_string(), at(key.span().start))).collect();
                let value = Value::deserialize(serde::de::IntoDeserializer::into_deserializer(value));
                let value = value.map_err(|error| SettingsError::Syntax {
                    origin: origin.clone(),
                    reason: error.message().replace('\n', "; "),
                })?;
                Ok(TopLevel { key: key.get_ref().to_string(), origin, value, places })
            })
            .collect::<Result<_, SettingsError>>()?;
        let mut take = |name: &str| {
            let index = document.iter().position(|entry| entry.key == name)?;
            let TopLevel { origin, value, .. } = document.remove(index);
            Some((value, origin))
        };
        let version = take(VERSION_KEY).map_or(Ok(1), |(value, origin)| version(&value, origin))?;
        let mut layers = match take(BASE) {
            Some((base, origin)) => base_of(&base, origin)?.layers(problems)?.layers,
            None => Vec::new(),
        };
        let mut layer = Vec::new();
        for TopLevel { key: section, origin, value, mut places } in document {
            let Value::Table(table) = value else {
                problems.extend(resolve(&section, version).err().map(|fault| problem(&section, &value, origin, fault)));
                continue;
            };
            if !is_section(&section) {
                let fault = unknown(&section);
                problems.push(Problem { key: section, value: None, origin, fault });
                continue;
            }
            for (name, value) in table {
                let place = places.iter().position(|(key, _)| *key == name).expect("every key stands somewhere");
                let (_, origin) = places.swap_remove(place);
                let path = format!("{section}.{name}");
                match resolve(&path, version) {
                    Ok(setting) => layer.extend(setting.map(|setting| Entry { setting, value, origin })),
                    Err(fault) => problems.push(problem(&path, &value, origin, fault)),
                }
            }
        }
        layers.push(layer);
        Ok(Layers { layers, version })
    }
}

/// A key at the top of a source, a section in general.
struct TopLevel {
    key: String,
    origin: Origin,
    value: Value,
    /// Where the keys of the section stand.
    places: Vec<(String, Origin)>,
}

/// What sources give, from the lowest layer up.
pub(super) struct Layers {
    pub(super) layers: Vec<Vec<Entry>>,
    /// Of the vocabulary of the topmost source.
    pub(super) version: i64,
}

/// A setting that was given.
pub(super) struct Entry {
    pub(super) setting: &'static dyn Setting,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// One value that is put over those of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    key: String,
    value: Value,
    origin: Origin,
}

impl Override {
    /// Parses `section.key=value` of a `--set`. The value is TOML; what is not TOML is taken as a string, so that
    /// quotes may be left out.
    ///
    /// # Errors
    /// [`SettingsError::NotAnAssignment`].
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let (key, value) = text
            .split_once('=')
            .map(|(key, value)| (key.trim(), value.trim()))
            .filter(|(key, value)| !key.is_empty() && !value.is_empty())
            .ok_or_else(|| SettingsError::NotAnAssignment { text: text.to_owned() })?;
        Ok(Self { key: key.to_owned(), value: typed_value(value), origin: Origin::Argument("--set") })
    }

    /// `key` as the argument of that name gives it.
    ///
    /// # Panics
    /// When there is no such key.
    pub fn flag(argument: &'static str, key: &'static str, value: impl Into<Value>) -> Self {
        assert!(setting(key).is_some(), "no setting is called `{key}`");
        Self { key: key.to_owned(), value: value.into(), origin: Origin::Argument(argument) }
    }

    /// `key` as text of the argument of that name gives it, which is read as [`Override::parse`] reads values.
    ///
    /// # Panics
    /// When there is no such key.
    pub fn typed(argument: &'static str, key: &'static str, value: &str) -> Self {
        Self::flag(argument, key, typed_value(value))
    }

    /// `key` as a line of another file gives it.
    pub(crate) fn in_file(origin: Origin, key: &str, value: Value) -> Self {
        Self { key: key.to_owned(), value, origin }
    }

    /// The key that it gives, as it was written.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// `key` as a program changes it.
    pub(super) fn change(key: &str, value: Value) -> Self {
        Self { key: key.to_owned(), value, origin: Origin::Change }
    }

    /// The setting that it gives, or why it gives none.
    pub(super) fn entry(&self) -> Result<Entry, Box<Problem>> {
        let resolved = resolve(&self.key, VERSION);
        let Self { key, value, origin } = self.clone();
        match resolved {
            Ok(setting) => Ok(Entry { setting: setting.expect("this version drops no keys"), value, origin }),
            Err(fault) => Err(Box::new(problem(&key, &value, origin, fault))),
        }
    }
}

fn problem(key: &str, value: &Value, origin: Origin, fault: Fault) -> Problem {
    Problem { key: key.to_owned(), value: Some(value.to_string()), origin, fault }
}

fn unknown_preset(name: &str) -> SettingsError {
    let presets: Vec<_> = presets::ALL.iter().map(|preset| preset.name).collect();
    let near = near_matches(name, presets.iter().copied());
    SettingsError::UnknownPreset { name: name.to_owned(), near, presets }
}

fn version(value: &Value, origin: Origin) -> Result<i64, SettingsError> {
    match value {
        Value::Integer(version @ 1..=VERSION) => Ok(*version),
        Value::Integer(version @ 1..) => Err(SettingsError::Newer { version: *version, origin, known: VERSION }),
        value => Err(SettingsError::Version { version: value.to_string(), origin, known: VERSION }),
    }
}

/// The preset that a source is based on.
fn base_of(base: &Value, origin: Origin) -> Result<Source, SettingsError> {
    base.as_str().and_then(presets::find).map(Source::preset).ok_or_else(|| SettingsError::UnknownBase {
        base: base.to_string(),
        origin,
        presets: presets::ALL.iter().map(|preset| preset.name).collect(),
    })
}

/// The setting that a version of the vocabulary calls `path`; none where that version had a key that is not needed any more.
fn resolve(path: &str, version: i64) -> Result<Option<&'static dyn Setting>, Fault> {
    if let Some(setting) = setting(path) {
        return Ok(Some(setting));
    }
    let successor = settings().find(|setting| setting.about().formerly == Some(path));
    let gone = GONE.iter().find(|(gone, _)| *gone == path);
    match (successor, gone) {
        (Some(setting), _) if version < 2 => Ok(Some(setting)),
        (Some(setting), _) => Err(Fault::Renamed { to: setting.about().path }),
        (None, Some(_)) if version < 2 => Ok(None),
        (None, Some((_, reason))) => Err(Fault::Unfit(format!("there is no such key any more: {reason}"))),
        (None, None) if is_section(path) => Err(Fault::Section { keys: keys_of(path) }),
        (None, None) => Err(unknown(path)),
    }
}

/// What is said of a key, or a section, that does not exist.
fn unknown(path: &str) -> Fault {
    let section = section_of(path);
    let siblings = keys_of(section);
    if section == path {
        let mut near = near_matches(path, sections());
        near.extend(near_keys(path));
        return Fault::Unknown { near, siblings: sections().collect() };
    }
    let siblings = if siblings.is_empty() { sections().collect() } else { siblings };
    Fault::Unknown { near: near_keys(path), siblings }
}

/// The keys that `path` may have been meant for, of any section, most similar first: those of its name, which stands in the
/// wrong section or in none, else those whose name is spelt like it.
fn near_keys(path: &str) -> Vec<String> {
    let name = name_of(path);
    let mut scored: Vec<(f64, &str)> = settings()
        .map(|setting| setting.about())
        .map(|about| (strsim::jaro_winkler(name, about.name()), about.path))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .collect();
    if scored.iter().any(|(_, known)| name_of(known) == name) {
        scored.retain(|(_, known)| name_of(known) == name);
    }
    // Of equal names, the section that is most like the typed one.
    let score = |(likeness, known): &(f64, &str)| likeness + 0.1 * strsim::jaro_winkler(path, known);
    scored.sort_by(|a, b| score(b).total_cmp(&score(a)));
    scored.into_iter().take(3).map(|(_, known)| format!("`{known}`")).collect()
}

/// What a run from the file at `path` is called: as the run whose configuration it is, else after the file.
fn run_name(path: &Path) -> String {
    #[derive(Deserialize)]
    struct Manifest {
        name: String,
    }
    let folder = || -> Option<PathBuf> { Some(std::path::absolute(path).ok()?.parent()?.to_owned()) };
    if path.file_name().is_some_and(|name| name == "config.toml")
        && let Some(folder) = folder()
        && let Ok(manifest) = std::fs::read_to_string(folder.join("manifest.json"))
        && let Ok(Manifest { name }) = serde_json::from_str(&manifest)
    {
        return name;
    }
    path.file_stem().map_or_else(|| "run".into(), |stem| stem.to_string_lossy().into_owned())
}
