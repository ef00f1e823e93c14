//! Products of a fully connected layer, made for a weight matrix that is far larger than a batch of examples: each pass
//! reads it, or writes its gradient, once and in the order in which it lies in memory.
//!
//! With the tiles of [`crate::tile`]:
//!
//! | pass            | rows of a tile | columns  | steps                      |
//! |-----------------|----------------|----------|----------------------------|
//! | output          | examples       | outputs  | some inputs, then the next |
//! | weight gradient | inputs         | outputs  | examples                   |
//! | input gradient  | inputs         | examples | outputs                    |
//!
//! Weights with noise, μ + σ ∘ f_in f_outᵀ, are computed for a few inputs at a time, so that they stay in the cache.
//!
//! The output is here; the gradients are in the folder `gradients`.

#![allow(unsafe_code, reason = "the innermost loop reads through pointers")]

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::tile::{ALIGNMENT, Walk, accumulate, for_columns, for_rows, scalars, vectors};

/// Inputs in a block, whose weights serve the whole batch before the next block: 128 rows of 512 floats fit a second-level
/// cache.
const BLOCK: usize = 128;

/// The factors of the noise: σ is multiplied by f_in f_outᵀ.
#[derive(Clone, Copy)]
pub struct Factors<'a> {
    /// f_in, one for each input.
    pub inputs: &'a [f32],
    /// f_out, one for each output, and zeros up to whole vectors: see [`padded`].
    pub outputs: &'a [f32],
}

/// The noise of a noisy layer's weights.
#[derive(Clone, Copy)]
pub struct WeightNoise<'a> {
    /// σ, `[inputs, outputs]`
    pub sigma: &'a [f32],
    /// What σ is multiplied by.
    pub factors: Factors<'a>,
}

/// The weights `[inputs, outputs]` of a layer.
#[derive(Clone, Copy)]
pub struct LayerWeights<'a> {
    /// The weights, or their means μ where there is noise.
    pub(crate) values: &'a [f32],
    pub(crate) outputs: usize,
    pub(crate) noise: Option<WeightNoise<'a>>,
}

impl<'a> LayerWeights<'a> {
    /// The weights `values`, `[inputs, outputs]`.
    ///
    /// # Panics
    /// When they are no whole rows, or the noise is that of another layer.
    pub fn new(values: &'a [f32], outputs: usize, noise: Option<WeightNoise<'a>>) -> Self {
        assert!(values.len().is_multiple_of(outputs));
        if let Some(WeightNoise { sigma, factors }) = noise {
            assert_eq!(sigma.len(), values.len());
            assert_eq!(factors.inputs.len() * outputs, values.len());
            assert_eq!(factors.outputs.len(), outputs.next_multiple_of(ALIGNMENT));
        }
        Self { values, outputs, noise }
    }

    /// How many inputs the layer has.
    pub fn inputs(&self) -> usize {
        self.values.len() / self.outputs
    }

    /// Outputs, with those that fill the last vector.
    pub(crate) fn width(&self) -> usize {
        self.outputs.next_multiple_of(ALIGNMENT)
    }

    /// Fills `to` with the weights of an input, for the outputs from `first` on, and with zeros beyond the last output.
    #[inline(always)]
    pub(crate) fn write(&self, input: usize, first: usize, to: &mut [f32]) {
        let (to, beyond) = to.split_at_mut(to.len().min(self.outputs - first));
        let start = input * self.outputs + first;
        let values = &self.values[start..][..to.len()];
        match self.noise {
            None => to.copy_from_slice(values),
            Some(WeightNoise { sigma, factors }) => {
                let spreads = &sigma[start..][..to.len()];
                let of_input = factors.inputs[input];
                let of_outputs = &factors.outputs[first..][..to.len()];
                for (((to, value), spread), of_output) in to.iter_mut().zip(values).zip(spreads).zip(of_outputs) {
                    *to = value + spread * (of_input * of_output);
                }
            }
        }
        beyond.fill(0.0);
    }
}

/// A padded copy of a matrix's last rows, whose vectors would otherwise reach beyond its end.
struct Tail {
    first: usize,
    padded: Vec<f32>,
}

impl Tail {
    fn new(values: &[f32], columns: usize) -> Self {
        let rows = values.len() / columns;
        let width = columns.next_multiple_of(ALIGNMENT);
        let first = rows.saturating_sub((width - columns).div_ceil(columns));
        Self { first, padded: padded(&values[first * columns..], columns) }
    }
}

/// Rows of a matrix: their indices, the values from the first one on, and the distance from one row to the next.
type Part<'a> = (Range<usize>, &'a [f32], usize);

/// A copy of the matrix whose rows are filled with zeros to a multiple of 16 values: whole vectors of every instruction set.
pub fn padded(values: &[f32], columns: usize) -> Vec<f32> {
    let width = columns.next_multiple_of(ALIGNMENT);
    let mut padded = vec![0.0; values.len() / columns * width];
    for (padded, row) in padded.chunks_exact_mut(width).zip(values.chunks_exact(columns)) {
        padded[..columns].copy_from_slice(row);
    }
    padded
}

/// Columns of a panel, a part of a matrix whose rows follow one another: four vectors of AVX-512, the widest tile.
pub(crate) const PANEL: usize = 64;

/// The contribution of some inputs to x · weight.
pub(crate) struct OutputPass<'a> {
    /// `[examples, inputs]`
    x: &'a [f32],
    weights: LayerWeights<'a>,
    inputs: Range<usize>,
    /// `[examples, padded outputs]`, added to.
    sums: &'a mut [f32],
}

/// The contribution of a block of inputs to some columns of an [`OutputPass`].
struct OutputPassBlock<'a> {
    /// `[examples, inputs]`
    x: &'a [f32],
    inputs: usize,
    /// Weights of the block's inputs, the first of the columns first.
    weights: [Part<'a>; 2],
    /// `[examples, width]`
    sums: &'a mut [f32],
    width: usize,
}

impl<'a> OutputPass<'a> {
    pub(crate) fn new(x: &'a [f32], weights: LayerWeights<'a>, inputs: Range<usize>, sums: &'a mut [f32]) -> Self {
        assert!(inputs.end <= weights.inputs());
        assert_eq!(x.len() / weights.inputs() * weights.width(), sums.len());
        Self { x, weights, inputs, sums }
    }

    /// Blocks of inputs of about the same size, one after the other.
    fn blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let Range { start, end } = self.inputs;
        let block = (end - start).div_ceil((end - start).div_ceil(BLOCK).max(1)).max(1);
        (start..end).step_by(block).map(move |first| first..end.min(first + block))
    }

    /// The pass without noise: weights are read in place.
    #[inline(always)]
    fn in_place<S: Simd>(self, simd: S) {
        let LayerWeights { values, outputs, .. } = self.weights;
        let width = self.weights.width();
        let tail = Tail::new(values, outputs);
        for rows in self.blocks() {
            let middle = tail.first.clamp(rows.start, rows.end);
            let padded = &tail.padded[(middle.max(tail.first) - tail.first) * width..];
            let weights =
                [(rows.start..middle, &values[rows.start * outputs..], outputs), (middle..rows.end, padded, width)];
            let inputs = self.weights.inputs();
            let mut block = OutputPassBlock { x: self.x, inputs, weights, sums: &mut *self.sums, width };
            for_columns!(simd, width, block.columns);
        }
    }

    /// The pass with noise: weights are computed in panels as wide as those of the gradients.
    #[inline(always)]
    fn in_panels<S: Simd>(self, simd: S) {
        let width = self.weights.width();
        let mut panels = vec![0.0; BLOCK * width];
        for rows in self.blocks() {
            let panel = |column: usize| {
                let step = PANEL.min(width - column);
                (column * BLOCK..(column + step) * BLOCK, step)
            };
            // Row by row, as they lie in memory.
            for (at, row) in rows.clone().enumerate() {
                for column in (0..width).step_by(PANEL) {
                    let (range, step) = panel(column);
                    self.weights.write(row, column, &mut panels[range][at * step..][..step]);
                }
            }
            for column in (0..width).step_by(PANEL) {
                let (range, step) = panel(column);
                let nothing: Part = (rows.end..rows.end, &[], 0);
                let weights = [(rows.clone(), &panels[range], step), nothing];
                let (x, inputs, sums) = (self.x, self.weights.inputs(), &mut self.sums[column..]);
                let mut block = OutputPassBlock { x, inputs, weights, sums, width };
                for_columns!(simd, step, block.columns);
            }
        }
    }
}

impl OutputPassBlock<'_> {
    #[inline(always)]
    fn columns<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, column: usize) {
        for_rows!(simd, 0..self.x.len() / self.inputs, column, self.tile);
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, example: usize, column: usize) {
        let start = |row| (example + row) * self.width + column;
        let mut sums: [[S::f32s; N]; R] = std::array::from_fn(|row| vectors::<S, N>(&self.sums[start(row)..]));
        for (rows, weights, stride) in &self.weights {
            if rows.is_empty() {
                continue;
            }
            let walk = Walk { runs: 1, run_stride: 0, length: rows.len(), step: 1 };
            let examples = std::array::from_fn(|row| self.x[(example + row) * self.inputs..][rows.clone()].as_ptr());
            let weights = &weights[column..];
            assert!((rows.len() - 1) * stride + N * S::F32_LANES <= weights.len(), "vectors end within the matrix");
            // SAFETY: each example has a value for each of the rows, and N whole vectors can be read in each row of
            // `weights`.
            unsafe {
                accumulate(simd, examples, walk, weights.as_ptr(), *stride, &mut sums);
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            let values = scalars(sums);
            self.sums[start(row)..][..values.len()].copy_from_slice(values);
        }
    }
}

impl WithSimd for OutputPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.weights.noise.is_some() {
            self.in_panels(simd);
        } else {
            self.in_place(simd);
        }
    }
}
