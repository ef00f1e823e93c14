//! Why a policy cannot be read.

use thiserror::Error;

/// Why bytes are no policy.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The bytes are not a whole safetensors file.
    #[error("this is not a complete safetensors file: {reason}")]
    Corrupt {
        /// What is wrong with it.
        reason: String,
    },
    /// A safetensors file of another program.
    #[error("this safetensors file has no description of a network under `{key}`: give weights that prism saved")]
    NotOurs {
        /// Where it was looked for.
        key: &'static str,
    },
    /// The network is of a kind that this version does not know.
    #[error(
        "this version does not know the network in this file; use the version of prism that saved it, or a newer one"
    )]
    Unknown(#[source] serde_json::Error),
    /// The file is of a newer format.
    #[error(
        "this policy file has format version {version}, and this version of prism reads up to {newest}: use the version of \
         prism that saved it, or a newer one"
    )]
    Newer {
        /// Its version.
        version: u32,
        /// The newest that can be read.
        newest: u32,
    },
    /// What the file says about its training cannot be read.
    #[error("the text under `prism.policy` in this file is not what prism writes there")]
    Card(#[source] serde_json::Error),
    /// The description contradicts itself.
    #[error("the network in this file cannot be: {reason}")]
    Impossible {
        /// Why.
        reason: String,
    },
    /// A tensor is missing or is not what the description says.
    #[error("the tensor {tensor} {fault}")]
    Tensor {
        /// Its name.
        tensor: String,
        /// What is wrong with it.
        fault: String,
    },
}

impl PolicyError {
    pub(crate) fn impossible(reason: impl Into<String>) -> Self {
        Self::Impossible { reason: reason.into() }
    }
}
