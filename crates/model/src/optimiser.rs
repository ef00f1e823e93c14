//! Optimisers, and the bound on the norm of gradients.

mod adam;
mod gradient_norm;
mod moments;
mod rms_prop;

use burn::optim::{ModuleOptimizer, SgdConfig};
use serde::{Deserialize, Serialize};

pub use self::adam::Adam;
pub use self::gradient_norm::{clip_global_norm, global_norm};
pub use self::moments::Moments;
pub use self::rms_prop::RmsProp;

/// An optimiser and its values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Optimiser {
    /// Adam.
    Adam(Adam),
    /// Centred RMSProp.
    RmsProp(RmsProp),
    /// Plain stochastic gradient descent: p ← p - α g.
    Sgd {
        /// Step size α.
        learning_rate: f64,
    },
}

impl Optimiser {
    /// An optimiser for a whole module, without state yet.
    pub fn init(self) -> ModuleOptimizer {
        match self {
            Self::Adam(adam) => ModuleOptimizer::from(adam),
            Self::RmsProp(rms_prop) => ModuleOptimizer::from(rms_prop),
            Self::Sgd { .. } => SgdConfig::new().init(),
        }
    }

    /// Step size α.
    pub fn learning_rate(&self) -> f64 {
        match *self {
            Self::Adam(Adam { learning_rate, .. })
            | Self::RmsProp(RmsProp { learning_rate, .. })
            | Self::Sgd { learning_rate } => learning_rate,
        }
    }
}
