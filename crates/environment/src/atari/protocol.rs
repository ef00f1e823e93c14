//! The named protocols that Atari scores are compared under.

use std::fmt;
use std::str::FromStr;

use prism_frames::Colour;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::games::Spelling;
use super::options::{
    ActionSet, AtariConfig, AtariConfigError, AtariOptions, EmulatorChoice, FireReset, LifeLoss, Points, Pooling,
    RewardTransform, View,
};

/// A convention that scores are compared under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Mnih et al. 2015 and the agents that followed: no sticky actions, no-op starts, no bootstrapping over lost lives.
    Deepmind,
    /// Machado et al. 2018: sticky actions, no signal of lost lives, all 18 actions. Their own experiments skip 5 frames;
    /// here it is 4, as in the other protocols.
    Machado,
    /// Castro et al. 2018: sticky actions, no signal of lost lives, minimal actions.
    Dopamine,
    /// Huang et al. 2022: no sticky actions, no-op starts, fire on reset, an episode for each life. Games start and go on as
    /// with the wrappers that CleanRL takes from Stable-Baselines3, `NoopResetEnv`, `EpisodicLifeEnv`, `FireResetEnv`: no-ops,
    /// or an agent step without action after a lost life, then FIRE for an agent step, then the third action for one.
    ///
    /// What differs from CleanRL:
    ///
    /// | what | CleanRL | here |
    /// |---|---|---|
    /// | a lost life ends the episode | after the agent step in which it is lost | at its frame |
    /// | the last life | ends with the game | ends at its frame; the game that ends while the next life would open is over |
    /// | missing frames of the first stack | copies of the first frame | zeros |
    /// | images | maximum of colours, resized, then grey | grey, maximum, resized |
    Cleanrl,
}

/// A name that is none of the protocols'.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("unknown protocol '{0}': there are deepmind, machado, dopamine and cleanrl")]
pub struct UnknownProtocol(pub String);

impl Protocol {
    /// All protocols.
    pub const ALL: [Self; 4] = [Self::Deepmind, Self::Machado, Self::Dopamine, Self::Cleanrl];

    /// The name that scores carry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deepmind => "deepmind",
            Self::Machado => "machado",
            Self::Dopamine => "dopamine",
            Self::Cleanrl => "cleanrl",
        }
    }

    /// What it means, in one line.
    pub fn description(self) -> &'static str {
        match self {
            Self::Deepmind => {
                "no sticky actions, no-op starts up to 30, discount 0 at a lost life, clipped rewards, minimal actions"
            }
            Self::Machado => "sticky actions 0.25, no signal of lost lives, clipped rewards, all 18 actions",
            Self::Dopamine => "sticky actions 0.25, no signal of lost lives, clipped rewards, minimal actions",
            Self::Cleanrl => {
                "no sticky actions, no-op starts up to 30, fire on reset, an episode per life, reward signs, minimal actions"
            }
        }
    }

    /// The protocol's options for a game. All four look at 84 x 84 grey images, 4 in a stack, skip 4 frames, pool the
    /// last two, and truncate games after 108,000 frames (half an hour of play).
    pub fn options(self, game: &str) -> AtariOptions {
        let sticky = AtariOptions {
            game: game.into(),
            view: View::Image { colour: Colour::Grey, height: 84, width: 84 },
            pooling: Pooling::LastTwo,
            stack: 4,
            frame_skip: 4,
            repeat_action_probability: 0.25,
            no_op_max: 0,
            fire_reset: FireReset::Off,
            life_loss: LifeLoss::Ignore,
            points: Points::GoOn,
            reward: RewardTransform::Clip,
            actions: ActionSet::Minimal,
            mode: 0,
            difficulty: 0,
            frame_limit: Some(108_000),
            emulator: EmulatorChoice::Ale,
        };
        let no_op_starts = AtariOptions { repeat_action_probability: 0.0, no_op_max: 30, ..sticky.clone() };
        match self {
            Self::Deepmind => AtariOptions { life_loss: LifeLoss::ZeroDiscount, ..no_op_starts },
            Self::Machado => AtariOptions { actions: ActionSet::Full, ..sticky },
            Self::Dopamine => sticky,
            Self::Cleanrl => AtariOptions {
                fire_reset: FireReset::Press,
                life_loss: LifeLoss::EpisodeEnd,
                reward: RewardTransform::Sign,
                ..no_op_starts
            },
        }
    }
}

impl Spelling {
    /// The protocol nearest to what this spelling stands for where it comes from, if it stands for more than a game:
    ///
    /// | spelling | how it is played there | nearest protocol |
    /// |---|---|---|
    /// | `ALE/Pong-v5` | sticky actions 0.25, skip of 4, minimal actions; raw rewards, no pooling | `dopamine` |
    /// | `Pong-v5` (EnvPool) | no sticky actions, no-op starts up to 30, skip of 4; FIRE on reset, raw rewards | `deepmind` |
    /// | `PongNoFrameskip-v4` | as the wrappers say that are put around it, CleanRL's as a rule | `cleanrl` |
    /// | `Pong-v4`, `PongDeterministic-v4` | no sticky actions; the first skips 2 to 4 frames at random | `deepmind` |
    /// | `Pong-v0` and its kin | sticky actions 0.25 | `dopamine` |
    pub fn protocol(self) -> Option<Protocol> {
        match self {
            Self::Plain => None,
            Self::Gymnasium | Self::Gym0 => Some(Protocol::Dopamine),
            Self::EnvPool | Self::Gym4 => Some(Protocol::Deepmind),
            Self::NoFrameskip => Some(Protocol::Cleanrl),
        }
    }
}

impl AtariConfig {
    /// A protocol's options for a game.
    ///
    /// # Errors
    /// When no game has this name.
    pub fn from_protocol(game: &str, protocol: Protocol) -> Result<Self, AtariConfigError> {
        Self::new(protocol.options(game))
    }

    /// The protocol whose options these are, if they are one's. Scores of any other options must not carry its name.
    pub fn protocol(&self) -> Option<Protocol> {
        Protocol::ALL.into_iter().find(|protocol| protocol.options(&self.options().game) == *self.options())
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, UnknownProtocol> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name).ok_or_else(|| UnknownProtocol(name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atari::games::GameInfo;

    #[test]
    fn protocols_are_found_by_name_and_recognised_by_their_options() {
        for protocol in Protocol::ALL {
            assert_eq!(protocol.name().parse(), Ok(protocol));
            let config = AtariConfig::from_protocol("Pong", protocol).expect("a game");
            assert_eq!(config.protocol(), Some(protocol));
            let changed = AtariOptions { frame_skip: 3, ..protocol.options("pong") };
            assert_eq!(AtariConfig::new(changed).expect("valid").protocol(), None);
        }
        let config = AtariConfig::from_protocol("ALE/Pong-v5", Protocol::Dopamine).expect("a game");
        assert_eq!((config.options().game.as_str(), config.protocol()), ("pong", Some(Protocol::Dopamine)));
        assert!("gym".parse::<Protocol>().expect_err("no protocol").to_string().contains("deepmind"));
    }

    #[test]
    fn a_spelling_tells_the_protocol_that_would_be_theirs() {
        let protocol = |name| GameInfo::resolve(name).expect("a game").1.protocol();
        assert_eq!(protocol("ALE/Pong-v5"), Some(Protocol::Dopamine));
        assert_eq!(protocol("Pong-v5"), Some(Protocol::Deepmind));
        assert_eq!(protocol("PongNoFrameskip-v4"), Some(Protocol::Cleanrl));
        assert_eq!(protocol("Pong-v4"), Some(Protocol::Deepmind));
        assert_eq!(protocol("Pong-v0"), Some(Protocol::Dopamine));
        assert_eq!(protocol("Pong"), None);
    }
}
