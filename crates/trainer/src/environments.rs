//! Where a run's environments come from.

use std::num::NonZeroUsize;
use std::path::Path;

use prism_environment::{
    AtariConfig, AtariEnvironment, CartPole, Catch, Chain, EmulatorError, Environment, EnvironmentError, Rom, RomError,
    RomLibrary, Seed, VectorEnvironment, VectorError,
};
use thiserror::Error;

use crate::config::{EnvironmentConfig, EnvironmentKind, Threads};

/// Makes one environment.
type Make = Box<dyn Fn(Seed) -> Result<Box<dyn Environment>, EnvironmentError> + Send + Sync>;

/// Makes the environments of a run: as many as it needs, each from a seed of its own.
pub struct Environments {
    make: Make,
    /// What they are; none of the kinds here where they are the user's own.
    kind: Option<EnvironmentKind>,
    /// MD5 of the ROM that they play, where they play one.
    rom: Option<u128>,
}

/// Why environments cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// They are the user's own, and this run was not handed them.
    #[error("{name} is an environment of another program: only that program can play it")]
    Own {
        /// Its name.
        name: String,
    },
    /// They are not those that the configuration names.
    #[error("these environments are {made}, and the configuration says {expected}")]
    OtherKind {
        /// What they are.
        made: String,
        /// What the configuration says.
        expected: String,
    },
    /// The game's ROM file is missing or wrong.
    #[error(transparent)]
    Rom(#[from] RomError),
    /// One cannot be made, or they cannot be stepped together.
    #[error(transparent)]
    Vector(#[from] VectorError),
}

impl std::fmt::Debug for Environments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environments").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl BuildError {
    /// Whether another configuration would mend it.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Own { .. } | Self::OtherKind { .. } => true,
            // Only its ROM can tell whether a game has a mode or a difficulty.
            Self::Vector(VectorError::NotMade(EnvironmentError::Emulator(error))) => {
                matches!(error, EmulatorError::UnknownMode { .. } | EmulatorError::UnknownDifficulty { .. })
            }
            _ => false,
        }
    }
}

impl Environments {
    /// The environments that a configuration asks for. ROM files are looked for in `roms` first.
    ///
    /// # Errors
    /// When a ROM is missing or wrong, or the environment is the user's own.
    pub fn of(config: &EnvironmentConfig, roms: Option<&Path>) -> Result<Self, BuildError> {
        let mut rom = None;
        let make: Make = match &config.kind {
            EnvironmentKind::Atari { config, .. } => {
                let found = RomLibrary::locate(roms)?.rom(&config.options().game)?;
                rom = Some(found.game().md5);
                atari(config, found)
            }
            EnvironmentKind::Catch => Box::new(|seed| Ok(Box::new(Catch::new(seed)))),
            &EnvironmentKind::Chain { states, limit } => {
                Box::new(move |seed| Ok(Box::new(Chain::new(states, limit, seed))))
            }
            EnvironmentKind::CartPole => Box::new(|seed| Ok(Box::new(CartPole::new(seed)))),
            EnvironmentKind::Own { name } => return Err(BuildError::Own { name: name.clone() }),
        };
        Ok(Self { make, kind: Some(config.kind.clone()), rom })
    }

    /// Environments that `make` makes, each from its own seed, for a configuration with `environment.kind = "own"`.
    pub fn own<E: Environment + 'static>(
        make: impl Fn(Seed) -> Result<E, EnvironmentError> + Send + Sync + 'static,
    ) -> Self {
        let make = move |seed| make(seed).map(|environment| Box::new(environment) as Box<dyn Environment>);
        Self { make: Box::new(make), kind: None, rom: None }
    }

    /// Makes `count` environments, each with a seed derived from `seed`, to be stepped together by the threads of `config`.
    ///
    /// # Errors
    /// When these are not the environments of `config`, one cannot be made, or a thread cannot be started.
    pub fn build(
        &self,
        config: &EnvironmentConfig,
        count: NonZeroUsize,
        seed: Seed,
    ) -> Result<VectorEnvironment, BuildError> {
        self.check(&config.kind)?;
        let threads = match config.threads {
            // As many as learning uses: a core each, unless `RAYON_NUM_THREADS` says otherwise.
            Threads::Automatic => NonZeroUsize::new(rayon::current_num_threads()).unwrap_or(NonZeroUsize::MIN),
            Threads::Exactly(threads) => threads,
        };
        Ok(VectorEnvironment::from_seed(count, threads, seed, &self.make)?)
    }

    /// Makes one environment from a seed.
    ///
    /// # Errors
    /// When it is not that of `config`, or cannot be made.
    pub(crate) fn one(&self, config: &EnvironmentConfig, seed: Seed) -> Result<Box<dyn Environment>, BuildError> {
        self.check(&config.kind)?;
        Ok((self.make)(seed).map_err(VectorError::NotMade)?)
    }

    /// MD5 of the ROM that they play, where they play one.
    pub(crate) fn rom(&self) -> Option<u128> {
        self.rom
    }

    /// A run's records must not name other environments than those it was trained in.
    fn check(&self, expected: &EnvironmentKind) -> Result<(), BuildError> {
        let is_expected = match &self.kind {
            Some(kind) => kind == expected,
            None => matches!(expected, EnvironmentKind::Own { .. }),
        };
        if is_expected {
            return Ok(());
        }
        let made = self.kind.as_ref().map_or_else(|| "the program's own".to_owned(), describe);
        Err(BuildError::OtherKind { made, expected: describe(expected) })
    }
}

fn describe(kind: &EnvironmentKind) -> String {
    format!("{} (protocol {})", kind.name(), kind.protocol())
}

fn atari(config: &AtariConfig, rom: Rom) -> Make {
    let config = config.clone();
    Box::new(move |seed| Ok(Box::new(AtariEnvironment::new(&config, &rom, seed)?)))
}
