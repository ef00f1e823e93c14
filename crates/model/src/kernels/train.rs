//! Operations that only training needs: gradients of the operations of [`super`], and passes over gradients.

pub(crate) mod adam;
mod convolution;
mod linear;
mod max_pool;
mod noisy_linear;
pub(crate) mod norm;
pub(crate) mod rms_prop;

pub(super) use self::convolution::ConvolutionGradients;
pub(super) use self::linear::LinearGradients;
pub(super) use self::max_pool::MaxPoolGradients;
pub(super) use self::noisy_linear::NoisyLinearGradients;
