//! What was typed: a preset or configuration file, `--set key=value` and flags, before it is checked as a whole.
//!
//! Every key has one line in [`KEYS`] that says what it expects; all errors about keys and values are made from it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use prism_algorithms::{ActingNoise, Bootstrap, DistributionTarget};
use prism_environment::{ActionSet, Colour, FireReset, LifeLoss, Points, Pooling, RewardTransform};
use prism_model::{Activation, Convolution, Scaling};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;
use toml::de::DeTable;
use toml::{Table, Value};

use crate::presets;

/// Settings as typed, complete and of the right types, not yet checked against each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub environment: EnvironmentSettings,
    pub network: NetworkSettings,
    pub exploration: ExplorationSettings,
    pub replay: ReplaySettings,
    pub learning: LearningSettings,
    pub optimiser: OptimiserSettings,
    pub training: TrainingSettings,
    pub evaluation: EvaluationSettings,
    pub diagnostics: DiagnosticsSettings,
}

/// `[environment]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnvironmentSettings {
    pub kind: EnvironmentName,
    pub game: Option<String>,
    pub protocol: Option<String>,
    pub count: usize,
    pub threads: Option<usize>,
    pub view: Option<ViewName>,
    pub colour: Option<Colour>,
    pub height: Option<usize>,
    pub width: Option<usize>,
    pub pooling: Option<Pooling>,
    pub stack: Option<usize>,
    pub frame_skip: Option<u32>,
    pub repeat_action_probability: Option<f64>,
    pub no_op_max: Option<u32>,
    pub fire_reset: Option<FireReset>,
    pub life_loss: Option<LifeLoss>,
    pub points: Option<Points>,
    pub reward: Option<RewardTransform>,
    pub actions: Option<ActionSet>,
    pub mode: Option<u32>,
    pub difficulty: Option<u32>,
    pub frame_limit: Option<OrNone<u32>>,
    pub states: Option<usize>,
    pub step_limit: Option<OrNone<u32>>,
}

/// Values of `environment.kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EnvironmentName {
    Atari,
    Catch,
    Chain,
    CartPole,
}

/// Values of `environment.view`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ViewName {
    Image,
    Ram,
}

/// `[network]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkSettings {
    pub kind: NetworkName,
    pub convolutions: Option<Vec<Convolution>>,
    pub channels: Option<Vec<usize>>,
    pub scaling: Scaling,
    pub hidden: Vec<usize>,
    pub activation: Activation,
    pub streams: StreamsName,
    pub layers: LayersName,
    pub sigma: Option<f64>,
    pub output: OutputName,
    pub atoms: Option<usize>,
    pub v_min: Option<f64>,
    pub v_max: Option<f64>,
}

/// Values of `network.kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NetworkName {
    Nature,
    Convolutional,
    Impala,
    Mlp,
}

/// Values of `network.streams`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StreamsName {
    Single,
    Dueling,
}

/// Values of `network.layers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LayersName {
    Plain,
    NoisyIndependent,
    NoisyFactorised,
}

/// Values of `network.output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OutputName {
    QValues,
    Distribution,
}

/// `[exploration]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplorationSettings {
    pub epsilon_start: f64,
    pub epsilon_end: f64,
    pub epsilon_decay: u64,
}

/// `[replay]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplaySettings {
    pub capacity: usize,
    pub warm_up: u64,
    pub sampling: SamplingName,
    pub priority: Option<PriorityName>,
    pub priority_offset: Option<f64>,
    pub priority_exponent: Option<f64>,
    pub importance_start: Option<f64>,
    pub importance_end: Option<f64>,
    pub importance_decay: Option<u64>,
    pub copies: Option<u16>,
    pub copies_above: Option<f64>,
}

/// Values of `replay.sampling`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SamplingName {
    Uniform,
    Proportional,
    RankBased,
    CopyRewarded,
}

/// Values of `replay.priority`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PriorityName {
    Loss,
    TdError,
}

/// `[learning]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LearningSettings {
    pub gamma: f64,
    pub n_step: u16,
    pub batch_size: usize,
    pub period: u64,
    pub pipeline: Option<bool>,
    pub target_period: u64,
    pub bootstrap: Bootstrap,
    pub loss: LossName,
    pub distribution_target: Option<DistributionTarget>,
}

/// Values of `learning.loss`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LossName {
    Squared,
    Huber,
    CrossEntropy,
}

/// `[optimiser]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OptimiserSettings {
    pub kind: OptimiserName,
    pub learning_rate: f64,
    pub epsilon: Option<f64>,
    pub decay: Option<f64>,
    pub gradient_norm: OrNone<f64>,
}

/// Values of `optimiser.kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OptimiserName {
    Adam,
    RmsProp,
    Sgd,
}

/// `[training]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainingSettings {
    pub agent_steps: Option<u64>,
    pub frames: Option<u64>,
    pub stop_score: OrNone<f64>,
    pub score_window: usize,
    pub save_period: u64,
    pub record_period: u64,
}

/// `[evaluation]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvaluationSettings {
    pub period: OrNone<u64>,
    pub episodes: usize,
    pub epsilon: f64,
    pub noise: ActingNoise,
}

/// `[diagnostics]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiagnosticsSettings {
    pub held_out: usize,
    pub distributions: Option<usize>,
    pub distribution_period: Option<u64>,
}

/// Whether a configuration must have a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

/// One key, `section.name`, and what it expects, worded to follow "expected".
struct Key {
    path: &'static str,
    presence: Presence,
    expects: &'static str,
}

const fn required(path: &'static str, expects: &'static str) -> Key {
    Key { path, presence: Presence::Required, expects }
}

const fn optional(path: &'static str, expects: &'static str) -> Key {
    Key { path, presence: Presence::Optional, expects }
}

/// Every key there is.
const KEYS: &[Key] = &[
    required("environment.kind", "\"atari\", \"catch\", \"chain\" or \"cartpole\""),
    optional("environment.game", "the name of an Atari game, see `prism list`"),
    optional("environment.protocol", "\"deepmind\", \"machado\", \"dopamine\" or \"cleanrl\""),
    required("environment.count", "a whole number of environments from 1 to 4096"),
    optional(
        "environment.threads",
        "a whole number of threads, at least 1; leave the key out for as many as are useful",
    ),
    optional("environment.view", "\"image\" or \"ram\""),
    optional("environment.colour", "\"grey\" or \"rgb\""),
    optional("environment.height", "a whole number of pixels from 1 to 1024"),
    optional("environment.width", "a whole number of pixels from 1 to 1024"),
    optional("environment.pooling", "\"last-two\" or \"last\""),
    optional("environment.stack", "a whole number of frames from 1 to 64"),
    optional("environment.frame_skip", "a whole number of frames from 1 to 1000"),
    optional("environment.repeat_action_probability", "a probability of at least 0 and below 1"),
    optional("environment.no_op_max", "a whole number of frames from 0 to 10000"),
    optional("environment.fire_reset", "\"off\" or \"press\""),
    optional("environment.life_loss", "\"ignore\", \"zero-discount\" or \"episode-end\""),
    optional("environment.points", "\"go-on\" or \"zero-discount\""),
    optional(
        "environment.reward",
        "\"raw\", \"clip\", \"sign\" or { shaped = { scored = 10, ended = -10, otherwise = -1 } }",
    ),
    optional("environment.actions", "\"minimal\" or \"full\""),
    optional("environment.mode", "the number of a game mode, 0 for the game's own default"),
    optional("environment.difficulty", "the number of a difficulty, 0 for the game's own default"),
    optional("environment.frame_limit", "a whole number of frames, at least 1, or \"none\""),
    optional("environment.states", "a whole number of states from 1 to 10000, in environments of kind \"chain\""),
    optional(
        "environment.step_limit",
        "a whole number of agent steps, at least 1, or \"none\", in environments of kind \"chain\"",
    ),
    required("network.kind", "\"nature\" (images), \"convolutional\" (images), \"impala\" (images) or \"mlp\""),
    optional(
        "network.convolutions",
        "a list with [size, stride, channels] of each convolution, size and stride from 1 to 64 and channels from 1 to \
         4096, such as [[8, 4, 16], [4, 2, 32]]",
    ),
    optional(
        "network.channels",
        "a list with the channels of each stage of convolutions, each from 1 to 4096, such as [16, 32, 32]",
    ),
    required(
        "network.hidden",
        "a list with the features of each hidden layer, each from 1 to 65536, such as [512]; exactly one for \"nature\"",
    ),
    required(
        "network.scaling",
        "\"elements\" (bytes from 0 to 1) or \"unit-length\" (the observation as a vector of length 1)",
    ),
    required("network.activation", "\"relu\" or \"selu\", of the hidden layers"),
    required(
        "network.streams",
        "\"single\" or \"dueling\" (the last hidden layer once for the value, once for the advantages)",
    ),
    required("network.layers", "\"plain\", \"noisy-independent\" or \"noisy-factorised\""),
    optional(
        "network.sigma",
        "the initial spread of noisy layers, above 0: 0.017 if independent, 0.5 if factorised, in the paper",
    ),
    required("network.output", "\"q-values\" or \"distribution\""),
    optional("network.atoms", "a whole number of atoms from 2 to 1000"),
    optional("network.v_min", "the smallest return of the support, below network.v_max"),
    optional("network.v_max", "the largest return of the support, above network.v_min"),
    required("exploration.epsilon_start", "a probability from 0 to 1"),
    required("exploration.epsilon_end", "a probability from 0 to 1"),
    required("exploration.epsilon_decay", "a whole number of agent steps, at least 1"),
    required("replay.capacity", "a whole number of transitions from 1 to 1000000000"),
    required("replay.warm_up", "a whole number of agent steps"),
    required("replay.sampling", "\"uniform\", \"proportional\", \"rank-based\" or \"copy-rewarded\""),
    optional("replay.priority", "\"loss\" or \"td-error\""),
    optional("replay.priority_offset", "a number from 0 that is added to every priority"),
    optional("replay.priority_exponent", "an exponent from 0 to 1, 0.6 in the paper"),
    optional("replay.importance_start", "the first importance exponent, from 0 to 1, 0.4 in the paper"),
    optional("replay.importance_end", "the last importance exponent, from 0 to 1, 1 in the paper"),
    optional("replay.importance_decay", "a whole number of agent steps, at least 1"),
    optional("replay.copies", "a whole number of extra copies from 1 to 1000, below replay.capacity"),
    optional("replay.copies_above", "the n-step return above which a transition is copied"),
    required("learning.gamma", "a discount from 0 to 1"),
    required("learning.n_step", "a whole number of agent steps from 1 to 1000"),
    required("learning.batch_size", "a whole number of transitions from 1 to 65536"),
    required("learning.period", "a whole number of agent steps, at least 1"),
    optional(
        "learning.pipeline",
        "true (the environments go on while the network learns, with the weights of before) or false",
    ),
    required("learning.target_period", "a whole number of agent steps, at least 1"),
    required("learning.bootstrap", "\"max\" or \"double\""),
    required("learning.loss", "\"squared\" or \"huber\" (q-values), or \"cross-entropy\" (distributions)"),
    optional("learning.distribution_target", "\"projection\" or \"neighbour-spreading\""),
    required("optimiser.kind", "\"adam\", \"rmsprop\" or \"sgd\""),
    required("optimiser.learning_rate", "a number above 0 in single precision (1e-45 to 3.4e38)"),
    optional("optimiser.epsilon", "a number above 0 in single precision (1e-45 to 3.4e38)"),
    optional("optimiser.decay", "a decay of running means above 0 and below 1, 0.95 in Nature DQN"),
    required(
        "optimiser.gradient_norm",
        "a number above 0 in single precision, or \"none\" to leave gradients as they are",
    ),
    optional("training.agent_steps", "a whole number of agent steps, at least 1"),
    optional("training.frames", "a whole number of emulator frames, at least the frames of one agent step"),
    required("training.stop_score", "a score, or \"none\" to train until the limit"),
    required("training.score_window", "a whole number of episodes from 1 to 1000000"),
    required("training.save_period", "a whole number of agent steps, at least 1"),
    required("training.record_period", "a whole number of updates, at least 1"),
    required("evaluation.period", "a whole number of agent steps, at least 1, or \"none\""),
    required("evaluation.episodes", "a whole number of episodes from 1 to 1000000"),
    required("evaluation.epsilon", "a probability from 0 to 1"),
    required("evaluation.noise", "\"off\" (noisy layers use their mean weights) or \"fresh\""),
    required("diagnostics.held_out", "a whole number of observations from 0 (none) to 100000"),
    optional("diagnostics.distributions", "a whole number of observations from 1 to 1000"),
    optional("diagnostics.distribution_period", "a whole number of updates, at least 1"),
];

/// Keys that only some values of another key have a use for.
struct Ownership {
    /// The key that decides.
    choice: &'static str,
    /// Its values that the keys belong to.
    owners: &'static [&'static str],
    keys: &'static [&'static str],
}

/// Every ownership there is.
const OWNERSHIPS: &[Ownership] = &[
    Ownership {
        choice: "environment.kind",
        owners: &["atari"],
        keys: &[
            "environment.game",
            "environment.protocol",
            "environment.view",
            "environment.colour",
            "environment.height",
            "environment.width",
            "environment.pooling",
            "environment.stack",
            "environment.frame_skip",
            "environment.repeat_action_probability",
            "environment.no_op_max",
            "environment.fire_reset",
            "environment.life_loss",
            "environment.points",
            "environment.reward",
            "environment.actions",
            "environment.mode",
            "environment.difficulty",
            "environment.frame_limit",
        ],
    },
    Ownership {
        choice: "environment.kind",
        owners: &["chain"],
        keys: &["environment.states", "environment.step_limit"],
    },
    Ownership { choice: "network.kind", owners: &["convolutional"], keys: &["network.convolutions"] },
    Ownership { choice: "network.kind", owners: &["impala"], keys: &["network.channels"] },
    Ownership {
        choice: "network.layers",
        owners: &["noisy-independent", "noisy-factorised"],
        keys: &["network.sigma"],
    },
    Ownership {
        choice: "network.output",
        owners: &["distribution"],
        keys: &[
            "network.atoms",
            "network.v_min",
            "network.v_max",
            "diagnostics.distributions",
            "diagnostics.distribution_period",
        ],
    },
    Ownership {
        choice: "replay.sampling",
        owners: &["proportional", "rank-based"],
        keys: &[
            "replay.priority",
            "replay.priority_offset",
            "replay.priority_exponent",
            "replay.importance_start",
            "replay.importance_end",
            "replay.importance_decay",
        ],
    },
    Ownership {
        choice: "replay.sampling",
        owners: &["copy-rewarded"],
        keys: &["replay.copies", "replay.copies_above"],
    },
    Ownership { choice: "learning.loss", owners: &["cross-entropy"], keys: &["learning.distribution_target"] },
    Ownership { choice: "optimiser.kind", owners: &["adam", "rmsprop"], keys: &["optimiser.epsilon"] },
    Ownership { choice: "optimiser.kind", owners: &["rmsprop"], keys: &["optimiser.decay"] },
];

/// What `key` expects.
///
/// # Panics
/// When there is no such key.
fn expects(key: &str) -> &'static str {
    KEYS.iter().find(|known| known.path == key).unwrap_or_else(|| panic!("no setting is called `{key}`")).expects
}

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
    /// Nowhere: the whole preset or file lacks it.
    Whole(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { name, line } => write!(f, "{name}, line {line}"),
            Self::Argument(argument) => write!(f, "{argument} on the command line"),
            Self::Whole(name) => write!(f, "{name}"),
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
    /// The file is not TOML.
    #[error("{origin}: this is not valid TOML: {reason}")]
    Syntax {
        /// Where.
        origin: Origin,
        /// What the parser says.
        reason: String,
    },
    /// `--set` without a key and a value.
    #[error("`--set {text}` is not of the form `--set section.key=value`, such as `--set learning.gamma=0.99`")]
    NotAnAssignment {
        /// What was typed.
        text: String,
    },
    /// A key that does not exist.
    #[error("{origin}: unknown key `{key}`{}; keys here: {}", did_you_mean(.near), .siblings.join(", "))]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// Keys with a similar name.
        near: Vec<String>,
        /// The keys of its section, or the sections.
        siblings: Vec<&'static str>,
    },
    /// A section name where a key was expected, or the reverse.
    #[error("{origin}: `{section}` is a section: write [{section}] and its keys below: {}", .keys.join(", "))]
    Section {
        /// The section.
        section: String,
        /// Where it stands.
        origin: Origin,
        /// Its keys.
        keys: Vec<&'static str>,
    },
    /// A key is missing.
    #[error("{origin}: the key `{key}` is missing: expected {}", expects(.key))]
    Missing {
        /// The key.
        key: &'static str,
        /// The preset or file.
        origin: Origin,
    },
    /// A value of the wrong type or outside its range.
    #[error("{origin}: {key} = {value} cannot be used: expected {}", expects(.key))]
    Value {
        /// The key.
        key: &'static str,
        /// The value as TOML writes it.
        value: String,
        /// Where it stands.
        origin: Origin,
    },
    /// Values that do not fit each other, or that another part refuses.
    #[error("{origin}: {key} = {value} cannot be used: {reason}")]
    Unfit {
        /// The key to change.
        key: &'static str,
        /// The value as TOML writes it.
        value: String,
        /// Where it stands.
        origin: Origin,
        /// What is wrong, and the remedy.
        reason: String,
    },
}

fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!(" (did you mean {}?)", near.join(" or ")) }
}

/// The candidates that `typed` may have been meant for, most similar first.
pub(crate) fn near_matches<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    // 0.8 accepts one or two slips in a word of usual length and rejects words that only share a beginning.
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&typed.to_lowercase(), candidate), candidate))
        .filter(|(similarity, _)| *similarity >= 0.8)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, candidate)| format!("`{candidate}`")).collect()
}

/// A preset or configuration file before it is parsed.
#[derive(Clone, Debug)]
pub struct Source {
    /// The preset's name or the file's stem: the first part of a run's name.
    pub name: String,
    /// How errors call it.
    shown: String,
    text: String,
}

impl Source {
    /// Finds `name` among the presets, else reads the file of that path.
    ///
    /// # Errors
    /// [`SettingsError::UnknownPreset`], [`SettingsError::Read`].
    pub fn find(name: &str) -> Result<Self, SettingsError> {
        if let Some(preset) = presets::find(name) {
            return Ok(Self { name: name.to_owned(), shown: format!("preset {name}"), text: preset.text.to_owned() });
        }
        let path = Path::new(name);
        // A bare word is a preset mistyped; anything with a separator or an ending was meant as a path.
        if !path.exists() && path.extension().is_none() && path.components().count() == 1 {
            let presets: Vec<_> = presets::ALL.iter().map(|preset| preset.name).collect();
            let near = near_matches(name, presets.iter().copied());
            return Err(SettingsError::UnknownPreset { name: name.to_owned(), near, presets });
        }
        Self::read(path)
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`SettingsError::Read`].
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| SettingsError::Read { path: path.to_owned(), source })?;
        let name = path.file_stem().map_or_else(|| "run".into(), |stem| stem.to_string_lossy().into_owned());
        Ok(Self { name, shown: path.display().to_string(), text })
    }
}

/// One value given on the command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    key: String,
    value: Value,
    argument: &'static str,
}

impl Override {
    /// Parses `section.key=value` of a `--set`. The value is TOML; what is not TOML is taken as a string, so that
    /// quotes may be left out.
    ///
    /// # Errors
    /// [`SettingsError::NotAnAssignment`].
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let (key, value) = text
            .split_once('=')
            .map(|(key, value)| (key.trim(), value.trim()))
            .filter(|(key, value)| !key.is_empty() && !value.is_empty())
            .ok_or_else(|| SettingsError::NotAnAssignment { text: text.to_owned() })?;
        let value = format!("value = {value}")
            .parse::<Table>()
            .ok()
            .and_then(|mut table| table.remove("value"))
            .unwrap_or_else(|| Value::String(value.to_owned()));
        Ok(Self { key: key.to_owned(), value, argument: "--set" })
    }

    /// `key` as the flag `argument` gives it.
    ///
    /// # Panics
    /// When there is no such key.
    pub fn flag(argument: &'static str, key: &'static str, value: impl Into<Value>) -> Self {
        assert!(KEYS.iter().any(|known| known.path == key), "no setting is called `{key}`");
        Self { key: key.to_owned(), value: value.into(), argument }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug)]
struct Given {
    value: Value,
    origin: Origin,
    /// A base's values have a lower layer than those of what is based on it, and these a lower one than the command line's.
    layer: usize,
}

/// Settings and where each value came from.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    /// The settings.
    pub(crate) settings: Settings,
    values: BTreeMap<String, Given>,
    whole: Origin,
}

impl Typed {
    /// Reads a source and puts the overrides over it, the last one winning.
    ///
    /// # Errors
    /// When a key is unknown or missing or a value has the wrong type.
    pub(crate) fn read(source: &Source, overrides: &[Override]) -> Result<Self, SettingsError> {
        let mut values = leaves(source)?;
        for given in overrides {
            let origin = Origin::Argument(given.argument);
            check_key(&given.key, &origin)?;
            // The two ways to limit a run replace each other.
            match given.key.as_str() {
                "training.frames" => values.remove("training.agent_steps"),
                "training.agent_steps" => values.remove("training.frames"),
                _ => None,
            };
            values.insert(given.key.clone(), Given { value: given.value.clone(), origin, layer: usize::MAX });
        }
        check_owners(&mut values)?;
        let whole = Origin::Whole(source.shown.clone());
        let absent = KEYS.iter().find(|key| key.presence == Presence::Required && !values.contains_key(key.path));
        if let Some(key) = absent {
            return Err(SettingsError::Missing { key: key.path, origin: whole });
        }
        let mut document = Table::new();
        for (path, Given { value, .. }) in &values {
            let (section, name) = path.split_once('.').expect("known keys have a section");
            let section = document.entry(section).or_insert_with(|| Value::Table(Table::new()));
            section.as_table_mut().expect("sections are tables").insert(name.to_owned(), value.clone());
        }
        match serde_path_to_error::deserialize(Value::Table(document)) {
            Ok(settings) => Ok(Self { settings, values, whole }),
            Err(error) => {
                // A part of a value, such as `network.hidden[0]`, is blamed on the value.
                let path = error.path().to_string();
                let is_part = |rest: &str| rest.is_empty() || rest.starts_with(['[', '.']);
                let key = KEYS.iter().find(|key| path.strip_prefix(key.path).is_some_and(is_part));
                let key = key.unwrap_or_else(|| panic!("keys are all known and present, but {path}: {error}"));
                let Given { value, origin, .. } = &values[key.path];
                Err(SettingsError::Value { key: key.path, value: value.to_string(), origin: origin.clone() })
            }
        }
    }

    /// The keys given in `section`, with their values.
    pub(crate) fn given(&self, section: &str) -> Vec<(&'static str, &Value)> {
        keys_of(section).into_iter().filter_map(|key| Some((key, &self.values.get(key)?.value))).collect()
    }

    /// An error about the value of `key`, which is of the right type but outside what the key expects.
    pub(crate) fn refuse(&self, key: &'static str) -> SettingsError {
        match self.values.get(key) {
            Some(given) => SettingsError::Value { key, value: given.value.to_string(), origin: given.origin.clone() },
            None => SettingsError::Missing { key, origin: self.whole.clone() },
        }
    }

    /// An error about the value of `key`, for a reason of its own.
    pub(crate) fn refuse_because(&self, key: &'static str, reason: impl fmt::Display) -> SettingsError {
        match self.values.get(key) {
            Some(given) => given.unfit(key, reason),
            None => SettingsError::Missing { key, origin: self.whole.clone() },
        }
    }
}

/// Key at the top of a source that names the preset whose values stand where the source gives none.
const BASE: &str = "base";

impl Given {
    fn unfit(&self, key: &'static str, reason: impl fmt::Display) -> SettingsError {
        SettingsError::Unfit {
            key,
            value: self.value.to_string(),
            origin: self.origin.clone(),
            reason: reason.to_string(),
        }
    }
}

/// Drops keys that a later layer's choice has made useless, and refuses those that were useless when they were written.
fn check_owners(values: &mut BTreeMap<String, Given>) -> Result<(), SettingsError> {
    for Ownership { choice, owners, keys } in OWNERSHIPS {
        let Some(chosen) = values.get(*choice).cloned() else { continue };
        if chosen.value.as_str().is_none_or(|value| owners.contains(&value)) {
            continue;
        }
        for key in *keys {
            match values.get(*key) {
                Some(given) if given.layer < chosen.layer => drop(values.remove(*key)),
                Some(given) => {
                    let owners: Vec<_> = owners.iter().map(|owner| format!("\"{owner}\"")).collect();
                    let reason = format!("only {choice} = {} has it: leave it out", owners.join(" or "));
                    return Err(given.unfit(key, reason));
                }
                None => {}
            }
        }
    }
    Ok(())
}

/// Every `section.key` of a source, and of the preset it is based on, with its value and line.
fn leaves(source: &Source) -> Result<BTreeMap<String, Given>, SettingsError> {
    let line_of = |position: usize| 1 + source.text[..position].matches('\n').count();
    let at = |position: usize| Origin::Line { name: source.shown.clone(), line: line_of(position) };
    let syntax = |error: toml::de::Error| SettingsError::Syntax {
        origin: at(error.span().map_or(0, |span| span.start)),
        reason: error.message().replace('\n', "; "),
    };
    let positions = DeTable::parse(&source.text).map_err(syntax)?;
    let document: Table = toml::from_str(&source.text).map_err(syntax)?;

    let mut values: BTreeMap<String, Given> = BTreeMap::new();
    if let Some(base) = document.get(BASE) {
        let position = positions.get_ref().keys().find(|key| key.get_ref() == BASE).map_or(0, |key| key.span().start);
        values = leaves(&base_of(base, at(position))?)?;
    }
    let layer = values.values().map(|given| given.layer + 1).max().unwrap_or(0);
    for (section, content) in positions.get_ref().iter().filter(|(section, _)| section.get_ref() != BASE) {
        let origin = at(section.span().start);
        let section = section.get_ref();
        let Some(table) = content.get_ref().as_table() else {
            check_section(section, &origin)?;
            return Err(section_error(section, origin));
        };
        check_section(section, &origin)?;
        for key in table.keys() {
            let origin = at(key.span().start);
            let path = format!("{section}.{}", key.get_ref());
            check_key(&path, &origin)?;
            let value = document[section.as_ref()][key.get_ref().as_ref()].clone();
            values.insert(path, Given { value, origin, layer });
        }
    }
    Ok(values)
}

/// The preset that a source is based on.
fn base_of(base: &Value, origin: Origin) -> Result<Source, SettingsError> {
    let name = base.as_str().filter(|name| presets::find(name).is_some());
    match name {
        Some(name) => Source::find(name),
        None => Err(SettingsError::UnknownBase {
            base: base.to_string(),
            origin,
            presets: presets::ALL.iter().map(|preset| preset.name).collect(),
        }),
    }
}

/// The sections in the order of [`KEYS`].
fn sections() -> Vec<&'static str> {
    let mut sections: Vec<_> = KEYS.iter().map(|key| section_of(key.path)).collect();
    sections.dedup();
    sections
}

fn section_of(path: &str) -> &str {
    path.split_once('.').map_or(path, |(section, _)| section)
}

fn keys_of(section: &str) -> Vec<&'static str> {
    KEYS.iter().map(|key| key.path).filter(|path| section_of(path) == section).collect()
}

fn section_error(section: &str, origin: Origin) -> SettingsError {
    SettingsError::Section { section: section.to_owned(), origin, keys: keys_of(section) }
}

fn check_section(section: &str, origin: &Origin) -> Result<(), SettingsError> {
    let sections = sections();
    if sections.contains(&section) {
        return Ok(());
    }
    // A key without its section is the likeliest slip.
    let bare = KEYS.iter().map(|key| key.path).find(|path| path.ends_with(&format!(".{section}")));
    let near = bare.map_or_else(|| near_matches(section, sections.iter().copied()), |path| vec![format!("`{path}`")]);
    Err(SettingsError::UnknownKey { key: section.to_owned(), origin: origin.clone(), near, siblings: sections })
}

fn check_key(path: &str, origin: &Origin) -> Result<(), SettingsError> {
    if KEYS.iter().any(|key| key.path == path) {
        return Ok(());
    }
    let section = section_of(path);
    check_section(section, origin)?;
    if section == path {
        return Err(section_error(section, origin.clone()));
    }
    let near = near_matches(path, KEYS.iter().map(|key| key.path));
    Err(SettingsError::UnknownKey { key: path.to_owned(), origin: origin.clone(), near, siblings: keys_of(section) })
}

/// A value, or the word `"none"`: written out, because a missing key must never mean something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OrNone<T>(pub(crate) Option<T>);

impl<T: Serialize> Serialize for OrNone<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => value.serialize(serializer),
            None => serializer.serialize_str("none"),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrNone<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written<T> {
            Value(T),
            Word(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Value(value) => Ok(Self(Some(value))),
            Written::Word(word) if word == "none" => Ok(Self(None)),
            Written::Word(word) => Err(D::Error::custom(format!("`{word}` is neither a number nor \"none\""))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Settings with every key there is.
    fn all_given() -> Settings {
        let source = Source::find("pong").unwrap();
        let mut settings = Typed::read(&source, &[]).unwrap().settings;
        let environment = &mut settings.environment;
        environment.threads = Some(2);
        environment.view = Some(ViewName::Image);
        environment.colour = Some(Colour::Rgb);
        environment.height = Some(210);
        environment.width = Some(160);
        environment.pooling = Some(Pooling::Last);
        environment.stack = Some(1);
        environment.frame_skip = Some(5);
        environment.repeat_action_probability = Some(0.25);
        environment.no_op_max = Some(7);
        environment.fire_reset = Some(FireReset::Off);
        environment.life_loss = Some(LifeLoss::Ignore);
        environment.points = Some(Points::ZeroDiscount);
        environment.reward = Some(RewardTransform::Raw);
        environment.actions = Some(ActionSet::Full);
        environment.mode = Some(1);
        environment.difficulty = Some(1);
        environment.frame_limit = Some(OrNone(None));
        settings.environment.states = Some(5);
        settings.environment.step_limit = Some(OrNone(None));
        settings.network.convolutions = Some(vec![Convolution { size: 8, stride: 4, channels: 16 }]);
        settings.network.channels = Some(vec![16, 32, 32]);
        settings.network.sigma = Some(0.5);
        settings.network.atoms = Some(51);
        settings.network.v_min = Some(-10.0);
        settings.network.v_max = Some(10.0);
        settings.learning.pipeline = Some(true);
        settings.replay.priority = Some(PriorityName::Loss);
        settings.replay.priority_offset = Some(0.0);
        settings.replay.priority_exponent = Some(0.5);
        settings.replay.importance_start = Some(0.4);
        settings.replay.importance_end = Some(1.0);
        settings.replay.importance_decay = Some(1);
        settings.replay.copies = Some(5);
        settings.replay.copies_above = Some(0.0);
        settings.learning.distribution_target = Some(DistributionTarget::Projection);
        settings.optimiser.decay = Some(0.95);
        settings.training.frames = Some(4);
        settings.diagnostics.distributions = Some(3);
        settings.diagnostics.distribution_period = Some(10);
        settings
    }

    #[test]
    fn every_field_has_its_line_in_the_table_of_keys_and_the_reverse() {
        let document = Table::try_from(all_given()).unwrap();
        let mut fields: Vec<String> = document
            .iter()
            .flat_map(|(section, keys)| keys.as_table().unwrap().keys().map(move |key| format!("{section}.{key}")))
            .collect();
        let mut keys: Vec<String> = KEYS.iter().map(|key| key.path.to_owned()).collect();
        fields.sort();
        keys.sort();
        assert_eq!(fields, keys);
    }

    #[test]
    fn the_last_override_wins_and_strings_need_no_quotes() {
        let source = Source::find("pong").unwrap();
        let overrides =
            ["environment.game=boxing", "learning.gamma=0.9", "environment.game = \"freeway\"", "learning.gamma=1"]
                .map(|text| Override::parse(text).unwrap());
        let settings = Typed::read(&source, &overrides).unwrap().settings;
        assert_eq!(settings.environment.game.as_deref(), Some("freeway"));
        assert_eq!(settings.learning.gamma, 1.0);
    }

    #[test]
    fn one_limit_replaces_the_other() {
        let source = Source::find("pong").unwrap();
        let frames = Override::flag("--frames", "training.frames", 200_000);
        let settings = Typed::read(&source, std::slice::from_ref(&frames)).unwrap().settings;
        assert_eq!((settings.training.agent_steps, settings.training.frames), (None, Some(200_000)));
        let steps = Override::parse("training.agent_steps=7").unwrap();
        let settings = Typed::read(&source, &[frames, steps]).unwrap().settings;
        assert_eq!((settings.training.agent_steps, settings.training.frames), (Some(7), None));
    }

    #[test]
    fn a_later_choice_drops_the_keys_it_has_no_use_for_and_an_equal_one_refuses_them() {
        let source = Source::find("dqn").unwrap();
        let sgd = Override::parse("optimiser.kind=sgd").unwrap();
        let settings = Typed::read(&source, std::slice::from_ref(&sgd)).unwrap().settings;
        assert_eq!((settings.optimiser.decay, settings.optimiser.epsilon), (None, None));
        let decay = Override::parse("optimiser.decay=0.9").unwrap();
        let error = Typed::read(&source, &[sgd, decay]).unwrap_err().to_string();
        assert!(error.contains("only optimiser.kind = \"rmsprop\" has it"), "{error}");
    }

    #[test]
    fn every_ownership_is_of_keys_there_are() {
        let known = |path: &str| KEYS.iter().any(|key| key.path == path);
        for Ownership { choice, owners, keys } in OWNERSHIPS {
            assert!(known(choice) && keys.iter().all(|key| known(key)), "{choice}");
            assert!(owners.iter().all(|owner| expects(choice).contains(&format!("\"{owner}\""))), "{choice}");
        }
    }

    #[test]
    fn a_base_gives_what_a_file_leaves_out_and_must_be_a_preset() {
        let source = |text: &str| Source { name: "x".to_owned(), shown: "x.toml".to_owned(), text: text.to_owned() };
        let text = "base = \"catch\"\n[learning]\ngamma = 0.5\n";
        let settings = Typed::read(&source(text), &[]).unwrap().settings;
        let catch = Typed::read(&Source::find("catch").unwrap(), &[]).unwrap().settings;
        assert_eq!(settings.learning.gamma, 0.5);
        assert_eq!((settings.learning.loss, settings.replay), (catch.learning.loss, catch.replay));
        for unknown in ["base = \"cacth\"", "base = 3"] {
            let error = Typed::read(&source(unknown), &[]).unwrap_err().to_string();
            assert!(error.starts_with("x.toml, line 1: base = ") && error.contains("catch"), "{error}");
        }
    }

    #[test]
    fn none_is_written_out() {
        let source = Source::find("pong").unwrap();
        let overrides = ["training.stop_score=none", "optimiser.gradient_norm=10", "evaluation.period=5000"]
            .map(|text| Override::parse(text).unwrap());
        let settings = Typed::read(&source, &overrides).unwrap().settings;
        assert_eq!(settings.training.stop_score, OrNone(None));
        assert_eq!(settings.optimiser.gradient_norm, OrNone(Some(10.0)));
        assert_eq!(settings.evaluation.period, OrNone(Some(5000)));
        let text = toml::to_string(&settings).unwrap();
        assert!(text.contains("stop_score = \"none\""), "{text}");
    }

    #[test]
    fn near_matches_find_slips_and_nothing_else() {
        assert_eq!(near_matches("pnog", ["pong", "catch", "cartpole"]), ["`pong`"]);
        assert!(near_matches("zebra", ["pong", "catch", "cartpole"]).is_empty());
    }
}
