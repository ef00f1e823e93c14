//! Tiles: small blocks of a product of matrices that stay in registers while they are summed.
//!
//! One kernel, [`accumulate`], serves every product of this crate: for each step it multiplies one value per row of the
//! tile with the same few vectors. The rows' values are read where they are, through pointers and strides; the vectors
//! are rows of a matrix whose width is a multiple of [`ALIGNMENT`].
//!
//! Everything is compiled for AVX-512, for AVX2, for NEON, and without any of them; [`pulp::Arch`] chooses at run time what
//! the processor supports.

#![allow(unsafe_code, reason = "the innermost loop reads through pointers")]

use std::mem::MaybeUninit;

use pulp::Simd;

/// Rows of packed matrices have a multiple of this many values, the length of the longest vector.
pub(crate) const ALIGNMENT: usize = 16;

/// Steps of [`accumulate`]: `runs` times `length` of them.
#[derive(Clone, Copy)]
pub(crate) struct Walk {
    pub(crate) runs: usize,
    /// From the first value of a run to that of the next.
    pub(crate) run_stride: usize,
    pub(crate) length: usize,
    /// From one step's value to the next.
    pub(crate) step: usize,
}

/// `sums[row][..] += Σ over steps of a[row][step] * b[step][..]`, for `R` rows and `N` vectors.
///
/// # Safety
/// At each step of `walk` each pointer of `a` must lead to a value, and `b`, which advances by `b_step`, to `N` vectors.
#[inline(always)]
pub(crate) unsafe fn accumulate<S: Simd, const R: usize, const N: usize>(
    simd: S,
    a: [*const f32; R],
    walk: Walk,
    mut b: *const f32,
    b_step: usize,
    sums: &mut [[S::f32s; N]; R],
) {
    for run in 0..walk.runs {
        let mut at = run * walk.run_stride;
        for _ in 0..walk.length {
            // SAFETY: the caller promises that both sides can be read at every step.
            unsafe {
                let vectors: [S::f32s; N] =
                    std::array::from_fn(|n| b.add(n * S::F32_LANES).cast::<S::f32s>().read_unaligned());
                for (row, sums) in a.iter().zip(sums.iter_mut()) {
                    let value = simd.splat_f32s(*row.add(at));
                    for (sum, vector) in sums.iter_mut().zip(vectors) {
                        *sum = simd.mul_add_e_f32s(value, vector, *sum);
                    }
                }
            }
            // Behind the last step it may lead out of the matrix, where nothing is read.
            b = b.wrapping_add(b_step);
            at += walk.step;
        }
    }
}

/// Calls a method with tiles of columns, widest first: `$method::<S, rows, vectors>(simd, first column)`.
///
/// 24 sums in vectors fill the 32 registers of AVX-512 well, 12 the 16 of AVX2. A browser makes a product and a sum of each
/// step and keeps some of 16 registers for itself: 8 sums are faster than 12 there.
macro_rules! for_columns {
    ($simd:expr, $columns:expr, $self:ident.$method:ident) => {{
        let mut column = 0;
        while column < $columns {
            let vectors = ($columns - column).div_ceil(S::F32_LANES);
            column += S::F32_LANES
                * if S::F32_LANES == 16 && vectors >= 4 {
                    $self.$method::<S, 6, 4>($simd, column);
                    4
                } else if S::F32_LANES == 16 && vectors >= 2 {
                    $self.$method::<S, 8, 2>($simd, column);
                    2
                } else if cfg!(target_family = "wasm") && S::F32_LANES == 4 && vectors >= 4 {
                    $self.$method::<S, 2, 4>($simd, column);
                    4
                } else if vectors >= 2 {
                    $self.$method::<S, 6, 2>($simd, column);
                    2
                } else {
                    $self.$method::<S, 8, 1>($simd, column);
                    1
                };
        }
    }};
}

/// Calls a method with tiles of rows: `$method::<S, rows, N>(simd, first row, column)`.
macro_rules! for_rows {
    ($simd:expr, $rows:expr, $column:expr, $self:ident.$method:ident) => {{
        let ::std::ops::Range { start: mut row, end } = $rows;
        while row + R <= end {
            $self.$method::<S, R, N>($simd, row, $column);
            row += R;
        }
        if R > 4 && row + 4 <= end {
            $self.$method::<S, 4, N>($simd, row, $column);
            row += 4;
        }
        while R > 2 && row + 2 <= end {
            $self.$method::<S, 2, N>($simd, row, $column);
            row += 2;
        }
        if row < end {
            $self.$method::<S, 1, N>($simd, row, $column);
        }
    }};
}

pub(crate) use {for_columns, for_rows};

/// The first N vectors of a slice.
#[inline(always)]
pub(crate) fn vectors<S: Simd, const N: usize>(values: &[f32]) -> [S::f32s; N] {
    let values = &values[..N * S::F32_LANES];
    // SAFETY: the slice has the values of N vectors; vectors may hold any values.
    std::array::from_fn(|n| unsafe { values.as_ptr().cast::<S::f32s>().add(n).read_unaligned() })
}

/// The values of some vectors.
#[inline(always)]
pub(crate) fn scalars<V: bytemuck::NoUninit>(vectors: &[V]) -> &[f32] {
    bytemuck::cast_slice(vectors)
}

/// Writes the first `valid` values of a tile's row; whole rows, the usual case, as vectors.
#[inline(always)]
pub(crate) fn store<V: bytemuck::NoUninit, const N: usize>(sums: &[V; N], valid: usize, to: &mut [MaybeUninit<f32>]) {
    let values = scalars(sums);
    if valid >= values.len() {
        let to = &mut to[..values.len()];
        // SAFETY: `to` has room for N vectors, which hold any values.
        unsafe { to.as_mut_ptr().cast::<[V; N]>().write_unaligned(*sums) };
    } else {
        to[..valid].write_copy_of_slice(&values[..valid]);
    }
}
