//! What a policy was trained for, as its file says.

use prism_frames::FrameSpec;
use serde::{Deserialize, Serialize};

use crate::description::{Description, Element};
use crate::error::PolicyError;

/// What a policy plays, how its observations are made, and what it came to. In a file it is JSON, under the key
/// [`Card::KEY`]; files of the release 0.1.0 or older have none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Version of the format, [`Card::VERSION`] for new files.
    pub version: u32,
    /// The environment, such as `pong`.
    pub environment: String,
    /// The rules of its training, such as `cleanrl`.
    pub protocol: String,
    /// Names of the actions, in the order of their numbers.
    pub actions: Vec<String>,
    /// How observations are made of screens; `None` where observations are not made of screens.
    #[serde(default)]
    pub frames: Option<FrameSpec>,
    /// The last evaluation of these weights, where there was one.
    #[serde(default)]
    pub scores: Option<Scores>,
}

/// Scores of whole games.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Games played.
    pub games: u64,
    /// Mean of their scores.
    pub mean: f64,
    /// Standard deviation of their scores.
    pub standard_deviation: f64,
    /// Probability of a random action while they were played.
    pub epsilon: f64,
}

impl Card {
    /// Key of the card in a file's metadata.
    pub const KEY: &str = "prism.policy";

    /// The version of the format that this version of the crate writes, and the newest that it reads.
    pub const VERSION: u32 = 1;

    /// Reads the text of a file.
    pub(crate) fn read(text: &str) -> Result<Self, PolicyError> {
        /// What every version has.
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_str(text).map_err(PolicyError::Card)?;
        if version > Self::VERSION {
            return Err(PolicyError::Newer { version, newest: Self::VERSION });
        }
        serde_json::from_str(text).map_err(PolicyError::Card)
    }

    /// Checks that this is the card of a network.
    pub(crate) fn check(&self, network: &Description) -> Result<(), PolicyError> {
        let (names, actions) = (self.actions.len(), network.actions);
        if names != actions {
            return Err(PolicyError::impossible(format!("the file names {names} actions, but it has {actions}")));
        }
        let Some(frames) = self.frames else { return Ok(()) };
        frames.check().map_err(|error| PolicyError::impossible(error.to_string()))?;
        let made = frames.observation();
        if made.as_slice() != network.input.shape || network.input.element != Element::U8 {
            let shape = &network.input.shape;
            return Err(PolicyError::impossible(format!("it takes observations of shape {shape:?}, not {made:?}")));
        }
        Ok(())
    }
}
