//! The validated configuration: what it holds can be run.

use std::num::{NonZeroU32, NonZeroUsize};

use prism_algorithms::{GradientBound, LearnerConfig, LinearSchedule};
use prism_environment::{AgentSteps, AtariConfig, AtariConfigError, AtariOptions, Frames, Protocol, TimeLimit, View};
use prism_model::{Adam, Torso};
use serde::Serialize;

use crate::settings::{EnvironmentName, NetworkName, OptimiserName, OrNone, Settings, Typed, ViewName};
use crate::{Override, SettingsError, Source};

/// Everything that decides a run except its seed, device and folder.
#[derive(Clone, Debug, Serialize)]
pub struct Config {
    /// What is played.
    pub environment: EnvironmentConfig,
    /// The network between observation and head.
    pub network: Torso,
    /// The probability of a random action, by agent steps over all environments together.
    pub exploration: LinearSchedule,
    /// How much is remembered.
    pub replay: ReplayConfig,
    /// What is learned from, and how often.
    pub learning: LearningConfig,
    /// How a batch becomes better weights.
    pub learner: LearnerConfig,
    /// When a run ends and what it writes.
    pub training: TrainingConfig,
    /// How the agent is scored.
    pub evaluation: EvaluationConfig,
    #[serde(skip)]
    settings: Settings,
}

/// Which environment, and how many of it.
#[derive(Clone, Debug, Serialize)]
pub struct EnvironmentConfig {
    /// One environment.
    pub kind: EnvironmentKind,
    /// How many run side by side.
    pub count: NonZeroUsize,
    /// What steps them.
    pub threads: Threads,
}

/// An environment with its options.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
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
}

impl EnvironmentKind {
    /// The game or environment.
    pub fn name(&self) -> &str {
        match self {
            Self::Atari { config, .. } => &config.options().game,
            Self::Catch => "catch",
            Self::Chain { .. } => "chain",
            Self::CartPole => "cartpole",
        }
    }

    /// What scores are counted under: for Atari a protocol, for others the environment that defines them.
    pub fn protocol(&self) -> &str {
        match self {
            Self::Atari { protocol, .. } => protocol,
            Self::Catch => "catch 10x5",
            Self::Chain { .. } => "chain",
            Self::CartPole => "CartPole-v1",
        }
    }

    /// Emulator frames per agent step, 1 where there is no emulator.
    pub fn frame_skip(&self) -> u32 {
        match self {
            Self::Atari { config, .. } => config.options().frame_skip,
            Self::Catch | Self::Chain { .. } | Self::CartPole => 1,
        }
    }
}

/// Worker threads of the vector environment. They never change results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Threads {
    /// As many as environments and cores make useful.
    Useful,
    /// This many.
    Exactly(NonZeroUsize),
}

/// Sizes of the replay buffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplayConfig {
    /// Transitions kept.
    pub capacity: usize,
    /// Agent steps before learning begins.
    pub warm_up: AgentSteps,
}

/// Transitions, batches and periods.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearningConfig {
    /// Discount per agent step.
    pub gamma: f64,
    /// Rewards summed before a transition bootstraps.
    pub n_step: u16,
    /// Transitions per update.
    pub batch_size: usize,
    /// Agent steps between updates.
    pub period: AgentSteps,
    /// Agent steps between replacements of the target network.
    pub target_period: AgentSteps,
}

/// When a run ends and what it writes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrainingConfig {
    /// Agent steps after which the run ends at the latest.
    pub limit: AgentSteps,
    /// The run ends when the mean score of a full window reaches this.
    pub stop_score: Option<f64>,
    /// Episodes in the mean that is shown and held against the stop score.
    pub score_window: NonZeroUsize,
    /// Agent steps between writings of the latest weights.
    pub save_period: AgentSteps,
    /// Updates that one row of the training records sums up.
    pub record_period: u64,
}

/// How the agent is scored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvaluationConfig {
    /// Agent steps of training between evaluations; without one, training is not interrupted by any.
    pub period: Option<AgentSteps>,
    /// Whole games per evaluation.
    pub episodes: NonZeroUsize,
    /// Probability of a random action.
    pub epsilon: f64,
}

impl Config {
    /// Reads a preset or file, puts `overrides` over it, and checks the result.
    ///
    /// # Errors
    /// [`SettingsError`] with the key, its value and place, and what was expected.
    pub fn read(source: &Source, overrides: &[Override]) -> Result<Self, SettingsError> {
        let typed = Typed::read(source, overrides)?;
        let settings = &typed.settings;
        let environment = environment(&typed)?;
        let frame_skip = environment.kind.frame_skip();
        Ok(Self {
            network: network(&typed)?,
            exploration: exploration(&typed)?,
            learning: learning(&typed)?,
            replay: replay(&typed)?,
            learner: learner(&typed)?,
            training: training(&typed, frame_skip)?,
            evaluation: evaluation(&typed)?,
            environment,
            settings: settings.clone(),
        })
    }

    /// The TOML that [`Config::read`] makes this configuration from again.
    pub fn to_toml(&self) -> String {
        toml::to_string(&self.settings).expect("settings came from TOML")
    }
}

/// Keys of `[environment]` that every kind has.
const SHARED_KEYS: [&str; 3] = ["environment.kind", "environment.count", "environment.threads"];
/// Keys of `[environment]` that only a chain has; the others are Atari's.
const CHAIN_KEYS: [&str; 2] = ["environment.states", "environment.step_limit"];

fn environment(typed: &Typed) -> Result<EnvironmentConfig, SettingsError> {
    let settings = &typed.settings.environment;
    for (key, _) in typed.given("environment").into_iter().filter(|(key, _)| !SHARED_KEYS.contains(key)) {
        let (owner, name) = match key {
            key if CHAIN_KEYS.contains(&key) => (EnvironmentName::Chain, "chain"),
            _ => (EnvironmentName::Atari, "atari"),
        };
        if owner != settings.kind {
            let reason = format!("only environments of kind \"{name}\" have it: leave it out");
            return Err(typed.refuse_because(key, reason));
        }
    }
    let kind = match settings.kind {
        EnvironmentName::Atari => atari(typed)?,
        EnvironmentName::Catch => EnvironmentKind::Catch,
        EnvironmentName::Chain => chain(typed)?,
        EnvironmentName::CartPole => EnvironmentKind::CartPole,
    };
    if settings.count > 4096 {
        return Err(typed.refuse("environment.count"));
    }
    Ok(EnvironmentConfig {
        kind,
        count: count(typed, "environment.count", settings.count)?,
        threads: match settings.threads {
            None => Threads::Useful,
            Some(threads) => Threads::Exactly(count(typed, "environment.threads", threads)?),
        },
    })
}

fn atari(typed: &Typed) -> Result<EnvironmentKind, SettingsError> {
    let settings = &typed.settings.environment;
    let game = settings.game.as_deref().ok_or_else(|| typed.refuse("environment.game"))?;
    let protocol = settings.protocol.as_deref().ok_or_else(|| typed.refuse("environment.protocol"))?;
    let protocol: Protocol = protocol.parse().map_err(|_| typed.refuse("environment.protocol"))?;
    let usual = protocol.options(game);
    let options = AtariOptions {
        view: view(typed, usual.view)?,
        pooling: settings.pooling.unwrap_or(usual.pooling),
        stack: settings.stack.unwrap_or(usual.stack),
        frame_skip: settings.frame_skip.unwrap_or(usual.frame_skip),
        repeat_action_probability: settings
            .repeat_action_probability
            .map_or(usual.repeat_action_probability, |probability| probability as f32),
        no_op_max: settings.no_op_max.unwrap_or(usual.no_op_max),
        fire_reset: settings.fire_reset.unwrap_or(usual.fire_reset),
        life_loss: settings.life_loss.unwrap_or(usual.life_loss),
        reward: settings.reward.unwrap_or(usual.reward),
        actions: settings.actions.unwrap_or(usual.actions),
        mode: settings.mode.unwrap_or(usual.mode),
        difficulty: settings.difficulty.unwrap_or(usual.difficulty),
        frame_limit: settings.frame_limit.map_or(usual.frame_limit, |OrNone(limit)| limit),
        game: usual.game,
    };
    let config = AtariConfig::new(options).map_err(|error| match error {
        AtariConfigError::OutOfRange { option, .. } => typed.refuse(match option {
            "view height" => "environment.height",
            "view width" => "environment.width",
            "stack" => "environment.stack",
            "frame_skip" => "environment.frame_skip",
            "repeat_action_probability" => "environment.repeat_action_probability",
            "no_op_max" => "environment.no_op_max",
            _ => "environment.frame_limit",
        }),
        error => typed.refuse_because("environment.game", error),
    })?;
    let protocol = match config.protocol() {
        Some(protocol) => protocol.name().to_owned(),
        None => {
            let named = ["environment.game", "environment.protocol"];
            let changed: Vec<String> = typed
                .given("environment")
                .into_iter()
                .filter(|(key, _)| !SHARED_KEYS.contains(key) && !named.contains(key))
                .map(|(key, value)| format!("{} = {value}", key.trim_start_matches("environment.")))
                .collect();
            format!("{protocol} with {}", changed.join(", "))
        }
    };
    Ok(EnvironmentKind::Atari { config, protocol })
}

fn view(typed: &Typed, usual: View) -> Result<View, SettingsError> {
    let settings = &typed.settings.environment;
    let shape_keys = ["environment.colour", "environment.height", "environment.width"];
    let shape_key = typed.given("environment").into_iter().map(|(key, _)| key).find(|key| shape_keys.contains(key));
    match (settings.view, usual, shape_key) {
        (Some(ViewName::Ram), _, Some(key)) => {
            Err(typed.refuse_because(key, "RAM is not an image: leave it out, or leave out view = \"ram\""))
        }
        (Some(ViewName::Ram), ..) | (None, View::Ram, None) => Ok(View::Ram),
        (_, View::Image { colour, height, width }, _) => Ok(View::Image {
            colour: settings.colour.unwrap_or(colour),
            height: settings.height.unwrap_or(height),
            width: settings.width.unwrap_or(width),
        }),
        _ => Err(typed.refuse_because("environment.protocol", "it shows RAM and has no image to change")),
    }
}

fn chain(typed: &Typed) -> Result<EnvironmentKind, SettingsError> {
    let settings = &typed.settings.environment;
    let states = settings.states.filter(|states| *states <= 10_000).and_then(NonZeroUsize::new);
    let limit = match settings.step_limit {
        Some(OrNone(None)) => Some(TimeLimit::None),
        Some(OrNone(Some(steps))) => NonZeroU32::new(steps).map(TimeLimit::Steps),
        None => None,
    };
    Ok(EnvironmentKind::Chain {
        states: states.ok_or_else(|| typed.refuse("environment.states"))?,
        limit: limit.ok_or_else(|| typed.refuse("environment.step_limit"))?,
    })
}

fn network(typed: &Typed) -> Result<Torso, SettingsError> {
    let settings = &typed.settings.network;
    if settings.hidden.is_empty() || settings.hidden.iter().any(|features| !(1..=65_536).contains(features)) {
        return Err(typed.refuse("network.hidden"));
    }
    match (settings.kind, settings.hidden.as_slice()) {
        (NetworkName::Nature, &[hidden]) => Ok(Torso::Nature { hidden }),
        (NetworkName::Nature, _) => Err(typed.refuse("network.hidden")),
        (NetworkName::Mlp, hidden) => Ok(Torso::Mlp { hidden: hidden.to_vec() }),
    }
}

fn exploration(typed: &Typed) -> Result<LinearSchedule, SettingsError> {
    let settings = &typed.settings.exploration;
    probability(typed, "exploration.epsilon_start", settings.epsilon_start)?;
    probability(typed, "exploration.epsilon_end", settings.epsilon_end)?;
    LinearSchedule::new(settings.epsilon_start, settings.epsilon_end, AgentSteps(settings.epsilon_decay))
        .map_err(|_| typed.refuse("exploration.epsilon_decay"))
}

fn replay(typed: &Typed) -> Result<ReplayConfig, SettingsError> {
    let settings = &typed.settings;
    let capacity = settings.replay.capacity;
    if !(1..=1_000_000_000).contains(&capacity) {
        return Err(typed.refuse("replay.capacity"));
    }
    let warm_up = settings.replay.warm_up;
    if warm_up > capacity as u64 {
        let reason = format!("learning would begin after replay has begun to forget: set at most {capacity}");
        return Err(typed.refuse_because("replay.warm_up", reason));
    }
    // The steps still in the n-step tail of each environment have not become transitions yet.
    let least = settings.learning.batch_size + usize::from(settings.learning.n_step) * settings.environment.count;
    if warm_up < least as u64 {
        let reason = format!("the first batch must find enough transitions: set at least {least}");
        return Err(typed.refuse_because("replay.warm_up", reason));
    }
    Ok(ReplayConfig { capacity, warm_up: AgentSteps(warm_up) })
}

fn learning(typed: &Typed) -> Result<LearningConfig, SettingsError> {
    let settings = &typed.settings.learning;
    probability(typed, "learning.gamma", settings.gamma)?;
    if !(1..=1000).contains(&settings.n_step) {
        return Err(typed.refuse("learning.n_step"));
    }
    if !(1..=65_536).contains(&settings.batch_size) {
        return Err(typed.refuse("learning.batch_size"));
    }
    Ok(LearningConfig {
        gamma: settings.gamma,
        n_step: settings.n_step,
        batch_size: settings.batch_size,
        period: steps(typed, "learning.period", settings.period)?,
        target_period: steps(typed, "learning.target_period", settings.target_period)?,
    })
}

fn learner(typed: &Typed) -> Result<LearnerConfig, SettingsError> {
    let settings = &typed.settings.optimiser;
    let OptimiserName::Adam = settings.kind;
    positive_f32(typed, "optimiser.learning_rate", settings.learning_rate)?;
    let epsilon = positive_f32(typed, "optimiser.epsilon", settings.epsilon)?;
    let gradient_bound = match settings.gradient_norm {
        OrNone(None) => GradientBound::None,
        OrNone(Some(norm)) => GradientBound::GlobalNorm(positive_f32(typed, "optimiser.gradient_norm", norm)?),
    };
    Ok(LearnerConfig {
        loss: typed.settings.learning.loss,
        // The decay rates of the paper (Kingma, Ba 2015, algorithm 1); no preset needs others.
        optimiser: Adam { learning_rate: settings.learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon },
        gradient_bound,
    })
}

fn training(typed: &Typed, frame_skip: u32) -> Result<TrainingConfig, SettingsError> {
    let settings = &typed.settings.training;
    let limit = match (settings.agent_steps, settings.frames) {
        (Some(agent_steps), None) => steps(typed, "training.agent_steps", agent_steps)?,
        (None, Some(frames)) => {
            let limit = Frames(frames).agent_steps(frame_skip);
            steps(typed, "training.frames", limit.0)?
        }
        (None, None) => return Err(typed.refuse("training.agent_steps")),
        (Some(_), Some(_)) => {
            let reason = "training.agent_steps limits the run already: delete one of the two";
            return Err(typed.refuse_because("training.frames", reason));
        }
    };
    if settings.stop_score.0.is_some_and(|score| !score.is_finite()) {
        return Err(typed.refuse("training.stop_score"));
    }
    if settings.record_period == 0 {
        return Err(typed.refuse("training.record_period"));
    }
    Ok(TrainingConfig {
        limit,
        stop_score: settings.stop_score.0,
        score_window: episodes(typed, "training.score_window", settings.score_window)?,
        save_period: steps(typed, "training.save_period", settings.save_period)?,
        record_period: settings.record_period,
    })
}

fn evaluation(typed: &Typed) -> Result<EvaluationConfig, SettingsError> {
    let settings = &typed.settings.evaluation;
    probability(typed, "evaluation.epsilon", settings.epsilon)?;
    Ok(EvaluationConfig {
        period: settings.period.0.map(|period| steps(typed, "evaluation.period", period)).transpose()?,
        episodes: episodes(typed, "evaluation.episodes", settings.episodes)?,
        epsilon: settings.epsilon,
    })
}

fn probability(typed: &Typed, key: &'static str, value: f64) -> Result<(), SettingsError> {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(typed.refuse(key)) }
}

/// `value` as the kernels take it, which must not round to 0 or infinity.
fn positive_f32(typed: &Typed, key: &'static str, value: f64) -> Result<f32, SettingsError> {
    let value = value as f32;
    if value > 0.0 && value.is_finite() { Ok(value) } else { Err(typed.refuse(key)) }
}

fn steps(typed: &Typed, key: &'static str, value: u64) -> Result<AgentSteps, SettingsError> {
    if value > 0 { Ok(AgentSteps(value)) } else { Err(typed.refuse(key)) }
}

/// A number of episodes whose scores are all kept, for which there must be memory.
fn episodes(typed: &Typed, key: &'static str, value: usize) -> Result<NonZeroUsize, SettingsError> {
    if value <= 1_000_000 { count(typed, key, value) } else { Err(typed.refuse(key)) }
}

fn count(typed: &Typed, key: &'static str, value: usize) -> Result<NonZeroUsize, SettingsError> {
    NonZeroUsize::new(value).ok_or_else(|| typed.refuse(key))
}
