//! A setting said once: its key, what it may be, how it is read, and what it means. Errors, lists of settings and
//! migration of older files are made from it.

use std::ops::RangeInclusive;

use serde::de::value::Error as PlainError;
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::{Table, Value};

pub(super) use super::expects::Bounds;
use super::expects::{Expects, one_of, whole_number};
use super::variant_names::names;

/// What every setting has, whatever its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    /// `section.name`.
    pub(super) path: &'static str,
    /// What it is.
    pub(super) sentence: &'static str,
    /// What version 1 of the vocabulary called it.
    pub(super) formerly: Option<&'static str>,
    /// What files of version 1 meant where they lack it, as TOML.
    pub(super) before_2: Option<&'static str>,
    /// What holds where it is left out, as TOML.
    pub(super) otherwise: Option<&'static str>,
}

impl About {
    pub(super) const fn new(path: &'static str, sentence: &'static str) -> Self {
        Self { path, sentence, formerly: None, before_2: None, otherwise: None }
    }

    /// The part of the key before the point.
    pub(super) fn section(&self) -> &'static str {
        section_of(self.path)
    }

    /// The part of the key after the point.
    pub(super) fn name(&self) -> &'static str {
        name_of(self.path)
    }
}

/// The part of a key before the point, or all of it.
pub(super) fn section_of(path: &str) -> &str {
    path.split_once('.').map_or(path, |(section, _)| section)
}

/// The part of a key after the point, or all of it.
pub(super) fn name_of(path: &str) -> &str {
    path.split_once('.').map_or(path, |(_, name)| name)
}

/// A setting of any type.
pub(super) trait Setting: Sync {
    fn about(&self) -> &About;

    /// What it may be, worded to follow "expected".
    fn expected(&self) -> String;

    /// `value` as it is written down, if the setting may have it: whole numbers without a point, other numbers with one.
    fn canonical(&self, value: &Value) -> Option<Value>;

    /// Its values with other settings of their own, and those settings: all that reading them asks for.
    fn owned(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        Vec::new()
    }
}

/// A setting that is read as a `T`.
pub(super) struct Key<T> {
    about: About,
    expects: Expects,
    /// Another word that it may be, such as `"none"`.
    word: Option<&'static str>,
    such_as: Option<&'static str>,
    read: fn(&Value) -> Option<T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

/// A whole number of `unit` in a range; a range up to `u64::MAX` has no upper bound.
pub(super) const fn whole<T: DeserializeOwned>(
    path: &'static str,
    range: RangeInclusive<u64>,
    unit: &'static str,
    sentence: &'static str,
) -> Key<T> {
    let expects = Expects::Whole { least: *range.start(), most: *range.end(), unit };
    key(path, sentence, expects, read_whole::<T>)
}

/// The number by which `noun` is known.
pub(super) const fn ordinal(path: &'static str, noun: &'static str, sentence: &'static str) -> Key<u32> {
    key(path, sentence, Expects::Ordinal { noun }, read_whole::<u32>)
}

/// A number, called `noun`, within bounds.
pub(super) const fn number<T: DeserializeOwned>(
    path: &'static str,
    noun: &'static str,
    bounds: Bounds,
    sentence: &'static str,
) -> Key<T> {
    key(path, sentence, Expects::Number { noun, bounds }, read::<T>)
}

/// One of the names of `T`'s variants.
pub(super) const fn name<T: DeserializeOwned>(path: &'static str, sentence: &'static str) -> Key<T> {
    key(path, sentence, Expects::Name { names: names::<T>, form: None }, read::<T>)
}

/// One of the names of `T`'s variants, or a table in this form for a variant with values of its own.
pub(super) const fn name_or_form<T: DeserializeOwned>(
    path: &'static str,
    form: &'static str,
    sentence: &'static str,
) -> Key<T> {
    key(path, sentence, Expects::Name { names: names::<T>, form: Some(form) }, read::<T>)
}

/// Text that is described by `noun`.
pub(super) const fn text(path: &'static str, noun: &'static str, sentence: &'static str) -> Key<String> {
    key(path, sentence, Expects::Text(noun), read::<String>)
}

/// `true` or `false`.
pub(super) const fn truth(path: &'static str, sentence: &'static str) -> Key<bool> {
    key(path, sentence, Expects::Truth, read::<bool>)
}

/// A list of whole numbers, at least one; `noun` says of what.
pub(super) const fn wholes<T: DeserializeOwned>(
    path: &'static str,
    noun: &'static str,
    range: RangeInclusive<u64>,
    such_as: &'static str,
    sentence: &'static str,
) -> Key<Vec<T>> {
    let expects = Expects::Wholes { noun, least: *range.start(), most: *range.end() };
    let key = key(path, sentence, expects, read::<Vec<T>>);
    Key { such_as: Some(such_as), ..key }
}

/// A list, at least one long, of lists of whole numbers, each in its range; `noun` says what they are.
pub(super) const fn tuples<T: DeserializeOwned>(
    path: &'static str,
    noun: &'static str,
    ranges: &'static [RangeInclusive<u64>],
    such_as: &'static str,
    sentence: &'static str,
) -> Key<Vec<T>> {
    let key = key(path, sentence, Expects::Tuples { noun, ranges }, read::<Vec<T>>);
    Key { such_as: Some(such_as), ..key }
}

const fn key<T>(path: &'static str, sentence: &'static str, expects: Expects, read: fn(&Value) -> Option<T>) -> Key<T> {
    Key { about: About::new(path, sentence), expects, word: None, such_as: None, read }
}

impl<T> Key<T> {
    /// The key that version 1 of the vocabulary had for it.
    pub(super) const fn formerly(mut self, path: &'static str) -> Self {
        self.about.formerly = Some(path);
        self
    }

    /// What files of version 1 meant where they lack it, as TOML.
    pub(super) const fn before_2(mut self, value: &'static str) -> Self {
        self.about.before_2 = Some(value);
        self
    }

    /// What holds where it is left out, as TOML.
    pub(super) const fn otherwise(mut self, value: &'static str) -> Self {
        self.about.otherwise = Some(value);
        self
    }

    /// The `section.name` that it has in files.
    pub(super) const fn path(&self) -> &'static str {
        self.about.path
    }

    /// Reads a canonical value.
    pub(super) fn read(&self, canonical: &Value) -> Option<T> {
        (self.read)(canonical)
    }

    /// What stands for a value where there is none that can be used, so that the settings after it are looked at too.
    pub(super) fn stand_in(&self) -> T {
        let value = match self.word {
            Some(word) => Value::String(word.to_owned()),
            None => self.expects.stand_in(),
        };
        self.read(&value).unwrap_or_else(|| panic!("{} takes {value}, which it expects", self.about.path))
    }
}

impl<T: DeserializeOwned> Key<T> {
    /// The same, or a word in its place, read as `None`: a missing key must never have a meaning that is not said.
    pub(super) const fn or(self, word: &'static str) -> Key<Option<T>> {
        let Self { about, expects, such_as, .. } = self;
        Key { about, expects, word: Some(word), such_as, read: read_or_word::<T> }
    }
}

impl<T> Setting for Key<T> {
    fn about(&self) -> &About {
        &self.about
    }

    fn expected(&self) -> String {
        let mut expected = match self.expects {
            Expects::Name { names, form } => {
                let plain = names().iter().filter(|name| self.read(&Value::String((**name).to_owned())).is_some());
                let names = plain.map(|name| format!("\"{name}\"")).chain(form.map(str::to_owned)).collect();
                one_of(names)
            }
            expects => expects.description(),
        };
        if let Some(word) = self.word {
            expected.push_str(&format!(", or \"{word}\""));
        }
        if let Some(example) = self.such_as {
            expected.push_str(&format!(", such as {example}"));
        }
        expected
    }

    fn canonical(&self, value: &Value) -> Option<Value> {
        let canonical = match self.word {
            Some(word) if value.as_str() == Some(word) => value.clone(),
            _ => self.expects.canonical(value)?,
        };
        self.read(&canonical).map(|_| canonical)
    }
}

fn read_whole<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(IntoDeserializer::<PlainError>::into_deserializer(whole_number(value)?)).ok()
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value.clone()).ok()
}

fn read_or_word<T: DeserializeOwned>(value: &Value) -> Option<Option<T>> {
    if value.is_str() { Some(None) } else { read(value).map(Some) }
}

/// What TOML makes of `text`; a string where it is not TOML, so that quotes may be left out.
pub(super) fn typed_value(text: &str) -> Value {
    let table = format!("value = {text}").parse::<Table>();
    // Text with a line break could bring keys of its own.
    let alone = table.ok().filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
    alone.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// The settings of a section, each on a line of its own, and `KEYS` with all of them in this order.
macro_rules! keys {
    ($($visibility:vis const $name:ident: $type:ty = $value:expr;)*) => {
        $($visibility const $name: $type = $value;)*

        /// The settings of this section, in the order in which they are listed and written.
        pub(super) const KEYS: &[&dyn $crate::config::key::Setting] = &[$(&$name),*];
    };
}
pub(super) use keys;

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Shape {
        OnePiece,
        Ring { holes: u8 },
    }

    const COUNT: Key<u16> = whole("a.count", 1..=1000, "things", "How many.");
    const FREE: Key<u64> = whole("a.free", 0..=u64::MAX, "things", "How many.");
    const SHARE: Key<f32> = number("a.share", "a probability", Bounds::Below(0.0, 1.0), "How much.");
    const SHAPE: Key<Shape> = name_or_form("a.shape", "{ ring = { holes = 1 } }", "What it looks like.");

    fn read<T>(key: &Key<T>, text: &str) -> Option<T> {
        key.canonical(&typed_value(text)).and_then(|value| key.read(&value))
    }

    #[test]
    fn what_is_expected_is_made_from_the_range_and_the_names() {
        assert_eq!(COUNT.expected(), "a whole number of things from 1 to 1000");
        assert_eq!(FREE.expected(), "a whole number of things");
        assert_eq!(COUNT.or("none").expected(), "a whole number of things from 1 to 1000, or \"none\"");
        assert_eq!(SHARE.expected(), "a probability of at least 0 and below 1");
        assert_eq!(SHAPE.expected(), "\"one-piece\" or { ring = { holes = 1 } }");
    }

    #[test]
    fn whole_numbers_may_be_written_with_an_exponent_and_with_underscores() {
        for text in ["500", "5e2", "5_00", "500.0"] {
            assert_eq!(read(&COUNT, text), Some(500), "{text}");
        }
        for text in ["0", "1001", "-1", "2.5", "1e30", "nan", "many", "[5]", "true"] {
            assert_eq!(read(&COUNT, text), None, "{text}");
        }
        assert_eq!(read(&FREE, &u64::MAX.to_string()), Some(u64::MAX), "more than TOML's own numbers hold");
    }

    #[test]
    fn a_number_that_single_precision_moves_out_of_its_bounds_is_refused() {
        assert_eq!(read(&SHARE, "0"), Some(0.0));
        assert_eq!(read(&SHARE, "0.999999999999"), None);
        assert_eq!(read(&number::<f64>("a.b", "a number", Bounds::Positive, ""), "1e-300"), None);
    }

    #[test]
    fn a_word_stands_for_none_and_no_other_word_does() {
        let key = COUNT.or("none");
        assert_eq!((read(&key, "none"), read(&key, "7"), read(&key, "never")), (Some(None), Some(Some(7)), None));
    }

    #[test]
    fn a_variant_with_values_of_its_own_is_a_table() {
        assert_eq!(read(&SHAPE, "one-piece"), Some(Shape::OnePiece));
        assert_eq!(read(&SHAPE, "{ ring = { holes = 3 } }"), Some(Shape::Ring { holes: 3 }));
        for text in ["ring", "{ ring = 3 }", "square", "3"] {
            assert_eq!(read(&SHAPE, text), None, "{text}");
        }
    }
}
