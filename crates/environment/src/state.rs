//! States of environments, and how they are saved as compact bytes.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::environment::{EnvironmentError, EnvironmentSpec};
use crate::seed::{Generator, Seed};

/// Everything that decides the future of a small environment.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State<Episode> {
    pub generator: Generator,
    /// The running episode: none before the first reset and after each episode's last step.
    pub episode: Option<Episode>,
}

impl<Episode: Copy> State<Episode> {
    pub fn new(seed: Seed) -> Self {
        Self { generator: seed.generator(), episode: None }
    }

    pub fn running(&self, spec: &EnvironmentSpec) -> Result<Episode, EnvironmentError> {
        self.episode.ok_or_else(|| spec.needs_reset())
    }
}

/// Encodes `state`, labelled with the environment it belongs to.
pub(crate) fn encode<T: Serialize>(environment: &str, state: &T) -> Vec<u8> {
    postcard::to_stdvec(&(environment, state)).expect("plain data always encodes")
}

/// Decodes what [`encode`] wrote for the same environment; `check` says what is wrong with an impossible state.
pub(crate) fn decode<T: DeserializeOwned>(
    environment: &str,
    bytes: &[u8],
    check: impl FnOnce(&T) -> Result<(), String>,
) -> Result<T, EnvironmentError> {
    let bad = |reason: String| EnvironmentError::BadState { environment: environment.to_owned(), reason };
    let ((label, state), rest): ((String, T), _) = postcard::take_from_bytes(bytes)
        .map_err(|error| bad(format!("{} bytes do not decode: {error}", bytes.len())))?;
    if label != environment {
        return Err(bad(format!("it was saved by {label}")));
    }
    if !rest.is_empty() {
        return Err(bad(format!("{} bytes are left over", rest.len())));
    }
    check(&state).map_err(bad)?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_states_of_the_same_environment_decode() {
        let bytes = encode("catch", &7u32);
        let decode = |name, bytes: &[u8]| decode::<u32>(name, bytes, |_| Ok(())).map_err(|error| error.to_string());
        assert_eq!(decode("catch", &bytes), Ok(7));
        assert!(decode("chain", &bytes).unwrap_err().contains("saved by catch"));
        assert!(decode("catch", &bytes[..bytes.len() - 1]).unwrap_err().contains("do not decode"));
        assert!(decode("catch", &[&bytes[..], &[0]].concat()).unwrap_err().contains("1 bytes are left over"));
    }
}
