//! What the value of a setting may be: described, checked, and brought into one way of writing.

use std::ops::RangeInclusive;

use toml::Value;

/// What a value may be.
#[derive(Clone, Copy)]
pub(super) enum Expects {
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

impl Expects {
    /// What it is, worded to follow "expected".
    pub(super) fn description(self) -> String {
        match self {
            Self::Whole { least, most, unit: "" } => format!("a whole number from {least} to {most}"),
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

    /// `value` as it is written down, if it may be had.
    pub(super) fn canonical(self, value: &Value) -> Option<Value> {
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
    pub(super) fn stand_in(self) -> Value {
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
pub(super) fn one_of(mut names: Vec<String>) -> String {
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} or {last}", names.join(", ")) }
}

/// A whole number, also where it is written with a point or an exponent, as 1e6; as text where TOML has no such number.
pub(super) fn whole_number(value: &Value) -> Option<u64> {
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
