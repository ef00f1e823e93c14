//! `[environment]`: what is played, and how many of it. A protocol is the base of this section: it gives what is not given.

use std::num::{NonZeroU32, NonZeroUsize};

use prism_environment::{
    ActionSet, AtariConfig, AtariOptions, Colour, EmulatorChoice, FireReset, GameInfo, LifeLoss, Points, Pooling,
    Protocol, RewardTransform, TimeLimit, View,
};
use serde::Deserialize;
use toml::{Table, Value};

use super::Config;
use super::choice::{Choice, choice};
use super::error::Origin;
use super::given::Given;
use super::key::{Bounds, Key, Setting, keys, name, name_or_form, number, ordinal, text, whole};
use super::note::Note;

/// Which environment, and how many of it.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvironmentConfig {
    /// One environment.
    pub kind: EnvironmentKind,
    /// How many run side by side.
    pub count: NonZeroUsize,
    /// What steps them.
    pub threads: Threads,
}

/// An environment with its options.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EnvironmentKind {
    /// A game of the Arcade Learning Environment.
    Atari {
        /// The game and everything about how it is played.
        config: AtariConfig,
        /// The protocol that scores carry: a name, with every option behind it that departs from it.
        protocol: String,
    },
    /// Catch on ten rows and five columns.
    Catch,
    /// A chain with known values.
    Chain {
        /// States in the chain.
        states: NonZeroUsize,
        /// When an episode is cut short.
        limit: TimeLimit,
    },
    /// CartPole-v1.
    CartPole,
    /// An environment that the program brings.
    Own {
        /// What runs and scores call it.
        name: String,
    },
}

impl EnvironmentKind {
    /// The game or environment.
    pub fn name(&self) -> &str {
        match self {
            Self::Atari { config, .. } => &config.options().game,
            Self::Catch => "catch",
            Self::Chain { .. } => "chain",
            Self::CartPole => "cartpole",
            Self::Own { name } => name,
        }
    }

    /// What scores are counted under: for Atari a protocol, for others the environment that defines them.
    pub fn protocol(&self) -> &str {
        match self {
            Self::Atari { protocol, .. } => protocol,
            Self::Catch => "catch 10x5",
            Self::Chain { .. } => "chain",
            Self::CartPole => "CartPole-v1",
            Self::Own { name } => name,
        }
    }

    /// Emulator frames per agent step, 1 where there is no emulator.
    pub fn frame_skip(&self) -> u32 {
        match self {
            Self::Atari { config, .. } => config.options().frame_skip,
            Self::Catch | Self::Chain { .. } | Self::CartPole | Self::Own { .. } => 1,
        }
    }

    /// Every kind that a configuration can name, and what it is.
    pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        KIND.alternatives.iter().map(|(name, description, _)| (*name, *description))
    }
}

/// Worker threads of the vector environment. They never change results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// As many as environments and cores make useful.
    Automatic,
    /// This many.
    Exactly(NonZeroUsize),
}

keys! {
    const KIND: Choice<EnvironmentKind> = choice("environment.kind", "What is played.", &[
        ("atari", "a game of the Arcade Learning Environment", atari),
        ("catch", "a ball falls over ten rows, a paddle below catches it", |_| EnvironmentKind::Catch),
        ("chain", "a corridor whose action values are known", chain),
        ("cartpole", "CartPole-v1", |_| EnvironmentKind::CartPole),
        ("own", "an environment that the program brings", |given| EnvironmentKind::Own { name: given.get(&NAME) }),
    ]);
    const NAME: Key<String> = text("environment.name", "a name", "What runs and scores call an environment of the program's own.");
    const GAME: Key<String> = text("environment.game", "the name of an Atari game", "The game; capitals, spaces and dashes do not matter.");
    pub(super) const PROTOCOL: Key<Protocol> = name("environment.protocol", "The rules that scores are counted under: what holds where the settings below are left out.");
    pub(super) const COUNT: Key<NonZeroUsize> = whole("environment.count", 1..=4096, "environments", "How many run side by side.");
    const THREADS: Key<Option<NonZeroUsize>> = whole("environment.threads", 1..=u64::MAX, "threads", "Threads that step them; they never change results.").or("automatic").otherwise("\"automatic\"");
    const VIEW: Choice<View> = choice("environment.view", "What the agent sees.", &[
        ("image", "the screen", |given| View::Image { colour: given.get(&COLOUR), height: given.get(&HEIGHT), width: given.get(&WIDTH) }),
        ("ram", "the console's 128 bytes of memory", |_| View::Ram),
    ]);
    const COLOUR: Key<Colour> = name("environment.colour", "Luminance, or red, green and blue.");
    const HEIGHT: Key<usize> = whole("environment.height", 1..=1024, "pixels", "Rows of the image.");
    const WIDTH: Key<usize> = whole("environment.width", 1..=1024, "pixels", "Columns of the image.");
    const POOLING: Key<Pooling> = name("environment.pooling", "Which screens of a step an image shows: the brighter of the last two in each pixel, or the last.");
    const STACK: Key<usize> = whole("environment.stack", 1..=64, "frames", "Frames of an observation, the newest last.");
    const FRAME_SKIP: Key<u32> = whole("environment.frame_skip", 1..=1000, "frames", "Emulator frames of an agent step, through which its action is held.");
    const REPEAT_ACTION_PROBABILITY: Key<f32> = number("environment.repeat_action_probability", "a probability", Bounds::Below(0.0, 1.0), "How often the console sees the action of the frame before instead (sticky actions).");
    const NO_OP_MAX: Key<u32> = whole("environment.no_op_max", 0..=10_000, "frames", "A game starts with 1 to this many frames without action; 0 for none.");
    const FIRE_RESET: Key<FireReset> = name("environment.fire_reset", "Whether the fire button is pressed at the start, for games that wait for it.");
    const LIFE_LOSS: Key<LifeLoss> = name("environment.life_loss", "What a lost life means for learning: nothing, a step that does not bootstrap, or the end of the episode.");
    const POINTS: Key<Points> = name("environment.points", "Whether returns reach past a point, gained or lost, or end there.");
    const REWARD: Key<RewardTransform> = name_or_form("environment.reward", "{ shaped = { scored = 10, ended = -10, otherwise = -1 } }", "How a step's points become the reward to learn from: as they are, cut to -1..1, their sign, or one of three numbers.");
    const ACTIONS: Key<ActionSet> = name("environment.actions", "Whether the agent has the actions that do something in the game, or all 18.");
    const MODE: Key<u32> = ordinal("environment.mode", "a game mode, 0 for the game's own default", "The game's mode.");
    const DIFFICULTY: Key<u32> = ordinal("environment.difficulty", "a difficulty, 0 for the game's own default", "The game's difficulty.");
    const FRAME_LIMIT: Key<Option<u32>> = whole("environment.frame_limit", 1..=u32::MAX as u64, "frames", "When a game is cut short, counted from its first observation; \"none\" for never.").or("none");
    const EMULATOR: Key<EmulatorChoice> = name("environment.emulator", "What plays the game: ALE's library of 2020, the console in Rust with that library's frames, or the console with those of ALE 0.12.");
    const STATES: Key<NonZeroUsize> = whole("environment.states", 1..=10_000, "states", "States of the chain.");
    const STEP_LIMIT: Key<Option<NonZeroU32>> = whole("environment.step_limit", 1..=u32::MAX as u64, "agent steps", "When an episode of the chain is cut short; \"none\" for never.").or("none");
}

pub(super) fn read(given: &mut Given) -> EnvironmentConfig {
    EnvironmentConfig {
        kind: given.choose(&KIND),
        count: given.get(&COUNT),
        threads: given.get(&THREADS).map_or(Threads::Automatic, Threads::Exactly),
    }
}

/// What is played, under a name that tells games apart, where that much is given.
pub(super) fn played<'a>(value: impl Fn(&'static str) -> Option<&'a Value>) -> Option<String> {
    let text = |key| value(key).and_then(Value::as_str);
    match text(KIND.path())? {
        "atari" => text(GAME.path()).map(|game| GameInfo::find(game).map_or(game, |info| info.name).to_owned()),
        "own" => text(NAME.path()).map(str::to_owned),
        kind => Some(kind.to_owned()),
    }
}

fn atari(given: &mut Given) -> EnvironmentKind {
    let game = given.get(&GAME);
    let protocol = given.get(&PROTOCOL);
    let usual = option_values(&protocol.options(&game));
    given.underlay(usual.clone(), &Origin::Protocol(protocol.name().to_owned()));
    let options = AtariOptions {
        game,
        view: given.choose(&VIEW),
        pooling: given.get(&POOLING),
        stack: given.get(&STACK),
        frame_skip: given.get(&FRAME_SKIP),
        repeat_action_probability: given.get(&REPEAT_ACTION_PROBABILITY),
        no_op_max: given.get(&NO_OP_MAX),
        fire_reset: given.get(&FIRE_RESET),
        life_loss: given.get(&LIFE_LOSS),
        points: given.get(&POINTS),
        reward: given.get(&REWARD),
        actions: given.get(&ACTIONS),
        mode: given.get(&MODE),
        difficulty: given.get(&DIFFICULTY),
        frame_limit: given.get(&FRAME_LIMIT),
        emulator: given.get(&EMULATOR),
    };
    let config = AtariConfig::new(options).unwrap_or_else(|error| {
        given.refuse(GAME.path(), &[], error);
        AtariConfig::from_protocol("pong", protocol).expect("pong is a game")
    });
    let elsewhere = given.in_force(GAME.path()).and_then(Value::as_str).map(str::to_owned);
    if let Some(written) = elsewhere
        && let Ok((_, spelling)) = GameInfo::resolve(&written)
        && let Some(nearest) = spelling.protocol().filter(|nearest| *nearest != protocol)
    {
        given.note(Note::OtherRules { game: written, nearest, protocol });
    }
    given.settle(GAME.path(), config.options().game.as_str());
    let protocol = match config.protocol() {
        Some(protocol) => protocol.name().to_owned(),
        None => format!("{protocol} with {}", departures(|path| given.in_force(path), &usual).join(", ")),
    };
    EnvironmentKind::Atari { config, protocol }
}

/// The options in which a configuration differs from these, as they are written.
pub(crate) fn departures_from(config: &Config, options: &AtariOptions) -> Vec<String> {
    departures(|path| config.setting(path), &option_values(options))
}

/// The options in force that differ from the usual ones, as they are written.
fn departures<'a>(
    in_force: impl Fn(&'static str) -> Option<&'a Value>,
    usual: &[(&'static str, Value)],
) -> Vec<String> {
    let usual = |path| usual.iter().find(|(usual, _)| *usual == path).map(|(_, value)| value);
    let options = KEYS.iter().map(|setting| setting.about()).filter(|about| usual(about.path).is_some());
    let changed = options.filter_map(|about| {
        let value = in_force(about.path).filter(|value| usual(about.path) != Some(*value))?;
        Some(format!("{} = {value}", about.name()))
    });
    changed.collect()
}

/// What the protocol of this name says of every option.
pub(super) fn protocol_values(name: &Value) -> Option<Vec<(&'static str, Value)>> {
    let protocol = Protocol::deserialize(name.clone()).ok()?;
    Some(option_values(&protocol.options("")))
}

/// Options as settings.
fn option_values(options: &AtariOptions) -> Vec<(&'static str, Value)> {
    let mut table = Table::try_from(options).expect("options are plain data");
    table.remove("game");
    // An image's size stands beside its kind.
    if let Some(Value::Table(mut view)) = table.remove("view") {
        table.extend(view.remove("kind").map(|kind| ("view".to_owned(), kind)));
        table.extend(view);
    }
    table.entry(FRAME_LIMIT.about().name()).or_insert_with(|| Value::String("none".to_owned()));
    let options = table.into_iter().map(|(name, value)| {
        let setting = KEYS.iter().find(|setting| setting.about().name() == name);
        let setting = setting.unwrap_or_else(|| panic!("the option {name} has no setting"));
        let canonical = setting.canonical(&value);
        (setting.about().path, canonical.unwrap_or_else(|| panic!("{name} = {value} is no value of its setting")))
    });
    options.collect()
}

fn chain(given: &mut Given) -> EnvironmentKind {
    let states = given.get(&STATES);
    EnvironmentKind::Chain { states, limit: given.get(&STEP_LIMIT).map_or(TimeLimit::None, TimeLimit::Steps) }
}
