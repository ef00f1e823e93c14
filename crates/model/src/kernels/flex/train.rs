//! The kernels that only training needs.

mod convolution;
mod linear;
mod max_pool;
mod norm;
mod optimiser;

use burn::backend::flex::FlexTensor;

/// The tensor, copied unless it covers its whole storage in order, so that passes can run over the storage.
fn whole(tensor: FlexTensor) -> FlexTensor {
    let elements = tensor.layout().num_elements();
    if tensor.is_contiguous() && tensor.storage::<f32>().len() == elements { tensor } else { tensor.to_contiguous() }
}
