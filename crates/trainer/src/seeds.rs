//! Several seeds, as they are typed.

use std::collections::BTreeSet;
use std::str::FromStr;

use thiserror::Error;

/// More runs than anybody waits for.
const MOST: u64 = 10_000;

/// Several seeds, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Vec<u64>);

/// Why text is not several seeds.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotSeeds {
    /// It has another form.
    #[error("expected seeds such as 0..2 or 3,5,8, at most {MOST} of them")]
    Form,
    /// A seed is there twice.
    #[error("seed {0} is there twice: expected each seed once")]
    Twice(u64),
}

impl Seeds {
    /// These seeds.
    ///
    /// # Errors
    /// [`NotSeeds`] where there are none, too many, or the same twice.
    pub fn new(seeds: Vec<u64>) -> Result<Self, NotSeeds> {
        if seeds.is_empty() || seeds.len() as u64 > MOST {
            return Err(NotSeeds::Form);
        }
        let mut seen = BTreeSet::new();
        match seeds.iter().find(|&&seed| !seen.insert(seed)) {
            Some(&seed) => Err(NotSeeds::Twice(seed)),
            None => Ok(Self(seeds)),
        }
    }
}

impl FromStr for Seeds {
    type Err = NotSeeds;

    fn from_str(text: &str) -> Result<Self, NotSeeds> {
        let mut seeds = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once("..").unwrap_or((part, part));
            let [first, last] = [first, last].map(|number| number.trim().parse::<u64>().map_err(|_| NotSeeds::Form));
            let (first, last) = (first?, last?);
            if last < first || last - first >= MOST {
                return Err(NotSeeds::Form);
            }
            seeds.extend(first..=last);
        }
        Self::new(seeds)
    }
}
