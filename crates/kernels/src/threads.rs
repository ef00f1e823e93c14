//! Threads that share a kernel's work, and buffers that are not zeroed before they are written. Without the feature `threads`
//! the calling thread does everything, in the same order: no result depends on the number of threads.

#![allow(unsafe_code, reason = "buffers are written before they are read, and not zeroed before they are written")]

use std::mem::MaybeUninit;

#[cfg(feature = "threads")]
pub(crate) use rayon::prelude::*;

/// Number of multiplications below which another thread costs more than it saves.
pub(crate) const SMALL: usize = 1 << 20;

/// Makes `len` values of `values`, which `write` writes; they are not zeroed before.
///
/// # Safety
/// `write` must write every value.
pub(crate) unsafe fn write_all(values: &mut Vec<f32>, len: usize, write: impl FnOnce(&mut [MaybeUninit<f32>])) {
    values.clear();
    values.reserve(len);
    write(&mut values.spare_capacity_mut()[..len]);
    // SAFETY: there is room for `len` values, and the caller promises that all of them were written.
    unsafe { values.set_len(len) };
}

/// A vector of `len` values, which `write` writes; they are not zeroed before.
///
/// # Safety
/// `write` must write every value.
#[cfg(feature = "train")]
pub(crate) unsafe fn written(len: usize, write: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut values = Vec::new();
    // SAFETY: as the caller promises.
    unsafe { write_all(&mut values, len, write) };
    values
}

/// Threads that there are to share work.
pub(crate) fn threads() -> usize {
    #[cfg(feature = "threads")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "threads"))]
    return 1;
}

/// Calls `each` for every item, on several threads if `work`, in multiplications, is large enough.
#[cfg(feature = "threads")]
pub fn share<I: IndexedParallelIterator>(items: I, work: usize, each: impl Fn(I::Item) + Sync + Send) {
    // One piece, which the calling thread takes if it belongs to the pool.
    let least = if work < SMALL { items.len() } else { 1 };
    items.with_min_len(least.max(1)).for_each(each);
}

/// Calls `each` for every item.
#[cfg(not(feature = "threads"))]
pub fn share<I: Iterator>(items: I, _work: usize, each: impl Fn(I::Item)) {
    items.for_each(each);
}

/// The pieces of slices under the names that they have where threads share them.
#[cfg(not(feature = "threads"))]
pub(crate) trait Pieces<T> {
    fn par_chunks(&self, len: usize) -> std::slice::Chunks<'_, T>;
    fn par_chunks_mut(&mut self, len: usize) -> std::slice::ChunksMut<'_, T>;
}

#[cfg(not(feature = "threads"))]
impl<T> Pieces<T> for [T] {
    fn par_chunks(&self, len: usize) -> std::slice::Chunks<'_, T> {
        self.chunks(len)
    }

    fn par_chunks_mut(&mut self, len: usize) -> std::slice::ChunksMut<'_, T> {
        self.chunks_mut(len)
    }
}
