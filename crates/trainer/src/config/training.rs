//! `[training]`: when a run ends and what it keeps.

use std::num::NonZeroUsize;

use prism_environment::{AgentSteps, Frames};

use super::given::Given;
use super::key::{Bounds, Key, Setting, keys, number, truth, whole};

/// When a run ends and what it keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingConfig {
    /// Agent steps after which the run ends at the latest.
    pub limit: AgentSteps,
    /// The run ends when the mean score of a full window reaches this.
    pub stop_score: Option<f64>,
    /// Episodes in the mean that is shown and held against the stop score.
    pub score_window: NonZeroUsize,
    /// Agent steps between writings of the latest weights and of checkpoints.
    pub save_period: AgentSteps,
    /// Whether the whole state of the run is saved with the weights, so that it can go on.
    pub checkpoints: bool,
    /// Whether the environments go on while the network learns. Actions are then chosen with the weights from before the
    /// updates that are under way, and those do not see what is played meanwhile; a run stays the same whenever it is
    /// repeated.
    pub pipeline: bool,
}

keys! {
    const AGENT_STEPS: Key<AgentSteps> = whole("training.agent_steps", 1..=u64::MAX, "agent steps", "When the run ends at the latest, over all environments together.");
    const FRAMES: Key<Frames> = whole("training.frames", 1..=u64::MAX, "emulator frames", "The same in emulator frames, in place of agent steps; without an emulator, an agent step is one frame.");
    pub(super) const STOP_SCORE: Key<Option<f64>> = number("training.stop_score", "a score", Bounds::Finite, "The mean score that ends the run as solved; \"none\" trains until the limit.").or("none");
    const SCORE_WINDOW: Key<NonZeroUsize> = whole("training.score_window", 1..=1_000_000, "episodes", "Episodes in the mean score that is shown and held against the stop score.");
    const SAVE_PERIOD: Key<AgentSteps> = whole("training.save_period", 1..=u64::MAX, "agent steps", "How often the latest weights and a checkpoint are written.");
    const CHECKPOINTS: Key<bool> = truth("training.checkpoints", "Whether checkpoints are written, from which `prism resume` goes on: of a full Atari replay of a million transitions they take a few gigabytes of disk at most.").otherwise("true");
    const PIPELINE: Key<bool> = truth("training.pipeline", "Whether environments go on while the network learns, with the weights from before the update: faster, with other results.").formerly("learning.pipeline").otherwise("false");
}

/// The two ways to limit a run: in agent steps and in frames.
pub(super) const LIMITS: [&str; 2] = [AGENT_STEPS.path(), FRAMES.path()];

pub(super) fn read(given: &mut Given, frame_skip: u32) -> TrainingConfig {
    TrainingConfig {
        limit: limit(given, frame_skip),
        stop_score: given.get(&STOP_SCORE),
        score_window: given.get(&SCORE_WINDOW),
        save_period: given.get(&SAVE_PERIOD),
        checkpoints: given.get(&CHECKPOINTS),
        pipeline: given.get(&PIPELINE),
    }
}

fn limit(given: &mut Given, frame_skip: u32) -> AgentSteps {
    let Some(frames) = given.get_if_given(&FRAMES) else { return given.get(&AGENT_STEPS) };
    let limit = frames.agent_steps(frame_skip);
    if limit.0 == 0 {
        let expected = FRAMES.expected();
        let reason = format!("expected {expected}, and at least the frames of one agent step, {frame_skip}");
        given.refuse(FRAMES.path(), &[], reason);
    }
    given.withdraw(FRAMES.path());
    given.settle(AGENT_STEPS.path(), i64::try_from(limit.0).unwrap_or(i64::MAX));
    limit
}
