//! The layers of a configuration put over one another, with the settings of which one layer changes what another means.

use std::collections::BTreeMap;

use toml::Value;

use super::error::{Fault, Origin, Problem};
use super::given::{Given, GivenValue};
use super::key::typed_value;
use super::note::Note;
use super::sections::settings;
use super::source::{Entry, Layers};
use super::{environment, training};

/// Puts the layers over one another, the last winning. `shown` is how errors call all of them together; `problems` are those
/// found so far.
pub(super) fn put_over_one_another(shown: &str, layers: Layers, problems: Vec<Problem>) -> Given {
    let mut put = Put { values: BTreeMap::new(), notes: Vec::new(), problems };
    for (number, layer) in (1..).zip(layers.layers) {
        put.put(number, layer);
    }
    let mut given = Given::new(shown, put.values, put.notes, put.problems);
    if layers.version < 2 {
        let meant = settings().filter_map(|setting| Some((setting.about().path, setting.about().before_2?)));
        let meant: Vec<_> = meant.map(|(path, text)| (path, typed_value(text))).collect();
        given.underlay(meant, &Origin::Whole(shown.to_owned()));
    }
    given
}

/// What the layers so far come to.
struct Put {
    values: BTreeMap<&'static str, GivenValue>,
    notes: Vec<Note>,
    problems: Vec<Problem>,
}

impl Put {
    /// Puts a layer over what there is.
    fn put(&mut self, number: usize, layer: Vec<Entry>) {
        let played = environment::played(|key| self.value(key));
        let mut limits = BTreeMap::new();
        for Entry { setting, value, origin } in layer {
            let path = setting.about().path;
            // What is equal for every way of writing it; what cannot be used is refused when it is asked for.
            let value = setting.canonical(&value).unwrap_or(value);
            if path == environment::PROTOCOL.path() && self.values.get(path).is_some_and(|given| given.value != value) {
                self.forget_protocol(number);
            }
            if training::LIMITS.contains(&path) {
                limits.insert(path, origin.clone());
            }
            if let Some(given) = self.values.get(path).filter(|given| given.layer == number && given.value != value) {
                self.notes.push(Note::GivenTwice {
                    key: path,
                    used: (value.to_string(), origin.clone()),
                    unused: (given.value.to_string(), given.origin.clone()),
                });
            }
            self.values.insert(path, GivenValue { value, origin, layer: number });
        }
        self.settle_limits(&limits);
        self.settle_stop_score(number, played);
    }

    /// The two ways to limit a run replace each other, and cannot both be meant.
    fn settle_limits(&mut self, limits: &BTreeMap<&'static str, Origin>) {
        let [steps, frames] = training::LIMITS;
        match (limits.get(steps), limits.get(frames)) {
            (Some(origin), Some(_)) => {
                let reason = format!("{steps} limits the run already ({origin}): delete one of the two");
                let frames = self.values.remove(frames).expect("it was put there");
                self.problems.push(frames.problem(training::LIMITS[1], Fault::Unfit(reason)));
            }
            (Some(_), None) => drop(self.values.remove(frames)),
            (None, Some(_)) => drop(self.values.remove(steps)),
            (None, None) => {}
        }
    }

    /// A score that ends a run belongs to a game: with another game, no score does.
    fn settle_stop_score(&mut self, number: usize, before: Option<String>) {
        let key = training::STOP_SCORE.path();
        let after = environment::played(|key| self.value(key));
        let (Some(before), Some(after)) = (before, after) else { return };
        let Some(given) = self.values.get_mut(key).filter(|given| given.layer < number) else { return };
        if before != after && given.value.as_str().is_none() {
            self.notes.push(Note::StopScoreOfAnotherGame { score: given.value.to_string(), before, after });
            given.value = Value::String("none".to_owned());
            given.layer = number;
        }
    }

    /// Takes back what the protocol said below a layer whose own protocol replaces it; what departed from it stays.
    fn forget_protocol(&mut self, number: usize) {
        let Some(protocol) = self.value(environment::PROTOCOL.path()).cloned() else { return };
        for (path, value) in environment::protocol_values(&protocol).unwrap_or_default() {
            if self.values.get(path).is_some_and(|given| given.layer < number && given.value == value) {
                self.values.remove(path);
            }
        }
    }

    fn value(&self, path: &str) -> Option<&Value> {
        self.values.get(path).map(|given| &given.value)
    }
}
