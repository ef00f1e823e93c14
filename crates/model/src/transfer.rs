//! The way from device to host.

use std::cell::Cell;

use burn::tensor::Tensor;

thread_local! {
    static READS: Cell<u64> = const { Cell::new(0) };
}

/// The values of a tensor, row-major, on the host. It waits until the device has computed them, so every call has a cost
/// worth counting: see [`reads`].
pub fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    READS.set(READS.get() + 1);
    tensor.into_data().try_to_vec().expect("a float tensor holds floats")
}

/// How often this thread has called [`read`].
pub fn reads() -> u64 {
    READS.get()
}
