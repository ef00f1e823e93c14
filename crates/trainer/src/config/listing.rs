//! Every setting with what it may be, what it is in a preset, and what it means.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::error::{SettingsError, near_matches};
use super::key::{Setting, name_of};
use super::sections::{SECTIONS, Section, sections};
use super::{Config, presets};

/// The preset whose values are shown; those it has no use for come from the first that has one.
const SHOWN: &str = "dqn";

/// Settings as text: key, what it may be, a value, what it is. `of` is a section, a key such as `learning.gamma`, or the part
/// of a key behind its section; without it, all settings are listed.
///
/// # Errors
/// [`SettingsError::UnknownSetting`].
pub fn render(of: Option<&str>) -> Result<String, SettingsError> {
    let is_meant = |section: &Section, setting: &dyn Setting| {
        let path = setting.about().path;
        of.is_none_or(|of| [section.name, path, name_of(path)].contains(&of))
    };
    let mut chosen: Vec<(&Section, Vec<&dyn Setting>)> = Vec::new();
    for section in &SECTIONS {
        let keys: Vec<&dyn Setting> = section.keys.iter().copied().filter(|key| is_meant(section, *key)).collect();
        if !keys.is_empty() {
            chosen.push((section, keys));
        }
    }
    if let Some(of) = of.filter(|_| chosen.is_empty()) {
        let keys = SECTIONS.iter().flat_map(|section| section.keys).map(|key| key.about().path);
        // Somebody who leaves the section out has the other part of the key compared.
        let part = |path: &'static str| if of.contains('.') { path } else { name_of(path) };
        let candidates: BTreeSet<&str> = sections().chain(keys.map(part)).collect();
        let near = near_matches(of, candidates);
        return Err(SettingsError::UnknownSetting { name: of.to_owned(), near, sections: sections().collect() });
    }
    let shown = presets::ALL.iter().filter(|preset| preset.name == SHOWN);
    let configs: Vec<(&str, Config)> = shown
        .chain(presets::ALL.iter().filter(|preset| preset.name != SHOWN))
        .map(|preset| (preset.name, Config::preset(preset.name).expect("every preset can be read")))
        .collect();
    let mut text = String::new();
    for (index, (section, keys)) in chosen.into_iter().enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        let _ = writeln!(text, "{gap}[{}]  {}", section.name, section.sentence);
        for setting in keys {
            describe(&mut text, setting, &configs);
        }
    }
    Ok(text)
}

fn describe(text: &mut String, setting: &dyn Setting, configs: &[(&str, Config)]) {
    let about = setting.about();
    let _ = writeln!(text, "\n{}", about.path);
    let _ = writeln!(text, "    {}", about.sentence);
    let _ = writeln!(text, "    {}", setting.expected());
    if let Some(value) = about.otherwise {
        let _ = writeln!(text, "    default {value}");
    }
    let value = configs.iter().find_map(|(name, config)| Some((name, config.setting(about.path)?)));
    if let Some((preset, value)) = value {
        let _ = writeln!(text, "    {value} in the preset {preset}");
    }
}
