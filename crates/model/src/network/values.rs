//! What acting reads of a network: q-values and distributions on the host.
//!
//! The copy to the host has what the streams give, a few numbers for each action; the rest is computed there, by the
//! functions that prism-agent calls too. So an agent chooses by the same bits in training, in an evaluation and in a game,
//! where the layers are computed on the same instruction set.

use burn::tensor::Tensor;
use prism_kernels::{combine_streams, means_of_distributions, means_of_quantiles, softmax};

use super::{Output, QNetwork};
use crate::head::{DuelingStreams, Head};
use crate::transfer::read;

impl QNetwork {
    /// The q-values of [`QNetwork::forward`] on the host. The only copy from the device is made here.
    ///
    /// # Shapes
    /// - `observations`: `[batch, elements]`
    /// - returns: `[batch, actions]`, row-major
    pub fn read_values(&self, observations: Tensor<2>) -> Vec<f32> {
        let mut outputs = self.read_outputs(observations);
        let mut values = Vec::new();
        match self.output {
            Output::QValues => return outputs,
            Output::Distribution(support) => {
                softmax(&mut outputs, support.atoms());
                means_of_distributions(&outputs, &support.values(), &mut values);
            }
            Output::Quantiles { count } => means_of_quantiles(&outputs, count.get(), &mut values),
        }
        values
    }

    /// Probabilities of the atoms of each action's return on the host; `None` where the output is not distributions.
    ///
    /// # Shapes
    /// - `observations`: `[batch, elements]`
    /// - returns: `[batch, actions, atoms]`, row-major
    pub fn read_distributions(&self, observations: Tensor<2>) -> Option<Vec<f32>> {
        let support = self.support()?;
        let mut probabilities = self.read_outputs(observations);
        softmax(&mut probabilities, support.atoms());
        Some(probabilities)
    }

    /// What the head gives, `[batch, actions, values]`.
    fn read_outputs(&self, observations: Tensor<2>) -> Vec<f32> {
        let features = self.features(observations);
        match &self.head {
            Head::Single(stream) => read(stream.forward(features, self.activation)),
            Head::Dueling(DuelingStreams { value, advantage }) => {
                let value = value.forward(features.clone(), self.activation);
                let advantage = advantage.forward(features, self.activation);
                let [batch, actions, values] = advantage.dims();
                let value: Tensor<1> = value.reshape([batch * values]);
                let advantage: Tensor<1> = advantage.reshape([batch * actions * values]);
                let mut outputs = read(Tensor::cat(vec![advantage, value], 0));
                let value = outputs.split_off(batch * actions * values);
                combine_streams(&mut outputs, &value, actions, values);
                outputs
            }
        }
    }
}
