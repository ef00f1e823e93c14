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

#![allow(unsafe_code, reason = "the innermost loop reads through pointers")]

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::tile::{ALIGNMENT, Walk, accumulate, for_columns, for_rows, scalars, store, vectors};

/// Inputs whose weights are used for the whole batch before the next: so many rows of 512 floats fit a second-level cache.
const BLOCK: usize = 128;

/// A matrix `[rows, columns]` whose rows lie one after the other, read in whole vectors.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    values: &'a [f32],
    columns: usize,
    /// The last rows once more, padded, because vectors of theirs would reach over the end of `values`.
    tail: &'a Tail,
}

/// See [`Rows`].
pub(super) struct Tail {
    first: usize,
    padded: Vec<f32>,
}

impl Tail {
    pub(super) fn new(values: &[f32], columns: usize) -> Self {
        let rows = values.len() / columns;
        let width = columns.next_multiple_of(ALIGNMENT);
        let first = rows.saturating_sub((width - columns).div_ceil(columns));
        Self { first, padded: padded(&values[first * columns..], columns) }
    }
}

impl<'a> Rows<'a> {
    pub(super) fn new(values: &'a [f32], columns: usize, tail: &'a Tail) -> Self {
        assert_eq!(
            tail.first * columns + tail.padded.len() / columns.next_multiple_of(ALIGNMENT) * columns,
            values.len()
        );
        Self { values, columns, tail }
    }

    /// Columns, with those that fill the last vector.
    fn width(&self) -> usize {
        self.columns.next_multiple_of(ALIGNMENT)
    }

    fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// Consecutive rows as parts, each with its distance between rows: those that can be read in place, then the others.
    fn parts(&self, rows: Range<usize>) -> [(Range<usize>, &'a [f32], usize); 2] {
        let middle = self.tail.first.clamp(rows.start, rows.end);
        let tail = &self.tail.padded[(middle.max(self.tail.first) - self.tail.first) * self.width()..];
        [
            (rows.start..middle, &self.values[rows.start * self.columns..], self.columns),
            (middle..rows.end, tail, self.width()),
        ]
    }
}

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

/// Some columns of x · weight + bias.
pub(super) struct Output<'a> {
    /// `[examples, inputs]`
    x: &'a [f32],
    weight: Rows<'a>,
    /// Of whole vectors.
    columns: Range<usize>,
    inputs: Range<usize>,
    /// `[examples, columns]`, the bias at first.
    sums: &'a mut [f32],
}

impl<'a> Output<'a> {
    pub(super) fn new(x: &'a [f32], weight: Rows<'a>, columns: Range<usize>, sums: &'a mut [f32]) -> Self {
        assert!(columns.start.is_multiple_of(ALIGNMENT) && columns.len().is_multiple_of(ALIGNMENT));
        assert!(columns.end <= weight.width());
        assert_eq!(x.len() / weight.rows() * columns.len(), sums.len());
        Self { x, weight, columns, inputs: 0..0, sums }
    }

    #[inline(always)]
    fn block<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, column: usize) {
        for_rows!(simd, 0..self.x.len() / self.weight.rows(), column, self.tile);
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, example: usize, column: usize) {
        let inputs = self.weight.rows();
        let start = |row| (example + row) * self.columns.len() + column;
        let mut sums: [[S::f32s; N]; R] = std::array::from_fn(|row| vectors::<S, N>(&self.sums[start(row)..]));
        for (rows, weight, stride) in self.weight.parts(self.inputs.clone()) {
            if rows.is_empty() {
                continue;
            }
            let walk = Walk { runs: 1, run_stride: 0, length: rows.len(), step: 1 };
            let examples = std::array::from_fn(|row| self.x[(example + row) * inputs + rows.start..].as_ptr());
            let weight = &weight[self.columns.start + column..];
            assert!((rows.len() - 1) * stride + N * S::F32_LANES <= weight.len(), "vectors end within the matrix");
            // SAFETY: each example has a value for each of the rows, and N whole vectors can be read in each row of
            // `weight`.
            unsafe {
                let weight = weight.as_ptr();
                accumulate(simd, examples, walk, weight, stride, &mut sums);
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
    fn with_simd<S: Simd>(mut self, simd: S) {
        let inputs = self.weight.rows();
        for first in (0..inputs).step_by(BLOCK) {
            self.inputs = first..inputs.min(first + BLOCK);
            for_columns!(simd, self.columns.len(), self.block);
        }
    }
}

/// Inputs whose weight gradients are made together: their values of all examples fit a first-level cache.
const INPUTS: usize = 24;

/// Rows of the weight gradient, xᵀ · gradient, for some inputs.
pub(super) struct WeightGradient<'a> {
    /// `[examples, inputs]`
    x: &'a [f32],
    inputs: usize,
    /// `[examples, outputs]`
    gradient: &'a Panels,
    outputs: usize,
    rows: Range<usize>,
    /// `[rows, outputs]`
    sums: &'a mut [MaybeUninit<f32>],
}

/// Up to [`INPUTS`] rows of a [`WeightGradient`].
struct WeightGradientRows<'a> {
    /// `[examples, INPUTS]`
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
        sums: &'a mut [MaybeUninit<f32>],
    ) -> Self {
        assert_eq!((x.len() / inputs, outputs.next_multiple_of(ALIGNMENT)), (gradient.rows, gradient.width));
        assert!(rows.end <= inputs);
        assert_eq!(sums.len(), rows.len() * outputs);
        Self { x, inputs, gradient, outputs, rows, sums }
    }
}

impl WeightGradientRows<'_> {
    #[inline(always)]
    fn block<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, column: usize) {
        for_rows!(simd, 0..self.sums.len() / self.outputs, column, self.tile);
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, row: usize, column: usize) {
        let walk = Walk { runs: 1, run_stride: 0, length: self.x.len() / INPUTS, step: INPUTS };
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
        let Self { x, inputs, gradient, outputs, rows, sums } = self;
        let mut here = vec![0.0; x.len() / inputs * INPUTS];
        for (first, sums) in rows.step_by(INPUTS).zip(sums.chunks_mut(INPUTS * outputs)) {
            let count = sums.len() / outputs;
            for (to, from) in here.chunks_exact_mut(INPUTS).zip(x.chunks_exact(inputs)) {
                to[..count].copy_from_slice(&from[first..first + count]);
            }
            let mut part = WeightGradientRows { x: &here, gradient, outputs, sums };
            for_columns!(simd, outputs, part.block);
        }
    }
}

/// Some columns of the input gradient, gradient · weightᵀ.
pub(super) struct InputGradient<'a> {
    /// `[inputs, outputs]`
    weight: &'a [f32],
    /// `[outputs, examples]`
    gradient: &'a Panels,
    inputs: Range<usize>,
    /// `[inputs, padded examples]`
    sums: &'a mut [MaybeUninit<f32>],
}

impl<'a> InputGradient<'a> {
    /// Every value of `sums` will have been written.
    pub(super) fn new(
        weight: &'a [f32],
        gradient: &'a Panels,
        inputs: Range<usize>,
        sums: &'a mut [MaybeUninit<f32>],
    ) -> Self {
        assert!(inputs.end * gradient.rows <= weight.len());
        assert_eq!(sums.len(), inputs.len() * gradient.width);
        Self { weight, gradient, inputs, sums }
    }

    #[inline(always)]
    fn block<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, column: usize) {
        for_rows!(simd, self.inputs.clone(), column, self.tile);
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, input: usize, column: usize) {
        let Panels { rows: outputs, width, .. } = *self.gradient;
        let walk = Walk { runs: 1, run_stride: 0, length: outputs, step: 1 };
        let inputs = std::array::from_fn(|row| self.weight[(input + row) * outputs..].as_ptr());
        let (gradient, step) = self.gradient.column(column);
        let mut sums = [[simd.splat_f32s(0.0); N]; R];
        // SAFETY: each input has a weight for each output, which has a row of `gradient`. A tile's columns lie in one panel,
        // because they begin at a multiple of their number and PANEL is one too.
        unsafe {
            accumulate(simd, inputs, walk, gradient, step, &mut sums);
        }
        for (row, sums) in sums.iter().enumerate() {
            let start = (input - self.inputs.start + row) * width + column;
            store(sums, width - column, &mut self.sums[start..]);
        }
    }
}

impl WithSimd for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for_columns!(simd, self.gradient.width, self.block);
    }
}
