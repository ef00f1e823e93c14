//! The product of a fully connected layer: the pass of [`crate::dense`], shared among threads.
//!
//! Every sum is made by one thread in one order, so that results do not depend on the number of threads.

use pulp::Arch;

use crate::dense::{LayerWeights, OutputPass, padded};
use crate::threads::*;

/// Parts of the inputs; each has its own partial sums of the outputs, which one thread computes.
const PARTS: usize = 8;

/// Examples whose outputs or input gradients a thread assembles at a time.
pub(crate) const EXAMPLES: usize = 8;

/// x · weight + bias.
///
/// # Shapes
/// - `x`: `[batch, inputs]`
/// - `bias`: `[outputs]`
/// - returns: `[batch, outputs]`
///
/// # Panics
/// When a slice has another length.
pub fn linear(arch: Arch, x: &[f32], weights: LayerWeights, bias: &[f32]) -> Vec<f32> {
    let (inputs, outputs, width) = (weights.inputs(), bias.len(), weights.width());
    assert!(x.len().is_multiple_of(inputs) && outputs == weights.outputs);
    let batch = x.len() / inputs;
    let work = x.len() * outputs;
    // The number of parts, and so the order of sums, does not depend on the number of threads.
    let part = if work < SMALL { inputs } else { inputs.div_ceil(PARTS) };
    let bias = padded(bias, outputs);
    let mut sums: Vec<Vec<f32>> = Vec::new();
    sums.push(bias.repeat(batch));
    sums.resize_with(inputs.div_ceil(part), || vec![0.0; batch * width]);
    share(sums.par_iter_mut().enumerate(), work, |(index, sums)| {
        let start = index * part;
        arch.dispatch(OutputPass::new(x, weights, start..inputs.min(start + part), sums));
    });
    let others = sums.split_off(1);
    let mut output = sums.pop().expect("there is a part");
    share(output.par_chunks_mut(width * EXAMPLES).enumerate(), work, |(index, sums)| {
        for other in &others {
            let other = &other[index * width * EXAMPLES..];
            sums.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
        }
    });
    if width > outputs {
        for example in 1..batch {
            output.copy_within(example * width..example * width + outputs, example * outputs);
        }
        output.truncate(batch * outputs);
    }
    output
}
