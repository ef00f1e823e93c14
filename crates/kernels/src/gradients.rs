//! What only training needs: the gradients of each kernel.

mod convolution;
mod dense;
mod direct;
mod linear;
mod max_pool;

pub use convolution::{convolution_input_gradient, convolution_weight_gradient, gradient_sums, rectify};
pub use linear::{linear_input_gradient, linear_weight_gradient};
pub use max_pool::max_pool_gradient;
