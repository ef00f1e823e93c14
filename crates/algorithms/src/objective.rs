//! Objectives: what a network learns to predict for each action, with one file for each member of the DQN family.
//!
//! An objective decides the output of the network, the loss of an example and the error that priorities can be made of.
//! The losses are a pure function of the two networks and a batch of examples.

pub mod categorical;
mod examples;
pub mod quantile;
pub mod td;

use std::num::NonZeroUsize;

use prism_model::{Output, QNetwork, Support};
use serde::{Deserialize, Serialize};

use self::categorical::DistributionTarget;
pub use self::examples::{Bootstrap, Examples, Losses, of_action};
use self::td::TdLoss;

/// What a network learns to predict for each action.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// The expected return, from temporal-difference errors (Mnih et al. 2015).
    Td(TdLoss),
    /// The distribution of the return over fixed atoms, by cross-entropy against a target distribution: C51 (Bellemare et
    /// al. 2017).
    Categorical {
        /// How the distribution at s' becomes the target at s.
        target: DistributionTarget,
        /// The atoms.
        support: Support,
    },
    /// The quantiles of the return, by quantile regression: QR-DQN (Dabney et al. 2018).
    Quantile {
        /// Number of quantiles of each action.
        quantiles: NonZeroUsize,
        /// κ, the error up to which the loss is quadratic; 0 for the plain quantile loss.
        kappa: f32,
    },
}

impl Objective {
    /// The output that a network needs for this objective.
    pub fn output(&self) -> Output {
        match *self {
            Self::Td(_) => Output::QValues,
            Self::Categorical { support, .. } => Output::Distribution(support),
            Self::Quantile { quantiles, .. } => Output::Quantiles { count: quantiles },
        }
    }

    /// Losses of the online network against targets from the target network, which carry no gradient.
    ///
    /// # Panics
    /// When the networks' output is not [`Objective::output`].
    pub fn losses(&self, bootstrap: Bootstrap, online: &QNetwork, target: &QNetwork, examples: Examples) -> Losses {
        match self {
            Self::Td(loss) => td::losses(*loss, bootstrap, online, target, examples),
            Self::Categorical { target: kind, support } => {
                categorical::losses(*kind, support, bootstrap, online, target, examples)
            }
            Self::Quantile { kappa, .. } => quantile::losses(*kappa, bootstrap, online, target, examples),
        }
    }
}
