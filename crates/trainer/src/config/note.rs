//! What there is to say about a configuration that can be used, but may not be what was meant.

use std::fmt;

use prism_algorithms::AgentConfig;
use prism_environment::{AgentSteps, Protocol};

use super::error::Origin;

/// Something about a configuration that its user would want to know.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// A setting was given twice, differently.
    GivenTwice {
        /// The setting.
        key: &'static str,
        /// The value that counts, and where it was given.
        used: (String, Origin),
        /// The other.
        unused: (String, Origin),
    },
    /// The score that ends a run was another game's, so that none does.
    StopScoreOfAnotherGame {
        /// The score.
        score: String,
        /// The game that it is of.
        before: String,
        /// The game that is played.
        after: String,
    },
    /// The game's name stands for other rules where it comes from.
    OtherRules {
        /// The name as it was written.
        game: String,
        /// The protocol nearest to what it stands for.
        nearest: Protocol,
        /// The protocol that is in force.
        protocol: Protocol,
    },
    /// ε has fallen before the network has learned anything.
    ExplorationEndsInWarmUp {
        /// When ε is at its end.
        end: AgentSteps,
        /// When learning begins.
        warm_up: AgentSteps,
    },
    /// The run ends before ε has fallen.
    ExplorationOutlastsRun {
        /// When ε would be at its end.
        end: AgentSteps,
        /// When the run ends.
        limit: AgentSteps,
        /// ε at the end of the run.
        epsilon: f64,
    },
    /// The run ends before learning begins.
    WarmUpOutlastsRun {
        /// When learning would begin.
        warm_up: AgentSteps,
        /// When the run ends.
        limit: AgentSteps,
    },
    /// The run ends before the target network is replaced for the first time.
    TargetOutlastsRun {
        /// When it would first be replaced.
        first: AgentSteps,
        /// When the run ends.
        limit: AgentSteps,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GivenTwice { key, used: (used, used_by), unused: (unused, unused_by) } if used_by == unused_by => {
                write!(f, "{key} is given twice ({used_by}): {used} counts, {unused} does not")
            }
            Self::GivenTwice { key, used: (used, used_by), unused: (unused, unused_by) } => {
                write!(f, "{key} is given twice: {used} ({used_by}) counts, {unused} ({unused_by}) does not")
            }
            Self::StopScoreOfAnotherGame { score, before, after } => {
                write!(f, "no score ends this run: {score} is a score of {before}, and {after} is played")
            }
            Self::OtherRules { game, nearest, protocol } => write!(
                f,
                "elsewhere {game} also names rules, of which protocol {nearest} comes nearest; this run has protocol {protocol} \
                 (environment.protocol = \"{nearest}\" changes that)"
            ),
            Self::ExplorationEndsInWarmUp { end, warm_up } => write!(
                f,
                "epsilon has fallen after {end}, before learning begins after {warm_up}: the rest of the warm-up is played by \
                 an untrained network"
            ),
            Self::ExplorationOutlastsRun { end, limit, epsilon } => write!(
                f,
                "epsilon would fall until {end} and is still {epsilon:.3} when the run ends after {limit} at the latest"
            ),
            Self::WarmUpOutlastsRun { warm_up, limit } => {
                write!(
                    f,
                    "nothing is learned: the run ends after {limit} at the latest, learning begins after {warm_up}"
                )
            }
            Self::TargetOutlastsRun { first, limit } => write!(
                f,
                "the target network is never replaced: the run ends after {limit} at the latest, the first replacement is \
                 after {first}"
            ),
        }
    }
}

/// What there is to say about a run of this agent that ends after `limit` at the latest.
pub(super) fn of_run(agent: &AgentConfig, limit: AgentSteps) -> Vec<Note> {
    let mut notes = Vec::new();
    let warm_up = agent.replay.warm_up;
    let epsilon = |step| agent.exploration.value(step);
    let end = agent.exploration.end_of_decay();
    let falls = epsilon(AgentSteps(0)) != epsilon(AgentSteps(u64::MAX));
    if falls && end < warm_up {
        notes.push(Note::ExplorationEndsInWarmUp { end, warm_up });
    }
    if falls && end > limit {
        notes.push(Note::ExplorationOutlastsRun { end, limit, epsilon: epsilon(limit) });
    }
    if warm_up >= limit {
        notes.push(Note::WarmUpOutlastsRun { warm_up, limit });
    } else {
        // The first multiple of the period after the warm-up.
        let period = agent.learning.target_period.0;
        let first = AgentSteps((warm_up.0 / period + 1).saturating_mul(period));
        if first > limit {
            notes.push(Note::TargetOutlastsRun { first, limit });
        }
    }
    notes
}
