//! Every setting with what it may be, what it is in a preset, and what it means.

use std::fmt::Write;

use toml::Value;

use super::error::{SettingsError, near_matches};
use super::key::{Setting, name_of, section_of};
use super::{Config, SECTIONS, Section, presets, sections};

/// The preset whose values are shown; those it has no use for come from the first that has one.
const SHOWN: &str = "dqn";

/// The settings of a section, or of all, as text: key, what it may be, a value, what it is.
///
/// # Errors
/// [`SettingsError::UnknownSection`].
pub fn render(section: Option<&str>) -> Result<String, SettingsError> {
    let chosen: Vec<&Section> = match section {
        None => SECTIONS.iter().collect(),
        Some(name) => {
            vec![SECTIONS.iter().find(|section| section.name == name).ok_or_else(|| SettingsError::UnknownSection {
                name: name.to_owned(),
                near: near_matches(name, sections()),
                sections: sections().collect(),
            })?]
        }
    };
    let shown = presets::ALL.iter().filter(|preset| preset.name == SHOWN);
    let configs: Vec<(&str, Config)> = shown
        .chain(presets::ALL.iter().filter(|preset| preset.name != SHOWN))
        .map(|preset| (preset.name, Config::preset(preset.name).expect("every preset can be read")))
        .collect();
    let mut text = String::new();
    for (index, section) in chosen.into_iter().enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        let _ = writeln!(text, "{gap}[{}]  {}", section.name, section.sentence);
        for setting in section.keys {
            describe(&mut text, *setting, &configs);
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
    let value = configs.iter().find_map(|(name, config)| Some((name, value_of(config, about.path)?)));
    if let Some((preset, value)) = value {
        let _ = writeln!(text, "    {value} in the preset {preset}");
    }
}

fn value_of<'a>(config: &'a Config, path: &str) -> Option<&'a Value> {
    config.to_table().get(section_of(path))?.get(name_of(path))
}
