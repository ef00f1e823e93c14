//! Values of arguments: how they are parsed, and what is expected of them.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use prism::bench::Agent;
use prism_environment::GameInfo;

/// Parses one of `values`, each a name with what it means.
pub fn one_of<T>(values: impl IntoIterator<Item = (&'static str, &'static str)>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    let values = values.into_iter().map(|(name, description)| PossibleValue::new(name).help(description));
    PossibleValuesParser::new(values).try_map(|name| name.parse())
}

/// Parses the name of a preset.
pub fn agent(name: &str) -> Result<Agent, String> {
    Agent::find(name).ok_or_else(|| "expected the name of a preset, see `prism list`".to_owned())
}

/// Several games, by the names that were typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Games(pub Vec<String>);

impl FromStr for Games {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let games: Vec<String> = text.split(',').map(|game| game.trim().to_owned()).collect();
        // However they are spelt; what is no game is refused with the other settings.
        let named = |game: &String| GameInfo::find(game).map_or(game.clone(), |info| info.name.to_owned());
        match first_twice(&games.iter().map(named).collect::<Vec<_>>()) {
            Some(game) => Err(format!("{game} is there twice: expected each game once")),
            None => Ok(Self(games)),
        }
    }
}

/// The first value that one of before repeats.
fn first_twice<T: Ord>(values: &[T]) -> Option<&T> {
    let mut seen = BTreeSet::new();
    values.iter().find(|value| !seen.insert(*value))
}

/// Parses whole numbers of a range.
pub fn whole_in(range: RangeInclusive<u32>) -> impl Fn(&str) -> Result<u32, String> + Clone {
    move |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("expected a whole number from {} to {}", range.start(), range.end())),
    }
}

/// Parses numbers of a range.
pub fn number_in(range: RangeInclusive<f64>) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("expected a number from {} to {}", range.start(), range.end())),
    }
}
