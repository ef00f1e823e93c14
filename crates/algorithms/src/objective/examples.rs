//! What every loss is computed from, and what it comes to.

use burn::module::Module;
use burn::tensor::{Int, Tensor};
use prism_model::QNetwork;
use serde::{Deserialize, Serialize};

/// Which network chooses a*, the action of s' whose value a target contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bootstrap {
    /// The target network, which also gives the value of a* (Mnih et al. 2015, algorithm 1).
    Max,
    /// The online network; the target network gives the value of a* (van Hasselt et al. 2016, "Deep reinforcement learning
    /// with double Q-learning", equation 4).
    Double,
}

impl Bootstrap {
    /// Every variant, in the order in which they are listed.
    pub const ALL: [Self; 2] = [Self::Max, Self::Double];

    /// a* of each example, `[batch, 1]`, where `target_q_values` are the target network's q-values of s',
    /// `[batch, actions]`.
    pub(super) fn actions(
        self,
        online: &QNetwork,
        next_observations: Tensor<2>,
        target_q_values: Tensor<2>,
    ) -> Tensor<2, Int> {
        match self {
            Self::Max => target_q_values.argmax(1),
            Self::Double => online.valid().forward(next_observations).argmax(1),
        }
    }
}

/// A batch on the device.
#[derive(Clone, Debug)]
pub struct Examples {
    /// s, `[batch, elements]`.
    pub observations: Tensor<2>,
    /// Action taken in s, `[batch, 1]`.
    pub actions: Tensor<2, Int>,
    /// G, the n-step return, `[batch]`.
    pub returns: Tensor<1>,
    /// D, the weight of the value of s': the product of the discounts from s to s', 0 after a termination, `[batch]`.
    pub discounts: Tensor<1>,
    /// s', `[batch, elements]`.
    pub next_observations: Tensor<2>,
}

/// Losses of a batch, with the predictions and targets they compare.
#[derive(Clone, Debug)]
pub struct Losses {
    /// Loss, through which gradients flow to the online network, `[batch]`.
    pub losses: Tensor<1>,
    /// The online network's q-value of the action taken, `[batch]`.
    pub q_values: Tensor<1>,
    /// Expected return of the target: y = G + D Q(s', a*) where the network predicts q-values, else the mean of the target
    /// distribution, `[batch]`.
    pub targets: Tensor<1>,
}

/// The outputs of each example's action.
///
/// # Shapes
/// - `outputs`: `[batch, actions, numbers]`
/// - `actions`: `[batch, 1]`
/// - returns: `[batch, numbers]`
pub fn of_action(outputs: Tensor<3>, actions: Tensor<2, Int>) -> Tensor<2> {
    let [batch, _, numbers] = outputs.dims();
    let actions = actions.reshape([batch, 1, 1]).expand([batch, 1, numbers]);
    outputs.gather(1, actions).squeeze_dim(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_example_keeps_the_numbers_of_its_action() {
        let device = prism_model::open_device("flex").expect("tests are built with flex");
        let outputs = Tensor::from_floats([[[0.1, 0.9], [0.3, 0.7]], [[1.0, 0.0], [0.5, 0.5]]], &device);
        let chosen = of_action(outputs, Tensor::from_ints([[1], [0]], &device));
        assert_eq!(prism_model::read(chosen.reshape([4])), [0.3, 0.7, 1.0, 0.0]);
    }
}
