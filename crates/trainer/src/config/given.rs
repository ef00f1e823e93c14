//! What was given for each setting, as the sections read it: every setting that is asked for is found, checked and put
//! down as in force; what nobody asks for is dropped or refused.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::error::{Fault, Origin, Problem, SettingsError};
use super::key::{Key, Setting, name_of, section_of, typed_value};
use super::note::Note;
use super::presets;

/// Settings as they are being read.
pub(super) struct Given {
    /// What lacks a key that is missing.
    whole: Origin,
    values: BTreeMap<&'static str, GivenValue>,
    asked: BTreeSet<&'static str>,
    in_force: BTreeMap<&'static str, Value>,
    choices: Vec<Made>,
    /// Choices whose settings are being read.
    needed_by: Vec<String>,
    problems: Vec<Problem>,
    /// Settings that are missing or have a value that cannot be used.
    unusable: BTreeSet<&'static str>,
    notes: Vec<Note>,
    purpose: Purpose,
}

/// What settings are read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Their values.
    Values,
    /// To learn which ones are asked for.
    Questions,
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(super) struct GivenValue {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// 0 is what an older version or a protocol means where nothing is said. A base's values have a lower layer than those
    /// of what is based on it, and these a lower one than what is put over both.
    pub(super) layer: usize,
}

/// A choice that was made.
struct Made {
    setting: &'static dyn Setting,
    layer: usize,
}

/// The layer of what nobody wrote.
const UNSAID: usize = 0;

impl Given {
    /// These values, in which something was found already.
    pub(super) fn new(
        shown: &str,
        values: BTreeMap<&'static str, GivenValue>,
        notes: Vec<Note>,
        problems: Vec<Problem>,
    ) -> Self {
        Self { values, notes, problems, ..Self::empty(shown, Purpose::Values) }
    }

    fn empty(shown: &str, purpose: Purpose) -> Self {
        Self {
            whole: Origin::Whole(shown.to_owned()),
            values: BTreeMap::new(),
            asked: BTreeSet::new(),
            in_force: BTreeMap::new(),
            choices: Vec::new(),
            needed_by: Vec::new(),
            problems: Vec::new(),
            unusable: BTreeSet::new(),
            notes: Vec::new(),
            purpose,
        }
    }

    /// The settings that `read` asks for.
    pub(super) fn asked_by<T>(read: fn(&mut Self) -> T) -> Vec<&'static str> {
        let mut given = Self::empty("", Purpose::Questions);
        read(&mut given);
        given.asked.into_iter().collect()
    }

    /// Gives values to settings that nothing was said about.
    pub(super) fn underlay(&mut self, values: Vec<(&'static str, Value)>, origin: &Origin) {
        for (path, value) in values {
            let unsaid = GivenValue { value, origin: origin.clone(), layer: UNSAID };
            self.values.entry(path).or_insert(unsaid);
        }
    }

    /// The value of a setting. Where it has none that can be used, that becomes a problem, and some value is given, so that
    /// the settings after it are looked at as well.
    pub(super) fn get<T>(&mut self, key: &Key<T>) -> T {
        self.usable(key, key.about().otherwise).and_then(|value| key.read(&value)).unwrap_or_else(|| key.stand_in())
    }

    /// The value of a setting that may be left out.
    pub(super) fn get_if_given<T>(&mut self, key: &Key<T>) -> Option<T> {
        if self.values.contains_key(key.path()) { Some(self.get(key)) } else { self.ask(key.path()) }
    }

    fn ask<T>(&mut self, path: &'static str) -> Option<T> {
        self.asked.insert(path);
        None
    }

    /// Notes that `read`, one of several readings of which none was chosen, would ask for its settings, and gives what it
    /// makes of stand-ins for them.
    pub(super) fn read_unchosen<T>(&mut self, read: fn(&mut Self) -> T) -> T {
        let mut unchosen = Self::empty("", Purpose::Questions);
        let result = read(&mut unchosen);
        self.asked.extend(unchosen.asked);
        result
    }

    /// What `read` reads, which the value `name` of `choice` has led to.
    pub(super) fn read_chosen<T>(&mut self, choice: &'static dyn Setting, name: &str, read: fn(&mut Self) -> T) -> T {
        let path = choice.about().path;
        let layer = self.values.get(path).map_or(UNSAID, |given| given.layer);
        self.choices.push(Made { setting: choice, layer });
        self.needed_by.push(format!("{path} = \"{name}\""));
        let result = read(self);
        self.needed_by.pop();
        result
    }

    /// The canonical value of a setting, which is then in force.
    pub(super) fn usable(&mut self, setting: &dyn Setting, otherwise: Option<&str>) -> Option<Value> {
        let path = setting.about().path;
        self.asked.insert(path);
        if self.purpose == Purpose::Questions {
            return None;
        }
        let fault = match (self.values.get(path), otherwise) {
            (Some(given), _) => match setting.canonical(&given.value) {
                Some(value) => {
                    self.in_force.insert(path, value.clone());
                    return Some(value);
                }
                None => Fault::Value { expected: setting.expected() },
            },
            (None, Some(otherwise)) => {
                let value = typed_value(otherwise);
                self.in_force.insert(path, value.clone());
                return Some(value);
            }
            (None, None) => Fault::Missing {
                expected: setting.expected(),
                example: example(path),
                needed_by: self.needed_by.last().cloned(),
            },
        };
        self.unusable.insert(path);
        self.fault(path, fault);
        None
    }

    fn fault(&mut self, path: &'static str, fault: Fault) {
        let problem = match self.values.get(path) {
            Some(given) => given.problem(path, fault),
            None => Problem {
                key: path.to_owned(),
                value: self.in_force.get(path).map(Value::to_string),
                origin: self.whole.clone(),
                fault,
            },
        };
        self.problems.push(problem);
    }

    /// Refuses the value of `path` for a reason that lies in the settings `others` too; not where one of them is refused
    /// already.
    pub(super) fn refuse(&mut self, path: &'static str, others: &[&'static str], reason: impl ToString) {
        let refused = |path: &&str| self.unusable.contains(*path);
        if self.purpose == Purpose::Values && !refused(&path) && !others.iter().any(refused) {
            self.fault(path, Fault::Unfit(reason.to_string()));
        }
    }

    /// Puts `value` down as what is in force for `path`, in place of how it was written.
    pub(super) fn settle(&mut self, path: &'static str, value: impl Into<Value>) {
        self.in_force.insert(path, value.into());
    }

    /// Takes `path` out of what is in force: another setting says the same.
    pub(super) fn withdraw(&mut self, path: &'static str) {
        self.in_force.remove(path);
    }

    /// Adds something that the user would want to know.
    pub(super) fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    /// The value in force for `path`.
    pub(super) fn in_force(&self, path: &str) -> Option<&Value> {
        self.in_force.get(path)
    }

    /// What is in force, and what there is to say about it.
    ///
    /// # Errors
    /// [`SettingsError::Refused`] with every problem.
    pub(super) fn finish(mut self) -> Result<(Table, Vec<Note>), SettingsError> {
        let unasked: Vec<&'static str> =
            self.values.keys().copied().filter(|path| !self.asked.contains(path)).collect();
        for path in unasked {
            self.leave_out(path);
        }
        if !self.problems.is_empty() {
            return Err(SettingsError::Refused(self.problems));
        }
        let mut table = Table::new();
        for (path, value) in self.in_force {
            let section = table.entry(section_of(path)).or_insert_with(|| Value::Table(Table::new()));
            section.as_table_mut().expect("sections are tables").insert(name_of(path).to_owned(), value);
        }
        Ok((table, self.notes))
    }

    /// Drops a setting that a later choice has no use for, and refuses one that was useless when it was written.
    fn leave_out(&mut self, path: &'static str) {
        let owners = self.choices.iter().filter_map(|made| {
            let owned = made.setting.owned();
            let owners = owned.iter().filter(|(_, keys)| keys.contains(&path)).map(|(name, _)| format!("\"{name}\""));
            let owners: Vec<String> = owners.collect();
            let keys = owned.iter().map(|(_, keys)| keys.len()).sum::<usize>();
            (!owners.is_empty()).then(|| (keys, made.setting.about().path, owners, made.layer))
        });
        // Of a choice within a choice, the inner one has fewer keys and says more.
        let Some((_, choice, owners, layer)) = owners.min_by_key(|(keys, ..)| *keys) else {
            return self.fault(path, Fault::Unfit("no other setting has a use for it: leave it out".to_owned()));
        };
        if self.values[path].layer >= layer && self.values[path].layer != UNSAID {
            self.fault(path, Fault::Unfit(format!("only {choice} = {} has it: leave it out", owners.join(" or "))));
        }
    }
}

impl GivenValue {
    /// What is wrong with it as the value of `path`.
    pub(super) fn problem(&self, path: &str, fault: Fault) -> Problem {
        Problem { key: path.to_owned(), value: Some(self.value.to_string()), origin: self.origin.clone(), fault }
    }
}

/// What some preset has for `path`.
fn example(path: &str) -> Option<(String, &'static str)> {
    presets::ALL.iter().find_map(|preset| {
        let table: Table = preset.text.parse().expect("presets are TOML");
        let value = table.get(section_of(path))?.get(name_of(path))?;
        Some((value.to_string(), preset.name))
    })
}
