//! Why weights of another program cannot be taken over.

use prism_agent::PolicyError;
use thiserror::Error;

/// Why weights of another program cannot be taken over.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file is neither of the formats that can be read.
    #[error(
        "this is {found}: expected what torch.save writes of a state dict (PyTorch 1.6 or newer), a model of \
         Stable-Baselines3 (.zip) or safetensors"
    )]
    Format {
        /// What it seems to be.
        found: &'static str,
    },
    /// The file is prism's own.
    #[error("this is a policy of prism already, which eval, play and export take as it is")]
    Ours,
    /// The file is damaged.
    #[error("this file is damaged: {reason}")]
    Corrupt {
        /// What is wrong.
        reason: String,
    },
    /// The file holds an object of Python, which could only be rebuilt by running code.
    #[error(
        "this file holds an object of the class {class}: save the state dict, torch.save(network.state_dict(), path)"
    )]
    Object {
        /// Its class or the function that makes it.
        class: String,
    },
    /// The weights do not fill the network.
    #[error("the weights do not fit the network: {reason}")]
    Network {
        /// What is there and what is needed.
        reason: String,
    },
    /// Networks of this kind have no counterpart.
    #[error("networks of {0} cannot be imported: there is no usual layout of them in PyTorch")]
    Torso(&'static str),
    /// The description of the network is not one.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}
