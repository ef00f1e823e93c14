//! What can be chosen about an Atari environment.

use std::fmt;

use prism_frames::Colour;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::games::{GameInfo, UnknownGame};
use crate::time_step::Game;

/// What an agent sees of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum View {
    /// The screen, resized.
    Image {
        /// Channels.
        colour: Colour,
        /// Rows of the image.
        height: usize,
        /// Columns of the image.
        width: usize,
    },
    /// The 128 bytes of the console's RAM after the step's last frame.
    Ram,
}

/// Which of a step's screens an image shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The elementwise maximum of the step's last two screens, which games that draw a sprite in every other frame need.
    /// A step of a single frame has only that one.
    LastTwo,
    /// The step's last screen.
    Last,
}

/// Which actions the agent chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionSet {
    /// Those that do something in the game.
    Minimal,
    /// All 18.
    Full,
}

/// What opens a life, at the start of a game and after a lost life that ended an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FireReset {
    /// Nothing.
    Off,
    /// FIRE for an agent step and then the set's third action for another, if the set has FIRE: games that wait for it
    /// start. It is Baselines' `FireResetEnv`.
    Press,
}

/// What the loss of a life means for learning. The score always spans the whole game.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LifeLoss {
    /// Nothing.
    Ignore,
    /// The step's discount is 0 and the episode goes on.
    ZeroDiscount,
    /// The episode ends there; the next reset goes on with the same game.
    EpisodeEnd,
}

/// What points, gained or lost, mean for learning beyond their reward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Points {
    /// Nothing: returns reach past them.
    GoOn,
    /// The discount of a step with points is 0 and the episode goes on. In games of rallies, such as Pong, nothing before a
    /// point has a part in the next rally; Karpathy 2016 ("Pong from pixels") ends his sums of rewards there.
    ZeroDiscount,
}

/// How a step's points become the reward to learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RewardTransform {
    /// As they are.
    Raw,
    /// Cut to -1..1 after summing over the step's frames.
    Clip,
    /// Their sign. ALE's points are whole numbers, for which this equals [`RewardTransform::Clip`]; both exist because
    /// protocols are written in either word.
    Sign,
    /// One of three numbers, as "Deep Reinforcement Learning in Action" (Zai and Brown 2020, chapter 7) shapes Freeway.
    Shaped {
        /// For a step that gains points.
        scored: i16,
        /// For a step that ends the game without gaining any.
        ended: i16,
        /// For every other step.
        otherwise: i16,
    },
}

impl RewardTransform {
    /// The reward to learn from of a step that gave `raw` points and left the game as `game` says.
    pub(crate) fn apply(self, raw: f32, game: Game) -> f32 {
        match self {
            Self::Shaped { scored, .. } if raw > 0.0 => scored.into(),
            Self::Shaped { ended, .. } if game == Game::Over => ended.into(),
            Self::Shaped { otherwise, .. } => otherwise.into(),
            Self::Raw => raw,
            Self::Clip => raw.clamp(-1.0, 1.0),
            Self::Sign if raw == 0.0 => 0.0,
            Self::Sign => raw.signum(),
        }
    }
}

/// What plays the game.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmulatorChoice {
    /// The Arcade Learning Environment's library of February 2020.
    #[default]
    Ale,
    /// The console in Rust, equal to that library frame by frame.
    #[serde(rename = "console-2020")]
    Console2020,
    /// The console in Rust, equal to version 0.12 of the Arcade Learning Environment.
    Console,
}

/// Everything about an Atari environment that can be chosen, as it was typed. [`AtariConfig`] holds only valid ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtariOptions {
    /// Name of the game, such as `space_invaders`.
    pub game: String,
    /// What the agent sees.
    pub view: View,
    /// Which of a step's screens it sees.
    pub pooling: Pooling,
    /// Frames of the view in an observation.
    pub stack: usize,
    /// Emulator frames per agent step.
    pub frame_skip: u32,
    /// Chance, for each emulator frame, that the console sees the previous frame's action instead of the new one.
    pub repeat_action_probability: f32,
    /// A new game starts with 1 to this many frames without action, uniformly drawn; 0 for none at all.
    pub no_op_max: u32,
    /// What a reset does with the fire button.
    pub fire_reset: FireReset,
    /// What the loss of a life means.
    pub life_loss: LifeLoss,
    /// What points mean beyond their reward.
    pub points: Points,
    /// How points become rewards.
    pub reward: RewardTransform,
    /// Which actions there are.
    pub actions: ActionSet,
    /// Game mode; 0 is every game's own default.
    pub mode: u32,
    /// Difficulty; 0 is every game's own default.
    pub difficulty: u32,
    /// Emulator frames after which a game is truncated, counted from its first observation; `None` for no limit.
    pub frame_limit: Option<u32>,
    /// What plays the game.
    #[serde(default)]
    pub emulator: EmulatorChoice,
}

/// An option that must be a number within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AtariOption {
    /// `height` of [`View::Image`].
    ViewHeight,
    /// `width` of [`View::Image`].
    ViewWidth,
    /// [`AtariOptions::stack`].
    Stack,
    /// [`AtariOptions::frame_skip`].
    FrameSkip,
    /// [`AtariOptions::repeat_action_probability`].
    RepeatActionProbability,
    /// [`AtariOptions::no_op_max`].
    NoOpMax,
    /// [`AtariOptions::frame_limit`].
    FrameLimit,
}

impl AtariOption {
    /// Path of the field in [`AtariOptions`], such as `view.height`.
    pub fn path(self) -> &'static str {
        match self {
            Self::ViewHeight => "view.height",
            Self::ViewWidth => "view.width",
            Self::Stack => "stack",
            Self::FrameSkip => "frame_skip",
            Self::RepeatActionProbability => "repeat_action_probability",
            Self::NoOpMax => "no_op_max",
            Self::FrameLimit => "frame_limit",
        }
    }
}

impl fmt::Display for AtariOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

/// Why options make no environment.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum AtariConfigError {
    /// No game has this name.
    #[error(transparent)]
    UnknownGame(#[from] UnknownGame),
    /// A number lies outside of what it may be.
    #[error("{option} is {value}: it must be {allowed}")]
    OutOfRange {
        /// The option.
        option: AtariOption,
        /// What was given.
        value: String,
        /// What is possible.
        allowed: &'static str,
    },
}

/// Options that make an environment. What depends on the game's own program, its modes and difficulties, is checked when
/// the game is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "AtariOptions", into = "AtariOptions")]
pub struct AtariConfig {
    options: AtariOptions,
}

impl AtariConfig {
    /// Checks the options; the game's name is brought into ALE's spelling.
    ///
    /// # Errors
    /// When an option cannot be what it is.
    pub fn new(mut options: AtariOptions) -> Result<Self, AtariConfigError> {
        options.game = GameInfo::find(&options.game)?.name.into();
        if let View::Image { height, width, .. } = options.view {
            require(AtariOption::ViewHeight, height, (1..=1024).contains(&height), "1 to 1024")?;
            require(AtariOption::ViewWidth, width, (1..=1024).contains(&width), "1 to 1024")?;
        }
        require(AtariOption::Stack, options.stack, (1..=64).contains(&options.stack), "1 to 64")?;
        require(AtariOption::FrameSkip, options.frame_skip, (1..=1000).contains(&options.frame_skip), "1 to 1000")?;
        let probability = options.repeat_action_probability;
        require(
            AtariOption::RepeatActionProbability,
            probability,
            (0.0..1.0).contains(&probability),
            "at least 0 and below 1",
        )?;
        require(AtariOption::NoOpMax, options.no_op_max, options.no_op_max <= 10_000, "0 to 10000")?;
        if let Some(limit) = options.frame_limit {
            require(AtariOption::FrameLimit, limit, limit > 0, "at least 1")?;
        }
        Ok(Self { options })
    }

    /// The options, all valid.
    pub fn options(&self) -> &AtariOptions {
        &self.options
    }

    /// The game.
    pub(crate) fn game(&self) -> &'static GameInfo {
        GameInfo::find(&self.options.game).expect("the game's name was checked")
    }
}

impl TryFrom<AtariOptions> for AtariConfig {
    type Error = AtariConfigError;

    fn try_from(options: AtariOptions) -> Result<Self, AtariConfigError> {
        Self::new(options)
    }
}

impl From<AtariConfig> for AtariOptions {
    fn from(config: AtariConfig) -> Self {
        config.options
    }
}

fn require(
    option: AtariOption,
    value: impl fmt::Display,
    holds: bool,
    allowed: &'static str,
) -> Result<(), AtariConfigError> {
    if holds { Ok(()) } else { Err(AtariConfigError::OutOfRange { option, value: value.to_string(), allowed }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atari::protocol::Protocol;

    #[test]
    fn options_out_of_range_are_refused_by_name() {
        let valid = Protocol::Deepmind.options("pong");
        let image = |height, width| View::Image { colour: Colour::Grey, height, width };
        let cases = [
            (AtariOptions { view: image(0, 84), ..valid.clone() }, "view.height is 0"),
            (AtariOptions { view: image(84, 5000), ..valid.clone() }, "view.width is 5000"),
            (AtariOptions { stack: 0, ..valid.clone() }, "stack is 0"),
            (AtariOptions { frame_skip: 0, ..valid.clone() }, "frame_skip is 0"),
            (AtariOptions { repeat_action_probability: 1.0, ..valid.clone() }, "repeat_action_probability is 1"),
            (AtariOptions { repeat_action_probability: f32::NAN, ..valid.clone() }, "repeat_action_probability is NaN"),
            (AtariOptions { no_op_max: 100_000, ..valid.clone() }, "no_op_max is 100000"),
            (AtariOptions { frame_limit: Some(0), ..valid.clone() }, "frame_limit is 0"),
            (AtariOptions { game: "doom".into(), ..valid }, "unknown game 'doom'"),
        ];
        for (options, message) in cases {
            let error = AtariConfig::new(options).expect_err(message).to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn rewards_are_transformed_as_named() {
        let transformed =
            |transform: RewardTransform| [-20.0, -0.5, 0.0, 0.5, 7.0].map(|raw| transform.apply(raw, Game::Running));
        assert_eq!(transformed(RewardTransform::Raw), [-20.0, -0.5, 0.0, 0.5, 7.0]);
        assert_eq!(transformed(RewardTransform::Clip), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(transformed(RewardTransform::Sign), [-1.0, -1.0, 0.0, 1.0, 1.0]);
        let shaped = RewardTransform::Shaped { scored: 10, ended: -10, otherwise: -1 };
        assert_eq!(transformed(shaped), [-1.0, -1.0, -1.0, 10.0, 10.0]);
        assert_eq!([shaped.apply(0.0, Game::Over), shaped.apply(1.0, Game::Over)], [-10.0, 10.0]);
    }
}
