//! Matrix products over slices, through the `gemm` crate.

#![allow(unsafe_code, reason = "the gemm crate takes raw pointers")]

/// A matrix in a slice: `rows x columns`, stored row-major or as the transpose of a row-major matrix.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `rows x columns`, row-major.
    pub(super) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a {rows}x{columns} matrix has that many values");
        Self { values, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The transpose, without moving values.
    pub(super) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// Whether a product replaces what was there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    Replace,
    Add,
}

/// `output = a b` or `output += a b`, on the calling thread; `output` is row-major.
pub(super) fn multiply(a: Matrix, b: Matrix, output: &mut [f32], write: Write) {
    assert_eq!(a.columns, b.rows, "inner sizes agree");
    assert_eq!(output.len(), a.rows * b.columns, "the output has the outer sizes");
    let old = if write == Write::Add { 1.0 } else { 0.0 };
    // SAFETY:
    // - `Matrix::new` checked that `rows * columns` values exist and its strides visit exactly those, transposed or not;
    // - `output` has `a.rows * b.columns` values, visited row-major;
    // - `output` is borrowed mutably, so it overlaps neither input.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            output.as_mut_ptr(),
            1,
            b.columns as isize,
            write == Write::Add,
            a.values.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            old,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
