//! The gradients of a fully connected layer; the table at the head of [`crate::dense`] shows both.

#![allow(unsafe_code, reason = "the innermost loop reads through pointers")]

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::dense::{Factors, LayerWeights, PANEL};
use crate::tile::{ALIGNMENT, Walk, accumulate, for_columns, for_rows, store};

/// A matrix cut into panels of [`PANEL`] columns, the last one narrower, so that a tile walks through neighbouring values:
/// row by row in a panel, panel by panel. Zeros fill the columns up to whole vectors.
pub(crate) struct Panels {
    values: Vec<f32>,
    rows: usize,
    /// Columns, with those that fill the last vector.
    width: usize,
}

impl Panels {
    /// Panels of a matrix with so many columns.
    pub(crate) fn new(matrix: &[f32], columns: usize) -> Self {
        let mut panels = Self::zeros(matrix.len() / columns, columns);
        for (row, values) in matrix.chunks_exact(columns).enumerate() {
            for (panel, values) in values.chunks(PANEL).enumerate() {
                let (first, step) = panels.place(panel * PANEL);
                panels.values[first + row * step..][..values.len()].copy_from_slice(values);
            }
        }
        panels
    }

    /// Panels of the transpose of a matrix with so many columns.
    pub(crate) fn of_transpose(matrix: &[f32], columns: usize) -> Self {
        let mut panels = Self::zeros(columns, matrix.len() / columns);
        for (column, values) in matrix.chunks_exact(columns).enumerate() {
            let (first, step) = panels.place(column);
            panels.values[first..].iter_mut().step_by(step).zip(values).for_each(|(to, from)| *to = *from);
        }
        panels
    }

    fn zeros(rows: usize, columns: usize) -> Self {
        let width = columns.next_multiple_of(ALIGNMENT);
        Self { values: vec![0.0; rows * width], rows, width }
    }

    /// Index of a column's first value, and the distance from one of its values to the next.
    fn place(&self, column: usize) -> (usize, usize) {
        let panel = column / PANEL * PANEL;
        (panel * self.rows + column - panel, PANEL.min(self.width - panel))
    }

    /// Pointer to a column's first value, and the distance from one row to the next.
    fn column(&self, column: usize) -> (*const f32, usize) {
        let (first, step) = self.place(column);
        (self.values[first..].as_ptr(), step)
    }
}

/// Inputs whose weight gradients are computed together: their values of all examples fit a first-level cache.
const INPUTS: usize = 24;

/// Outputs of a [`WeightPass`]: rows of the weight gradient xᵀ · gradient, `[rows, outputs]` each.
pub(crate) struct WeightSums<'a> {
    /// Gradient of the weights, or of their means.
    pub(crate) values: &'a mut [MaybeUninit<f32>],
    /// Gradient of σ where there is noise: that of the weights times the factors.
    pub(crate) spreads: Option<(Factors<'a>, &'a mut [MaybeUninit<f32>])>,
}

/// Rows of the weight gradient for some inputs.
pub(crate) struct WeightPass<'a> {
    /// `[examples, inputs]`
    x: &'a [f32],
    inputs: usize,
    /// `[examples, outputs]`
    gradient: &'a Panels,
    outputs: usize,
    rows: Range<usize>,
    sums: WeightSums<'a>,
}

/// Up to [`INPUTS`] rows of a [`WeightPass`].
struct WeightPassRows<'a> {
    /// `[examples, rows]`
    x: &'a [f32],
    gradient: &'a Panels,
    outputs: usize,
    /// `[rows, outputs]`
    sums: &'a mut [MaybeUninit<f32>],
}

impl<'a> WeightPass<'a> {
    /// A pass that writes every value of `sums`.
    pub(crate) fn new(
        x: &'a [f32],
        inputs: usize,
        gradient: &'a Panels,
        outputs: usize,
        rows: Range<usize>,
        sums: WeightSums<'a>,
    ) -> Self {
        let width = outputs.next_multiple_of(ALIGNMENT);
        assert_eq!((x.len() / inputs, width), (gradient.rows, gradient.width));
        assert!(rows.end <= inputs);
        assert_eq!(sums.values.len(), rows.len() * outputs);
        if let Some((factors, spreads)) = &sums.spreads {
            assert_eq!(spreads.len(), sums.values.len());
            assert_eq!((factors.inputs.len(), factors.outputs.len()), (inputs, width));
        }
        Self { x, inputs, gradient, outputs, rows, sums }
    }
}

impl WeightPassRows<'_> {
    #[inline(always)]
    fn columns<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, column: usize) {
        for_rows!(simd, 0..self.sums.len() / self.outputs, column, self.tile);
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, row: usize, column: usize) {
        let walk = Walk { runs: 1, run_stride: 0, length: self.gradient.rows, step: self.sums.len() / self.outputs };
        let inputs = std::array::from_fn(|next| self.x[row + next..].as_ptr());
        let (gradient, step) = self.gradient.column(column);
        let mut sums = [[simd.splat_f32s(0.0); N]; R];
        // SAFETY: each input has a value in each example, each of which has a row of `gradient`. A tile's columns lie in
        // one panel, because they begin at a multiple of their number and PANEL is one too.
        unsafe {
            accumulate(simd, inputs, walk, gradient, step, &mut sums);
        }
        for (next, sums) in sums.iter().enumerate() {
            store(sums, self.outputs - column, &mut self.sums[(row + next) * self.outputs + column..]);
        }
    }
}

impl WithSimd for WeightPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, inputs, gradient, outputs, rows, sums: WeightSums { values, mut spreads } } = self;
        let mut here = Vec::with_capacity(x.len() / inputs * INPUTS);
        for (first, values) in rows.step_by(INPUTS).zip(values.chunks_mut(INPUTS * outputs)) {
            let count = values.len() / outputs;
            here.clear();
            for example in x.chunks_exact(inputs) {
                here.extend_from_slice(&example[first..first + count]);
            }
            let mut part = WeightPassRows { x: &here, gradient, outputs, sums: &mut *values };
            for_columns!(simd, outputs, part.columns);
            if let Some((factors, spreads)) = &mut spreads {
                let spreads = spreads.split_off_mut(..values.len()).expect("there is a spread for each value");
                // SAFETY: the tiles of all columns have written the rows.
                let values = unsafe { values.assume_init_ref() };
                let rows = values.chunks_exact(outputs).zip(spreads.chunks_exact_mut(outputs));
                for ((values, spreads), of_input) in rows.zip(&factors.inputs[first..]) {
                    for ((spread, value), of_output) in spreads.iter_mut().zip(values).zip(factors.outputs) {
                        spread.write(value * (of_input * of_output));
                    }
                }
            }
        }
    }
}

/// Some columns of the input gradient, gradient · weightᵀ.
pub(crate) struct InputPass<'a> {
    weights: LayerWeights<'a>,
    /// `[outputs, examples]`
    gradient: &'a Panels,
    inputs: Range<usize>,
    /// `[inputs, padded examples]`
    sums: &'a mut [MaybeUninit<f32>],
}

/// Some rows of an [`InputPass`].
struct InputPassRows<'a> {
    /// Weights of these inputs, `[inputs, outputs]`.
    weights: &'a [f32],
    gradient: &'a Panels,
    /// `[inputs, padded examples]`
    sums: &'a mut [MaybeUninit<f32>],
}

impl<'a> InputPass<'a> {
    /// A pass that writes every value of `sums`.
    pub(crate) fn new(
        weights: LayerWeights<'a>,
        gradient: &'a Panels,
        inputs: Range<usize>,
        sums: &'a mut [MaybeUninit<f32>],
    ) -> Self {
        assert_eq!(weights.outputs, gradient.rows);
        assert!(inputs.end <= weights.inputs());
        assert_eq!(sums.len(), inputs.len() * gradient.width);
        Self { weights, gradient, inputs, sums }
    }
}

impl InputPassRows<'_> {
    #[inline(always)]
    fn columns<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, column: usize) {
        for_rows!(simd, 0..self.weights.len() / self.gradient.rows, column, self.tile);
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, input: usize, column: usize) {
        let Panels { rows: outputs, width, .. } = *self.gradient;
        let walk = Walk { runs: 1, run_stride: 0, length: outputs, step: 1 };
        let inputs = std::array::from_fn(|row| self.weights[(input + row) * outputs..][..outputs].as_ptr());
        let (gradient, step) = self.gradient.column(column);
        let mut sums = [[simd.splat_f32s(0.0); N]; R];
        // SAFETY: each input has a weight for each output, which has a row of `gradient`. A tile's columns lie in one
        // panel, because they begin at a multiple of their number and PANEL is one too.
        unsafe {
            accumulate(simd, inputs, walk, gradient, step, &mut sums);
        }
        for (row, sums) in sums.iter().enumerate() {
            store(sums, width - column, &mut self.sums[(input + row) * width + column..]);
        }
    }
}

impl WithSimd for InputPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { weights, gradient, inputs, sums } = self;
        let (outputs, width) = (gradient.rows, gradient.width);
        if weights.noise.is_none() {
            let weights = &weights.values[inputs.start * outputs..inputs.end * outputs];
            let mut rows = InputPassRows { weights, gradient, sums };
            for_columns!(simd, width, rows.columns);
            return;
        }
        let mut noisy = vec![0.0; INPUTS * outputs];
        for (first, sums) in inputs.step_by(INPUTS).zip(sums.chunks_mut(INPUTS * width)) {
            let noisy = &mut noisy[..sums.len() / width * outputs];
            for (input, to) in (first..).zip(noisy.chunks_exact_mut(outputs)) {
                weights.write(input, 0, to);
            }
            let mut rows = InputPassRows { weights: noisy, gradient, sums };
            for_columns!(simd, width, rows.columns);
        }
    }
}
