//! Products of a fully connected layer, made for a weight matrix that is far larger than a batch of examples: each pass
//! reads it, or writes its gradient, once and in the order in which it lies in memory.
//!
//! With the tiles of [`super::tile`]:
//!
//! | pass            | rows of a tile | columns  | steps                      |
//! |-----------------|----------------|----------|----------------------------|
//! | output          | examples       | outputs  | some inputs, then the next |
//! | weight gradient | inputs         | outputs  | examples                   |
//! | input gradient  | inputs         | examples | outputs                    |
//!
//! Weights with noise, μ + σ ∘ f_in f_outᵀ, are put together for a few inputs at a time, where they stay in the cache.

#![allow(unsafe_code, reason = "the innermost loop reads through pointers")]

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::tile::{ALIGNMENT, Walk, accumulate, for_columns, for_rows, scalars, store, vectors};

/// Inputs whose weights are used for the whole batch before the next: so many rows of 512 floats fit a second-level cache.
const BLOCK: usize = 128;

/// What the spreads of weights are multiplied by: f_in f_outᵀ.
#[derive(Clone, Copy)]
pub(super) struct Factors<'a> {
    /// One for each input.
    pub(super) inputs: &'a [f32],
    /// One for each output, and zeros up to whole vectors.
    pub(super) outputs: &'a [f32],
}

/// What is added to the weights of a noisy layer.
#[derive(Clone, Copy)]
pub(super) struct Noise<'a> {
    /// σ, `[inputs, outputs]`
    pub(super) sigma: &'a [f32],
    pub(super) factors: Factors<'a>,
}

/// The weights `[inputs, outputs]` of a layer.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    /// The weights, or their means μ where there is noise.
    values: &'a [f32],
    outputs: usize,
    noise: Option<Noise<'a>>,
}

impl<'a> Weights<'a> {
    pub(super) fn new(values: &'a [f32], outputs: usize, noise: Option<Noise<'a>>) -> Self {
        assert!(values.len().is_multiple_of(outputs));
        if let Some(Noise { sigma, factors }) = noise {
            assert_eq!(sigma.len(), values.len());
            assert_eq!(factors.inputs.len() * outputs, values.len());
            assert_eq!(factors.outputs.len(), outputs.next_multiple_of(ALIGNMENT));
        }
        Self { values, outputs, noise }
    }

    pub(super) fn inputs(&self) -> usize {
        self.values.len() / self.outputs
    }

    /// Outputs, with those that fill the last vector.
    pub(super) fn width(&self) -> usize {
        self.outputs.next_multiple_of(ALIGNMENT)
    }

    /// Writes the weights of an input for as many outputs, from the first one on, as there is room for; zeros for those
    /// that there are not.
    #[inline(always)]
    fn write(&self, input: usize, first: usize, to: &mut [f32]) {
        let (to, beyond) = to.split_at_mut(to.len().min(self.outputs - first));
        let start = input * self.outputs + first;
        let values = &self.values[start..][..to.len()];
        match self.noise {
            None => to.copy_from_slice(values),
            Some(Noise { sigma, factors }) => {
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

/// The last rows of a matrix once more, padded, because vectors of theirs would reach over its end.
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

/// Rows of a matrix: their numbers, the first one's values and all that follow, and how far it is from one to the next.
type Part<'a> = (Range<usize>, &'a [f32], usize);

/// A matrix with rows of a multiple of [`ALIGNMENT`], filled with zeros.
pub(super) fn padded(values: &[f32], columns: usize) -> Vec<f32> {
    let width = columns.next_multiple_of(ALIGNMENT);
    let mut padded = vec![0.0; values.len() / columns * width];
    for (padded, row) in padded.chunks_exact_mut(width).zip(values.chunks_exact(columns)) {
        padded[..columns].copy_from_slice(row);
    }
    padded
}

/// Columns of a panel: four vectors of AVX-512, the widest tile.
const PANEL: usize = 64;

/// A matrix cut into panels of [`PANEL`] columns, the last one narrower, so that a tile walks through neighbouring values:
/// row by row in a panel, panel by panel. Zeros fill the columns up to whole vectors.
pub(super) struct Panels {
    values: Vec<f32>,
    rows: usize,
    /// Columns, with those that fill the last vector.
    width: usize,
}

impl Panels {
    /// Of a matrix with so many columns.
    pub(super) fn new(matrix: &[f32], columns: usize) -> Self {
        let mut panels = Self::zeros(matrix.len() / columns, columns);
        for (row, values) in matrix.chunks_exact(columns).enumerate() {
            for (panel, values) in values.chunks(PANEL).enumerate() {
                let (first, step) = panels.place(panel * PANEL);
                panels.values[first + row * step..][..values.len()].copy_from_slice(values);
            }
        }
        panels
    }

    /// Of the transpose of a matrix with so many columns.
    pub(super) fn of_transpose(matrix: &[f32], columns: usize) -> Self {
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

    /// Where a column begins, and how far it is from one of its values to the next.
    fn place(&self, column: usize) -> (usize, usize) {
        let panel = column / PANEL * PANEL;
        (panel * self.rows + column - panel, PANEL.min(self.width - panel))
    }

    /// The first values of the rows from a column on, and how far it is from one to the next.
    fn column(&self, column: usize) -> (*const f32, usize) {
        let (first, step) = self.place(column);
        (self.values[first..].as_ptr(), step)
    }
}

/// What some inputs add to x · weight.
pub(super) struct Output<'a> {
    /// `[examples, inputs]`
    x: &'a [f32],
    weights: Weights<'a>,
    inputs: Range<usize>,
    /// `[examples, padded outputs]`, added to.
    sums: &'a mut [f32],
}

/// What a block of inputs adds to some columns of an [`Output`].
struct OutputBlock<'a> {
    /// `[examples, inputs]`
    x: &'a [f32],
    inputs: usize,
    /// Weights of the block's inputs, the first of the columns first.
    weights: [Part<'a>; 2],
    /// `[examples, width]`
    sums: &'a mut [f32],
    width: usize,
}

impl<'a> Output<'a> {
    pub(super) fn new(x: &'a [f32], weights: Weights<'a>, inputs: Range<usize>, sums: &'a mut [f32]) -> Self {
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

    /// Weights are read where they are.
    #[inline(always)]
    fn in_place<S: Simd>(self, simd: S) {
        let Weights { values, outputs, .. } = self.weights;
        let width = self.weights.width();
        let tail = Tail::new(values, outputs);
        for rows in self.blocks() {
            let middle = tail.first.clamp(rows.start, rows.end);
            let padded = &tail.padded[(middle.max(tail.first) - tail.first) * width..];
            let weights =
                [(rows.start..middle, &values[rows.start * outputs..], outputs), (middle..rows.end, padded, width)];
            let inputs = self.weights.inputs();
            let mut block = OutputBlock { x: self.x, inputs, weights, sums: &mut *self.sums, width };
            for_columns!(simd, width, block.columns);
        }
    }

    /// Weights are put together in panels, as wide as those of [`Panels`].
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
                let mut block = OutputBlock { x, inputs, weights, sums, width };
                for_columns!(simd, step, block.columns);
            }
        }
    }
}

impl OutputBlock<'_> {
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

impl WithSimd for Output<'_> {
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

/// Inputs whose weight gradients are made together: their values of all examples fit a first-level cache.
const INPUTS: usize = 24;

/// Where rows of the weight gradient, xᵀ · gradient, go, `[rows, outputs]` each.
pub(super) struct WeightSums<'a> {
    /// Gradient of the weights, or of their means.
    pub(super) values: &'a mut [MaybeUninit<f32>],
    /// Gradient of σ where there is noise: that of the weights times the factors.
    pub(super) spreads: Option<(Factors<'a>, &'a mut [MaybeUninit<f32>])>,
}

/// Rows of the weight gradient for some inputs.
pub(super) struct WeightGradient<'a> {
    /// `[examples, inputs]`
    x: &'a [f32],
    inputs: usize,
    /// `[examples, outputs]`
    gradient: &'a Panels,
    outputs: usize,
    rows: Range<usize>,
    sums: WeightSums<'a>,
}

/// Up to [`INPUTS`] rows of a [`WeightGradient`].
struct WeightGradientRows<'a> {
    /// `[examples, rows]`
    x: &'a [f32],
    gradient: &'a Panels,
    outputs: usize,
    /// `[rows, outputs]`
    sums: &'a mut [MaybeUninit<f32>],
}

impl<'a> WeightGradient<'a> {
    /// Every value of `sums` will have been written.
    pub(super) fn new(
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

impl WeightGradientRows<'_> {
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

impl WithSimd for WeightGradient<'_> {
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
            let mut part = WeightGradientRows { x: &here, gradient, outputs, sums: &mut *values };
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
pub(super) struct InputGradient<'a> {
    weights: Weights<'a>,
    /// `[outputs, examples]`
    gradient: &'a Panels,
    inputs: Range<usize>,
    /// `[inputs, padded examples]`
    sums: &'a mut [MaybeUninit<f32>],
}

/// Some rows of an [`InputGradient`].
struct InputGradientRows<'a> {
    /// Weights of these inputs, `[inputs, outputs]`.
    weights: &'a [f32],
    gradient: &'a Panels,
    /// `[inputs, padded examples]`
    sums: &'a mut [MaybeUninit<f32>],
}

impl<'a> InputGradient<'a> {
    /// Every value of `sums` will have been written.
    pub(super) fn new(
        weights: Weights<'a>,
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

impl InputGradientRows<'_> {
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
        // SAFETY: each input has a weight for each output, which has a row of `gradient`. A tile's columns lie in one panel,
        // because they begin at a multiple of their number and PANEL is one too.
        unsafe {
            accumulate(simd, inputs, walk, gradient, step, &mut sums);
        }
        for (row, sums) in sums.iter().enumerate() {
            store(sums, width - column, &mut self.sums[(input + row) * width + column..]);
        }
    }
}

impl WithSimd for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { weights, gradient, inputs, sums } = self;
        let (outputs, width) = (gradient.rows, gradient.width);
        if weights.noise.is_none() {
            let weights = &weights.values[inputs.start * outputs..inputs.end * outputs];
            let mut rows = InputGradientRows { weights, gradient, sums };
            for_columns!(simd, width, rows.columns);
            return;
        }
        let mut noisy = vec![0.0; INPUTS * outputs];
        for (first, sums) in inputs.step_by(INPUTS).zip(sums.chunks_mut(INPUTS * width)) {
            let noisy = &mut noisy[..sums.len() / width * outputs];
            for (input, to) in (first..).zip(noisy.chunks_exact_mut(outputs)) {
                weights.write(input, 0, to);
            }
            let mut rows = InputGradientRows { weights: noisy, gradient, sums };
            for_columns!(simd, width, rows.columns);
        }
    }
}
