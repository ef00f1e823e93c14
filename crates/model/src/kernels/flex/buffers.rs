//! Slices of Flex tensors, and threads that share them.

#![allow(unsafe_code, reason = "buffers are written before they are read, and not zeroed before they are written")]

use std::mem::MaybeUninit;

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};
use rayon::prelude::*;

/// Number of multiplications below which another thread costs more than it saves.
pub(super) const SMALL: usize = 1 << 20;

/// The tensor with its elements in row-major order, copied only where they are not.
pub(super) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.as_slice::<f32>().is_some() { tensor } else { tensor.to_contiguous() }
}

/// The elements of a tensor that [`contiguous`] returned.
pub(super) fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("the tensor was made contiguous")
}

/// A tensor of these elements, row-major.
pub(super) fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(shape.into()), DType::F32)
}

/// A vector of `len` values, which `write` writes; they are not zeroed before.
///
/// # Safety
/// `write` must write every value.
pub(super) unsafe fn written(len: usize, write: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    write(&mut values.spare_capacity_mut()[..len]);
    // SAFETY: there is room for `len` values, and the caller promises that all of them were written.
    unsafe { values.set_len(len) };
    values
}

/// Calls `each` for every item, on several threads if `work`, in multiplications, is large enough.
pub(super) fn share<I: IndexedParallelIterator>(items: I, work: usize, each: impl Fn(I::Item) + Sync + Send) {
    // One piece, which the calling thread takes if it belongs to the pool.
    let least = if work < SMALL { items.len() } else { 1 };
    items.with_min_len(least.max(1)).for_each(each);
}
