//! What an environment returns for each agent step.

use serde::{Deserialize, Serialize};

/// Where a time step lies in its learning episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StepType {
    /// The observation of a reset; it has no reward.
    First,
    /// A step inside the episode.
    Mid,
    /// The step that ends the episode: a termination has discount 0, a truncation keeps its discount.
    Last,
}

/// What has become of the whole game, which may span several learning episodes (one per life).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Game {
    /// The game goes on.
    Running,
    /// The game ended by its own rules; the score is complete.
    Over,
    /// The frame limit cut the game short; the score is complete as far as the protocol counts it.
    Truncated,
}

/// One agent step as the environment saw it, without the observation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeStep {
    /// Position in the learning episode.
    pub step_type: StepType,
    /// Reward to learn from, summed over the frames of the step and transformed as the environment was told.
    pub reward: f32,
    /// Reward as the game gave it; a game's score is the sum of these over all its time steps. A First time step has what
    /// the frames before a new game's first observation gave, and a Last one also what the frames between it and the next
    /// life gave: neither is part of `reward`.
    pub raw_reward: f32,
    /// What the value of the observation counts for in a bootstrapped return, beside the agent's own gamma: 0 after a
    /// termination, else 1 in the environments here; any number from 0 to 1 will do.
    pub discount: f32,
    /// State of the whole game after the step, Running in a First time step.
    pub game: Game,
    /// Lives left, 0 in environments that have none.
    pub lives: u32,
    /// Emulator frames this step took, those without an observation included: in a First time step the frames of the
    /// game's start, in a Last one that ends a life also those that open the next.
    pub frames: u32,
}

impl TimeStep {
    /// The time step of a reset.
    pub fn first(lives: u32) -> Self {
        Self {
            step_type: StepType::First,
            reward: 0.0,
            raw_reward: 0.0,
            discount: 1.0,
            game: Game::Running,
            lives,
            frames: 0,
        }
    }

    /// What is wrong with it as the answer to a reset or to an action; `None` where nothing is.
    pub(crate) fn fault(&self, to_reset: bool) -> Option<String> {
        let Self { step_type, reward, raw_reward, discount, game, .. } = *self;
        if (step_type == StepType::First) != to_reset {
            let (asked, must) = if to_reset { ("a reset", "First") } else { ("an action", "Mid or Last") };
            return Some(format!("it answered {asked} with a {step_type:?} time step, which must be {must}"));
        }
        if !(reward.is_finite() && raw_reward.is_finite()) {
            return Some(format!("its reward is {reward}, its raw reward {raw_reward}: rewards must be finite"));
        }
        if !(0.0..=1.0).contains(&discount) {
            return Some(format!("its discount is {discount}, which must lie between 0 and 1"));
        }
        if game != Game::Running && step_type != StepType::Last {
            return Some(format!("its game is {game:?} in a {step_type:?} time step, which must then be Last"));
        }
        None
    }

    /// The time step of an action in an environment without lives or emulator, where an episode is a game: it gave
    /// `reward` and left the game as `game` says.
    pub fn after_action(reward: f32, game: Game) -> Self {
        Self {
            step_type: if game == Game::Running { StepType::Mid } else { StepType::Last },
            reward,
            raw_reward: reward,
            discount: if game == Game::Over { 0.0 } else { 1.0 },
            game,
            lives: 0,
            frames: 1,
        }
    }
}
