//! Copies between host and device.

use std::cell::Cell;

use burn::tensor::{Device, Tensor, TensorData};

thread_local! {
    static READS: Cell<u64> = const { Cell::new(0) };
    static WRITES: Cell<u64> = const { Cell::new(0) };
}

/// The values of a tensor, row-major, on the host. It waits until the device has computed them, so calls are counted:
/// see [`reads`].
pub fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    READS.set(READS.get() + 1);
    tensor.into_data().try_to_vec().expect("a float tensor holds floats")
}

/// How often this thread has called [`read`].
pub fn reads() -> u64 {
    READS.get()
}

/// A tensor of these values, row-major, on the device. Each call costs a copy to the device: see [`writes`].
pub fn write<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    count_write();
    Tensor::from_data(TensorData::new(values, shape), device)
}

pub(crate) fn count_write() {
    WRITES.set(WRITES.get() + 1);
}

/// How often this thread has copied values to a device: [`write()`], and the observations of
/// [`Input::upload`](crate::input::Input::upload).
pub fn writes() -> u64 {
    WRITES.get()
}
