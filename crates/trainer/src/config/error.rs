//! Why settings cannot be used.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A line, counted from 1, of a preset or file.
    Line {
        /// Preset or file.
        name: String,
        /// The line.
        line: usize,
    },
    /// An argument on the command line, such as `--set` or `--game`.
    Argument(&'static str),
    /// A change to a configuration.
    Change,
    /// A protocol, which decides what is not given.
    Protocol(String),
    /// Nowhere: the whole preset or file lacks it.
    Whole(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { name, line } => write!(f, "{name}, line {line}"),
            Self::Argument(argument) => write!(f, "{argument} on the command line"),
            Self::Change => f.write_str("the changed setting"),
            Self::Protocol(name) => write!(f, "protocol {name}"),
            Self::Whole(name) => f.write_str(name),
        }
    }
}

/// Why settings cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Neither a preset nor a file.
    #[error(
        "there is no preset and no file called `{name}`{}; presets: {}; a configuration file is named by its path",
        did_you_mean(.near), .presets.join(", ")
    )]
    UnknownPreset {
        /// What was asked for.
        name: String,
        /// Presets with a similar name.
        near: Vec<String>,
        /// All presets.
        presets: Vec<&'static str>,
    },
    /// A source based on something that is no preset.
    #[error("{origin}: base = {base} cannot be used: expected the name of a preset: {}", .presets.join(", "))]
    UnknownBase {
        /// What was given.
        base: String,
        /// Where.
        origin: Origin,
        /// All presets.
        presets: Vec<&'static str>,
    },
    /// The file cannot be read.
    #[error("cannot read the configuration file {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A folder without a configuration.
    #[error("{} is a folder without config.toml: name a configuration file, or the folder of a run", .0.display())]
    NotARun(PathBuf),
    /// The file is not TOML.
    #[error("{origin}: this is not valid TOML: {reason}")]
    Syntax {
        /// Where.
        origin: Origin,
        /// What the parser says.
        reason: String,
    },
    /// A version of the vocabulary that is none.
    #[error("{origin}: version = {version} cannot be used: expected a whole number from 1 to {known}")]
    Version {
        /// What was given.
        version: String,
        /// Where.
        origin: Origin,
        /// The newest version that can be read.
        known: i64,
    },
    /// A newer vocabulary than this program's.
    #[error(
        "{origin}: this configuration is written in version {version} of the settings, and this program reads versions up to \
         {known}: use a newer program"
    )]
    Newer {
        /// Its version.
        version: i64,
        /// Where.
        origin: Origin,
        /// The newest version that can be read.
        known: i64,
    },
    /// Text that should change a setting, without a key and a value.
    #[error("`{text}` is not of the form `section.key=value`, such as `learning.gamma=0.99`")]
    NotAnAssignment {
        /// What was typed.
        text: String,
    },
    /// A section or setting that does not exist.
    #[error("there is no section and no setting `{name}`{}; sections: {}", did_you_mean(.near), .sections.join(", "))]
    UnknownSetting {
        /// What was asked for.
        name: String,
        /// Sections and settings with a similar name.
        near: Vec<String>,
        /// All sections.
        sections: Vec<&'static str>,
    },
    /// Keys that are unknown, missing, or have values that cannot be used: all there are.
    #[error("{}", lines(.0))]
    Refused(Vec<Problem>),
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The key.
    pub key: String,
    /// The value as TOML writes it, where there is one.
    pub value: Option<String>,
    /// Where it stands.
    pub origin: Origin,
    /// What is wrong, and what would do.
    pub fault: Fault,
}

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// There is no such key.
    Unknown {
        /// Keys with a similar name, in any section.
        near: Vec<String>,
        /// The keys of its section, or the sections.
        siblings: Vec<&'static str>,
    },
    /// The key has another name now.
    Renamed {
        /// Its name.
        to: &'static str,
    },
    /// A section's name where a key was expected, or the reverse.
    Section {
        /// Its keys.
        keys: Vec<&'static str>,
    },
    /// It is missing.
    Missing {
        /// What it may be.
        expected: String,
        /// A value of a preset, and the preset.
        example: Option<(String, &'static str)>,
        /// The setting that needs it, with its value, if not all configurations do.
        needed_by: Option<String>,
    },
    /// A value of the wrong type or outside its range.
    Value {
        /// What it may be.
        expected: String,
    },
    /// It does not fit another setting, or another part refuses it: why, and what would do.
    Unfit(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, origin, fault } = self;
        let value = value.as_deref().unwrap_or_default();
        match fault {
            Fault::Unknown { near, siblings } => {
                write!(f, "{origin}: unknown key `{key}`{}; keys here: {}", did_you_mean(near), siblings.join(", "))
            }
            Fault::Renamed { to } => write!(f, "{origin}: the key `{key}` is called `{to}`"),
            Fault::Section { keys } => {
                write!(f, "{origin}: `{key}` is a section: write [{key}] and its keys below: {}", keys.join(", "))
            }
            Fault::Missing { expected, example, needed_by } => {
                write!(f, "{origin}: the key `{key}` is missing: expected {expected}")?;
                if let Some((value, preset)) = example {
                    write!(f, "; the preset {preset} has {value}")?;
                }
                needed_by.as_ref().map_or(Ok(()), |choice| write!(f, " ({choice} needs it)"))
            }
            Fault::Value { expected } => {
                write!(f, "{origin}: {key} = {value} cannot be used: expected {expected}")
            }
            Fault::Unfit(reason) => write!(f, "{origin}: {key} = {value} cannot be used: {reason}"),
        }
    }
}

/// As many missing keys make it likely that somebody meant to write down only what differs from a preset.
const MANY_MISSING: usize = 4;

/// One problem as a line, several as a list.
fn lines(problems: &[Problem]) -> String {
    let is_missing = |problem: &&Problem| matches!(problem.fault, Fault::Missing { .. });
    match problems {
        [problem] => problem.to_string(),
        problems => {
            let mut lines: String = problems.iter().map(|problem| format!("\n  {problem}")).collect();
            if problems.iter().filter(is_missing).count() >= MANY_MISSING {
                lines.push_str(
                    "\nbase = \"dqn\" as its first line would take what a file leaves out from the preset dqn",
                );
            }
            format!("{} settings cannot be used:{lines}", problems.len())
        }
    }
}

pub(crate) fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!(" (did you mean {}?)", near.join(" or ")) }
}

/// The candidates that `typed` may have been meant for, most similar first.
pub(crate) fn near_matches<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let typed = typed.to_lowercase();
    let mut scored: Vec<(f64, &str)> =
        candidates.into_iter().map(|candidate| (strsim::jaro_winkler(&typed, candidate), candidate)).collect();
    // 0.8 accepts one or two slips in a word of usual length and rejects words that only share a beginning.
    scored.retain(|(similarity, _)| *similarity >= 0.8);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, candidate)| format!("`{candidate}`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_matches_find_slips_and_nothing_else() {
        assert_eq!(near_matches("pnog", ["pong", "catch", "cartpole"]), ["`pong`"]);
        assert!(near_matches("zebra", ["pong", "catch", "cartpole"]).is_empty());
    }

    #[test]
    fn one_problem_is_a_line_and_several_are_a_list() {
        let problem = |key: &str| Problem {
            key: key.to_owned(),
            value: Some("7".to_owned()),
            origin: Origin::Line { name: "x.toml".to_owned(), line: 3 },
            fault: Fault::Value { expected: "a number".to_owned() },
        };
        let one = "x.toml, line 3: a.b = 7 cannot be used: expected a number";
        assert_eq!(SettingsError::Refused(vec![problem("a.b")]).to_string(), one);
        let two = SettingsError::Refused(vec![problem("a.b"), problem("a.c")]).to_string();
        assert!(two.starts_with(&format!("2 settings cannot be used:\n  {one}\n  ")), "{two}");
    }
}
