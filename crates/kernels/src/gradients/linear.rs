//! The gradients of a fully connected layer: the passes of [`super::dense`], shared among threads.

#![allow(unsafe_code, reason = "outputs are not zeroed before they are written")]

use pulp::Arch;

use super::dense::{InputPass, Panels, WeightPass, WeightSums};
use crate::dense::{Factors, LayerWeights};
use crate::linear::EXAMPLES;
use crate::threads::*;
use crate::tile::ALIGNMENT;

/// Rows of the weight matrix that a thread takes at a time: whole tiles of every kind.
const PIECE: usize = 96;

/// Gradient of the weights and, where there are factors, of the spreads that they are multiplied with; else nothing.
///
/// # Shapes
/// - `x`: `[batch, inputs]`
/// - `gradient`: `[batch, outputs]`
/// - returns: `[inputs, outputs]` each
pub fn linear_weight_gradient(
    arch: Arch,
    [inputs, outputs]: [usize; 2],
    x: &[f32],
    gradient: &[f32],
    factors: Option<Factors>,
) -> (Vec<f32>, Vec<f32>) {
    let work = x.len() * outputs;
    let gradient = Panels::new(gradient, outputs);
    let piece = |index: usize, sums: WeightSums| {
        let start = index * PIECE;
        let rows = start..start + sums.values.len() / outputs;
        arch.dispatch(WeightPass::new(x, inputs, &gradient, outputs, rows, sums));
    };
    let mut spreads = Vec::new();
    // SAFETY: each row of the weight matrix is in one piece, and all of a piece's rows are written, in both matrices where
    // there are two.
    let weights = unsafe {
        written(inputs * outputs, |weights| {
            let weights = weights.par_chunks_mut(PIECE * outputs).enumerate();
            let Some(factors) = factors else {
                share(weights, work, |(index, values)| piece(index, WeightSums { values, spreads: None }));
                return;
            };
            spreads = written(inputs * outputs, |spreads| {
                share(weights.zip(spreads.par_chunks_mut(PIECE * outputs)), work, |((index, values), spreads)| {
                    piece(index, WeightSums { values, spreads: Some((factors, spreads)) });
                });
            });
        })
    };
    (weights, spreads)
}

/// Gradient of x.
///
/// # Shapes
/// - `gradient`: `[batch, outputs]`
/// - returns: `[batch, inputs]`
pub fn linear_input_gradient(
    arch: Arch,
    batch: usize,
    inputs: usize,
    weights: LayerWeights,
    gradient: &[f32],
) -> Vec<f32> {
    let work = inputs * gradient.len();
    let gradient = Panels::of_transpose(gradient, gradient.len() / batch);
    let width = batch.next_multiple_of(ALIGNMENT);
    // SAFETY: each row is in one piece, and all of a piece's rows are written.
    let sums = unsafe {
        written(inputs * width, |sums| {
            share(sums.par_chunks_mut(PIECE * width).enumerate(), work, |(index, sums)| {
                let start = index * PIECE;
                let rows = start..start + sums.len() / width;
                arch.dispatch(InputPass::new(weights, &gradient, rows, sums));
            });
        })
    };
    // SAFETY: each example is in one piece, and its gradient of each input is written.
    unsafe {
        written(batch * inputs, |gradients| {
            share(gradients.par_chunks_mut(EXAMPLES * inputs).enumerate(), work, |(index, gradients)| {
                let first = index * EXAMPLES;
                let examples = gradients.len() / inputs;
                for (input, sums) in sums.chunks_exact(width).enumerate() {
                    let places = gradients[input..].iter_mut().step_by(inputs);
                    places.zip(&sums[first..first + examples]).for_each(|(gradient, &sum)| {
                        gradient.write(sum);
                    });
                }
            });
        })
    }
}
