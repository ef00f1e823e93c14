//! The validated configuration: what it holds can be run.

use std::num::{NonZeroU32, NonZeroUsize};

use prism_algorithms::{
    ActingNoise, GradientBound, LearnerConfig, LinearSchedule, Loss, Priority, PriorityMeasure, Sampling, TdLoss,
};
use prism_environment::{
    AgentSteps, AtariConfig, AtariConfigError, AtariOption, AtariOptions, Frames, Protocol, TimeLimit, View,
};
use prism_model::{
    Activation, Adam, Convolution, Layers, Noise, Optimiser, Output, RmsProp, Scaling, Streams, Support, Torso,
};
use serde::Serialize;

use crate::settings::{
    EnvironmentName, LayersName, LossName, NetworkName, OptimiserName, OrNone, OutputName, PriorityName, SamplingName,
    Settings, StreamsName, Typed, ViewName,
};
use crate::{Override, SettingsError, Source};

/// Everything that decides a run except its seed, device and folder.
#[derive(Clone, Debug, Serialize)]
pub struct Config {
    /// What is played.
    pub environment: EnvironmentConfig,
    /// The network, but for what the environment decides.
    pub network: NetworkParts,
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
    /// What is measured beside learning.
    pub diagnostics: DiagnosticsConfig,
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

/// A network without its input and its number of actions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NetworkParts {
    /// How observations are scaled.
    pub scaling: Scaling,
    /// From observations to the last features.
    pub torso: Torso,
    /// Between hidden layers.
    pub activation: Activation,
    /// One stream to the output, or two.
    pub streams: Streams,
    /// Kind of the fully connected layers.
    pub layers: Layers,
    /// What comes out for each action.
    pub output: Output,
}

/// What is remembered, and how it is drawn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReplayConfig {
    /// Transitions kept.
    pub capacity: usize,
    /// Agent steps before learning begins.
    pub warm_up: AgentSteps,
    /// How transitions are drawn.
    pub sampling: Sampling,
    /// Where priorities come from and how they are made up for; absent where sampling has none.
    pub prioritization: Option<Prioritization>,
}

/// Priorities and their correction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prioritization {
    /// How losses become priorities.
    pub priority: Priority,
    /// The importance exponent, by agent steps over all environments together.
    pub importance: LinearSchedule,
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
    /// Whether the environments go on while the network learns. Actions are then chosen with the weights of before the
    /// updates that are under way, and those do not see what is played meanwhile; a run stays the same whenever it is
    /// repeated.
    pub pipeline: bool,
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
    /// What noisy layers do.
    pub noise: ActingNoise,
}

/// What is measured beside learning, once for each row of the training records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DiagnosticsConfig {
    /// Observations held out at the end of the warm-up, over which q-values are averaged; 0 for none.
    pub held_out: usize,
    /// Which distributions are written down.
    pub distributions: Option<DistributionRecords>,
}

/// Distributions that are written down as they change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DistributionRecords {
    /// How many observations they are of, taken at the end of the warm-up.
    pub observations: NonZeroUsize,
    /// Updates between writings.
    pub period: u64,
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
            diagnostics: diagnostics(&typed)?,
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
fn environment(typed: &Typed) -> Result<EnvironmentConfig, SettingsError> {
    let settings = &typed.settings.environment;
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
        points: settings.points.unwrap_or(usual.points),
        reward: settings.reward.unwrap_or(usual.reward),
        actions: settings.actions.unwrap_or(usual.actions),
        mode: settings.mode.unwrap_or(usual.mode),
        difficulty: settings.difficulty.unwrap_or(usual.difficulty),
        frame_limit: settings.frame_limit.map_or(usual.frame_limit, |OrNone(limit)| limit),
        game: usual.game,
    };
    let config = AtariConfig::new(options).map_err(|error| match error {
        AtariConfigError::OutOfRange { option, .. } => typed.refuse(match option {
            AtariOption::ViewHeight => "environment.height",
            AtariOption::ViewWidth => "environment.width",
            AtariOption::Stack => "environment.stack",
            AtariOption::FrameSkip => "environment.frame_skip",
            AtariOption::RepeatActionProbability => "environment.repeat_action_probability",
            AtariOption::NoOpMax => "environment.no_op_max",
            AtariOption::FrameLimit => "environment.frame_limit",
        }),
        error => typed.refuse_because("environment.game", format!("{error} (`prism roms list` lists all games)")),
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

fn network(typed: &Typed) -> Result<NetworkParts, SettingsError> {
    let settings = &typed.settings.network;
    if settings.hidden.is_empty() || settings.hidden.iter().any(|features| !(1..=65_536).contains(features)) {
        return Err(typed.refuse("network.hidden"));
    }
    let torso = match (settings.kind, settings.hidden.as_slice()) {
        (NetworkName::Nature, &[hidden]) => Torso::Nature { hidden },
        (NetworkName::Nature, _) => return Err(typed.refuse("network.hidden")),
        (NetworkName::Convolutional, hidden) => {
            Torso::Convolutional { convolutions: convolutions(typed)?, hidden: hidden.to_vec() }
        }
        (NetworkName::Impala, hidden) => Torso::Impala { channels: channels(typed)?, hidden: hidden.to_vec() },
        (NetworkName::Mlp, hidden) => Torso::Mlp { hidden: hidden.to_vec() },
    };
    Ok(NetworkParts {
        scaling: settings.scaling,
        torso,
        activation: settings.activation,
        streams: match settings.streams {
            StreamsName::Single => Streams::Single,
            StreamsName::Dueling => Streams::Dueling,
        },
        layers: layers(typed)?,
        output: output(typed)?,
    })
}

fn convolutions(typed: &Typed) -> Result<Vec<Convolution>, SettingsError> {
    let key = "network.convolutions";
    let fits = |&Convolution { size, stride, channels }: &Convolution| {
        (1..=64).contains(&size) && (1..=64).contains(&stride) && (1..=4096).contains(&channels)
    };
    let given = typed.settings.network.convolutions.as_ref();
    given.filter(|given| !given.is_empty() && given.iter().all(fits)).cloned().ok_or_else(|| typed.refuse(key))
}

fn channels(typed: &Typed) -> Result<Vec<usize>, SettingsError> {
    let key = "network.channels";
    let given = typed.settings.network.channels.as_ref();
    let fits = |channels: &usize| (1..=4096).contains(channels);
    given.filter(|given| !given.is_empty() && given.iter().all(fits)).cloned().ok_or_else(|| typed.refuse(key))
}

fn layers(typed: &Typed) -> Result<Layers, SettingsError> {
    let settings = &typed.settings.network;
    let noise = match settings.layers {
        LayersName::Plain => return Ok(Layers::Plain),
        LayersName::NoisyIndependent => Noise::Independent,
        LayersName::NoisyFactorised => Noise::Factorised,
    };
    let sigma = settings.sigma.ok_or_else(|| typed.refuse("network.sigma"))?;
    positive_f32(typed, "network.sigma", sigma)?;
    Ok(Layers::Noisy { noise, sigma })
}

fn output(typed: &Typed) -> Result<Output, SettingsError> {
    let settings = &typed.settings.network;
    if settings.output == OutputName::QValues {
        return Ok(Output::QValues);
    }
    let [atoms_key, v_min_key, v_max_key] = ["network.atoms", "network.v_min", "network.v_max"];
    let atoms = settings.atoms.filter(|atoms| (2..=1000).contains(atoms)).ok_or_else(|| typed.refuse(atoms_key))?;
    let v_min = settings.v_min.ok_or_else(|| typed.refuse(v_min_key))?;
    let v_max = settings.v_max.ok_or_else(|| typed.refuse(v_max_key))?;
    let support =
        Support::new(v_min as f32, v_max as f32, atoms).map_err(|error| typed.refuse_because(v_max_key, error))?;
    Ok(Output::Distribution(support))
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
    let sampling = sampling(typed)?;
    Ok(ReplayConfig {
        capacity,
        warm_up: AgentSteps(warm_up),
        prioritization: prioritization(typed, &sampling)?,
        sampling,
    })
}

fn sampling(typed: &Typed) -> Result<Sampling, SettingsError> {
    let settings = &typed.settings.replay;
    let exponent = || match settings.priority_exponent {
        Some(exponent) if (0.0..=1.0).contains(&exponent) => Ok(exponent),
        _ => Err(typed.refuse("replay.priority_exponent")),
    };
    Ok(match settings.sampling {
        SamplingName::Uniform => Sampling::Uniform,
        SamplingName::Proportional => Sampling::Proportional { exponent: exponent()? },
        SamplingName::RankBased => Sampling::RankBased { exponent: exponent()? },
        SamplingName::CopyRewarded => {
            let copies = settings
                .copies
                .filter(|copies| (1..=1000).contains(copies) && usize::from(*copies) < settings.capacity);
            let above = settings.copies_above.map(|above| above as f32).filter(|above| above.is_finite());
            Sampling::CopyRewarded {
                copies: copies.ok_or_else(|| typed.refuse("replay.copies"))?,
                above: above.ok_or_else(|| typed.refuse("replay.copies_above"))?,
            }
        }
    })
}

fn prioritization(typed: &Typed, sampling: &Sampling) -> Result<Option<Prioritization>, SettingsError> {
    let settings = &typed.settings.replay;
    if let Sampling::Uniform | Sampling::CopyRewarded { .. } = sampling {
        return Ok(None);
    }
    let measure = match settings.priority.ok_or_else(|| typed.refuse("replay.priority"))? {
        PriorityName::Loss => PriorityMeasure::Loss,
        PriorityName::TdError if typed.settings.learning.loss == LossName::CrossEntropy => {
            let reason = "distributions have no temporal-difference error: set \"loss\", which is what Rainbow does";
            return Err(typed.refuse_because("replay.priority", reason));
        }
        PriorityName::TdError => PriorityMeasure::TdError,
    };
    let offset =
        settings.priority_offset.map(|offset| offset as f32).filter(|offset| (0.0..=f32::MAX).contains(offset));
    let share = |key: &'static str, value: Option<f64>| {
        let value = value.ok_or_else(|| typed.refuse(key))?;
        probability(typed, key, value).map(|()| value)
    };
    let start = share("replay.importance_start", settings.importance_start)?;
    let end = share("replay.importance_end", settings.importance_end)?;
    let decay = settings.importance_decay.ok_or_else(|| typed.refuse("replay.importance_decay"))?;
    let importance = LinearSchedule::new(start, end, AgentSteps(decay));
    Ok(Some(Prioritization {
        priority: Priority { measure, offset: offset.ok_or_else(|| typed.refuse("replay.priority_offset"))? },
        importance: importance.map_err(|_| typed.refuse("replay.importance_decay"))?,
    }))
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
        pipeline: settings.pipeline.unwrap_or(false),
        target_period: steps(typed, "learning.target_period", settings.target_period)?,
    })
}

fn learner(typed: &Typed) -> Result<LearnerConfig, SettingsError> {
    let gradient_bound = match typed.settings.optimiser.gradient_norm {
        OrNone(None) => GradientBound::None,
        OrNone(Some(norm)) => GradientBound::GlobalNorm(positive_f32(typed, "optimiser.gradient_norm", norm)?),
    };
    Ok(LearnerConfig {
        loss: loss(typed)?,
        bootstrap: typed.settings.learning.bootstrap,
        optimiser: optimiser(typed)?,
        gradient_bound,
    })
}

fn loss(typed: &Typed) -> Result<Loss, SettingsError> {
    let settings = &typed.settings.learning;
    match (settings.loss, typed.settings.network.output) {
        (LossName::CrossEntropy, OutputName::QValues) => {
            let reason =
                "it needs distributions: set network.output = \"distribution\", or a \"squared\" or \"huber\" loss";
            return Err(typed.refuse_because("learning.loss", reason));
        }
        (LossName::Squared | LossName::Huber, OutputName::Distribution) => {
            let reason = "it needs q-values: set network.output = \"q-values\", or the loss \"cross-entropy\"";
            return Err(typed.refuse_because("learning.loss", reason));
        }
        _ => {}
    }
    Ok(match settings.loss {
        LossName::Squared => Loss::Td(TdLoss::Squared),
        LossName::Huber => Loss::Td(TdLoss::Huber),
        LossName::CrossEntropy => Loss::CrossEntropy(
            settings.distribution_target.ok_or_else(|| typed.refuse("learning.distribution_target"))?,
        ),
    })
}

fn optimiser(typed: &Typed) -> Result<Optimiser, SettingsError> {
    let settings = &typed.settings.optimiser;
    let learning_rate = settings.learning_rate;
    positive_f32(typed, "optimiser.learning_rate", learning_rate)?;
    if settings.kind == OptimiserName::Sgd {
        return Ok(Optimiser::Sgd { learning_rate });
    }
    let epsilon = settings.epsilon.ok_or_else(|| typed.refuse("optimiser.epsilon"))?;
    let epsilon = positive_f32(typed, "optimiser.epsilon", epsilon)?;
    if settings.kind == OptimiserName::Adam {
        // The decay rates of the paper (Kingma, Ba 2015, algorithm 1); no preset needs others.
        return Ok(Optimiser::Adam(Adam { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon }));
    }
    match settings.decay.map(|decay| decay as f32) {
        Some(decay) if decay > 0.0 && decay < 1.0 => Ok(Optimiser::RmsProp(RmsProp { learning_rate, decay, epsilon })),
        _ => Err(typed.refuse("optimiser.decay")),
    }
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
        noise: settings.noise,
    })
}

fn diagnostics(typed: &Typed) -> Result<DiagnosticsConfig, SettingsError> {
    let settings = &typed.settings.diagnostics;
    if settings.held_out > 100_000 {
        return Err(typed.refuse("diagnostics.held_out"));
    }
    let (observations_key, period_key) = ("diagnostics.distributions", "diagnostics.distribution_period");
    let distributions = match (settings.distributions, settings.distribution_period) {
        (None, None) => None,
        (None, Some(_)) => return Err(typed.refuse(observations_key)),
        (_, None | Some(0)) => return Err(typed.refuse(period_key)),
        (Some(observations), Some(period)) if observations <= 1000 => {
            Some(DistributionRecords { observations: count(typed, observations_key, observations)?, period })
        }
        _ => return Err(typed.refuse(observations_key)),
    };
    Ok(DiagnosticsConfig { held_out: settings.held_out, distributions })
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
