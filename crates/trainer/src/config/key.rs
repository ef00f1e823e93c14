//! A setting said once: its key, what it may be, how it is read, and what it means. Errors, lists of settings and
//! migration of older files are made from it.

use std::ops::RangeInclusive;

use serde::de::value::Error as PlainError;
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use toml::{Table, Value};

use super::given::Given;

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
    const fn new(path: &'static str, sentence: &'static str) -> Self {
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

/// What a value may be.
#[derive(Clone, Copy)]
enum Expects {
    Whole {
        least: u64,
        most: u64,
        unit: &'static str,
    },
    /// The number that something is known by.
    Ordinal {
        noun: &'static str,
    },
    Number {
        noun: &'static str,
        bounds: Bounds,
    },
    Name {
        names: fn() -> &'static [&'static str],
        form: Option<&'static str>,
    },
    Text(&'static str),
    Truth,
    /// A list of whole numbers, at least one.
    Wholes {
        noun: &'static str,
        least: u64,
        most: u64,
    },
    /// A list of lists, at least one, each with these whole numbers.
    Tuples {
        noun: &'static str,
        ranges: &'static [RangeInclusive<u64>],
    },
}

/// An interval of numbers, held to in single precision as well, in which networks compute.
#[derive(Clone, Copy)]
pub(super) enum Bounds {
    /// Every finite number.
    Finite,
    /// Above 0.
    Positive,
    /// From this on.
    From(f64),
    /// From the first to the second, both included.
    Within(f64, f64),
    /// From the first to below the second.
    Below(f64, f64),
    /// Between both, neither included.
    Between(f64, f64),
}

impl Bounds {
    fn contain(self, value: f64) -> bool {
        let single = f64::from(value as f32);
        [value, single].into_iter().all(|value| {
            value.is_finite()
                && match self {
                    Self::Finite => true,
                    Self::Positive => value > 0.0,
                    Self::From(least) => value >= least,
                    Self::Within(least, most) => (least..=most).contains(&value),
                    Self::Below(least, end) => (least..end).contains(&value),
                    Self::Between(start, end) => value > start && value < end,
                }
        })
    }

    fn description(self) -> String {
        match self {
            Self::Finite => String::new(),
            Self::Positive => " above 0 in single precision (1e-45 to 3.4e38)".to_owned(),
            Self::From(least) => format!(" from {least}"),
            Self::Within(least, most) => format!(" from {least} to {most}"),
            Self::Below(least, end) => format!(" of at least {least} and below {end}"),
            Self::Between(start, end) => format!(" above {start} and below {end}"),
        }
    }

    /// Some number that it contains.
    fn inside(self) -> f64 {
        match self {
            Self::Finite => 0.0,
            Self::Positive => 1.0,
            Self::From(least) | Self::Within(least, _) | Self::Below(least, _) => least,
            Self::Between(start, end) => f64::midpoint(start, end),
        }
    }
}

/// The largest whole number that TOML has for certain.
const MOST: u64 = i64::MAX as u64;

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

impl Expects {
    fn description(self) -> String {
        match self {
            Self::Whole { least, most, unit } => format!("a whole number of {unit}{}", range(least, most)),
            Self::Ordinal { noun } => format!("the number of {noun}"),
            Self::Number { noun, bounds } => format!("{noun}{}", bounds.description()),
            Self::Name { names, .. } => one_of(names().iter().map(|name| format!("\"{name}\"")).collect()),
            Self::Text(noun) => noun.to_owned(),
            Self::Truth => "true or false".to_owned(),
            Self::Wholes { noun, least, most } => format!("a list with {noun}, each{}", range(least, most)),
            Self::Tuples { noun, ranges } => {
                let ranges: Vec<String> =
                    ranges.iter().map(|range| format!("{} to {}", range.start(), range.end())).collect();
                format!("a list with {noun}, from {}", ranges.join(", "))
            }
        }
    }

    fn canonical(self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::Whole { least, most, .. }, value) => {
                let number = whole_number(value).filter(|number| (least..=most).contains(number))?;
                Some(i64::try_from(number).map_or_else(|_| Value::String(number.to_string()), Value::Integer))
            }
            (Self::Ordinal { .. }, value) => Self::Whole { least: 0, most: u32::MAX.into(), unit: "" }.canonical(value),
            (Self::Number { bounds, .. }, Value::Integer(_) | Value::Float(_)) => {
                let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))?;
                bounds.contain(number).then_some(Value::Float(number))
            }
            (Self::Name { .. }, Value::String(_))
            | (Self::Name { form: Some(_), .. }, Value::Table(_))
            | (Self::Truth, Value::Boolean(_)) => Some(value.clone()),
            (Self::Text(_), Value::String(text)) => (!text.trim().is_empty()).then(|| value.clone()),
            (Self::Wholes { least, most, .. }, Value::Array(values)) if !values.is_empty() => {
                let canonical = Self::Whole { least, most, unit: "" };
                values.iter().map(|value| canonical.canonical(value)).collect::<Option<_>>().map(Value::Array)
            }
            (Self::Tuples { ranges, .. }, Value::Array(values)) if !values.is_empty() => {
                values.iter().map(|value| tuple(value, ranges)).collect::<Option<_>>().map(Value::Array)
            }
            _ => None,
        }
    }

    /// Some value that it allows.
    fn stand_in(self) -> Value {
        match self {
            Self::Whole { least, .. } => Value::Integer(least as i64),
            Self::Ordinal { .. } => Value::Integer(0),
            Self::Number { bounds, .. } => Value::Float(bounds.inside()),
            Self::Name { names, .. } => Value::String(names()[0].to_owned()),
            Self::Text(_) => Value::String("?".to_owned()),
            Self::Truth => Value::Boolean(false),
            Self::Wholes { least, .. } => Value::Array(vec![Value::Integer(least as i64)]),
            Self::Tuples { ranges, .. } => {
                let tuple = ranges.iter().map(|range| Value::Integer(*range.start() as i64)).collect();
                Value::Array(vec![Value::Array(tuple)])
            }
        }
    }
}

fn tuple(value: &Value, ranges: &[RangeInclusive<u64>]) -> Option<Value> {
    let values = value.as_array().filter(|values| values.len() == ranges.len())?;
    let in_range = |(value, range): (&Value, &RangeInclusive<u64>)| {
        Expects::Whole { least: *range.start(), most: *range.end(), unit: "" }.canonical(value)
    };
    values.iter().zip(ranges).map(in_range).collect::<Option<_>>().map(Value::Array)
}

fn range(least: u64, most: u64) -> String {
    match (least, most) {
        (0, u64::MAX) => String::new(),
        (least, u64::MAX) => format!(", at least {least}"),
        (least, most) => format!(" from {least} to {most}"),
    }
}

/// `a, b or c`.
fn one_of(mut names: Vec<String>) -> String {
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} or {last}", names.join(", ")) }
}

/// A whole number, also where it is written with a point or an exponent, as 1e6; as text where TOML has no such number.
fn whole_number(value: &Value) -> Option<u64> {
    match value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        // Beyond 2^53 not every whole number has a double, so that another one would be used than was typed.
        Value::Float(number) if number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(number) => {
            Some(*number as u64)
        }
        Value::String(digits) => digits.parse().ok().filter(|number| *number > MOST),
        _ => None,
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

/// Names of an enum's variants, as files write them.
fn names<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // It fails by design, once it has been told the names.
    let _ = T::deserialize(Names(&mut names));
    names
}

/// Asks a type that serde reads for the names of its variants.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = PlainError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, PlainError> {
        Err(PlainError::custom("only an enum has names"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, PlainError> {
        *self.0 = variants;
        Err(PlainError::custom("only the names are wanted"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A name, what is said beside it in lists, and how what it stands for is read, with the settings that it alone has.
pub(super) type Alternative<T> = (&'static str, &'static str, fn(&mut Given) -> T);

/// A setting whose values have settings of their own.
pub(super) struct Choice<T: 'static> {
    about: About,
    pub(super) alternatives: &'static [Alternative<T>],
}

/// One of several alternatives.
pub(super) const fn choice<T: 'static>(
    path: &'static str,
    sentence: &'static str,
    alternatives: &'static [Alternative<T>],
) -> Choice<T> {
    Choice { about: About::new(path, sentence), alternatives }
}

impl<T: 'static> Choice<T> {
    /// What files of version 1 meant where they lack it, as TOML.
    pub(super) const fn before_2(mut self, value: &'static str) -> Self {
        self.about.before_2 = Some(value);
        self
    }

    /// The `section.name` that it has in files.
    pub(super) const fn path(&self) -> &'static str {
        self.about.path
    }
}

impl<T: 'static> Setting for Choice<T> {
    fn about(&self) -> &About {
        &self.about
    }

    fn expected(&self) -> String {
        let names = self.alternatives.iter().map(|(name, aside, _)| {
            if aside.is_empty() { format!("\"{name}\"") } else { format!("\"{name}\" ({aside})") }
        });
        one_of(names.collect())
    }

    fn canonical(&self, value: &Value) -> Option<Value> {
        let known = |name: &str| self.alternatives.iter().any(|(known, ..)| *known == name);
        value.as_str().is_some_and(known).then(|| value.clone())
    }

    fn owned(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        self.alternatives.iter().map(|(name, _, read)| (*name, Given::asked_by(*read))).collect()
    }
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
