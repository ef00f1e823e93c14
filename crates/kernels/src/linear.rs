//! The product of a fully connected layer: the pass of [`crate::dense`], shared among threads.
//!
//! Every sum is made by one thread in one order, which is the layer's: what comes of an example depends neither on the number of
//! threads nor on the other examples.

use std::ops::Range;

use pulp::Arch;

use crate::dense::{LayerWeights, OutputPass, padded};
use crate::threads::*;

/// Parts of the inputs of a large layer; each has its own partial sums of the outputs, which one thread computes.
const PARTS: usize = 8;

/// A layer is large if this many examples make a product that is worth sharing.
const LARGE: usize = SMALL / 32;

/// Examples of which a thread computes all sums at a time, where the layer is small.
const TOGETHER: usize = 64;

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
    assert_eq!(bias.len(), weights.outputs);
    let (mut output, mut sums) = (Vec::new(), Vec::new());
    product(arch, x, weights, &padded(bias, bias.len()), weights.outputs, [&mut output, &mut sums]);
    output
}

/// The weights and the bias of a fully connected layer, laid out once for many products.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[inputs, padded outputs]`
    weight: Vec<f32>,
    /// `[padded outputs]`
    bias: Vec<f32>,
    outputs: usize,
}

impl Linear {
    /// The layer with `weight`, `[inputs, outputs]`, and `bias`, `[outputs]`.
    ///
    /// # Panics
    /// When the weight is not whole rows of as many values as the bias has.
    pub fn new(weight: &[f32], bias: &[f32]) -> Self {
        let outputs = bias.len();
        assert!(weight.len().is_multiple_of(outputs));
        Self { weight: padded(weight, outputs), bias: padded(bias, outputs), outputs }
    }

    /// x · weight + bias, bit for bit what [`linear`] gives.
    ///
    /// # Shapes
    /// - `x`: `[batch, inputs]`
    /// - `output` becomes `[batch, outputs]`
    /// - `sums` is room for sums, whose contents do not matter
    ///
    /// # Panics
    /// When the last example is cut short.
    pub fn forward(&self, arch: Arch, x: &[f32], output: &mut Vec<f32>, sums: &mut Vec<f32>) {
        let weights = LayerWeights::new(&self.weight, self.bias.len(), None);
        product(arch, x, weights, &self.bias, self.outputs, [output, sums]);
    }
}

/// x · weight + bias, `[batch, outputs]`, of weights that may have zeros behind their outputs and of a padded bias.
fn product(
    arch: Arch,
    x: &[f32],
    weights: LayerWeights,
    bias: &[f32],
    outputs: usize,
    [output, sums]: [&mut Vec<f32>; 2],
) {
    let (inputs, width) = (weights.inputs(), weights.width());
    assert!(x.len().is_multiple_of(inputs));
    let batch = x.len() / inputs;
    let work = x.len() * outputs;
    output.clear();
    output.reserve(batch * width);
    (0..batch).for_each(|_| output.extend_from_slice(bias));
    sums.clear();
    if inputs * outputs < LARGE {
        let examples = output.par_chunks_mut(TOGETHER * width).zip(x.par_chunks(TOGETHER * inputs));
        share(examples, work, |(sums, x)| add(arch, x, weights, 0..inputs, sums));
    } else if batch > 0 {
        let part = inputs.div_ceil(PARTS);
        sums.resize((inputs.div_ceil(part) - 1) * batch * width, 0.0);
        let pass = |(index, sums): (usize, &mut [f32])| {
            let start = index * part;
            add(arch, x, weights, start..inputs.min(start + part), sums);
        };
        let parts = output.par_chunks_mut(batch * width).chain(sums.par_chunks_mut(batch * width));
        share(parts.enumerate(), work, pass);
        share(output.par_chunks_mut(width * EXAMPLES).enumerate(), work, |(index, output)| {
            for other in sums.chunks_exact(batch * width) {
                let other = &other[index * width * EXAMPLES..];
                output.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
            }
        });
    }
    if width > outputs {
        for example in 1..batch {
            output.copy_within(example * width..example * width + outputs, example * outputs);
        }
        output.truncate(batch * outputs);
    }
}

/// Adds what `inputs` contribute to x · weight. Not inlined, so that a game has the loops of each instruction set once.
#[inline(never)]
fn add(arch: Arch, x: &[f32], weights: LayerWeights, inputs: Range<usize>, sums: &mut [f32]) {
    arch.dispatch(OutputPass::new(x, weights, inputs, sums));
}
