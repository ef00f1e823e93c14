//! The projection of distributions of returns onto their atoms.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use crate::support::Support;

/// Projection without an intermediate tensor `[batch, atoms, atoms]`.
#[backend_extension(Flex: cfg(feature = "flex"), Cube: cfg(feature = "cubecl"), Fusion: cfg(feature = "cubecl"))]
pub(crate) trait ProjectionOps: Backend {
    /// Returns and discounts `[batch]`, probabilities `[batch, atoms]`, to probabilities `[batch, atoms]`.
    #[fusion(dtype = probabilities, shape = probabilities)]
    fn project(
        returns: FloatTensor<Self>,
        discounts: FloatTensor<Self>,
        probabilities: FloatTensor<Self>,
        support: Support,
    ) -> FloatTensor<Self>;
}

/// The kernel of [`crate::project`], where the formula is; it is not differentiable.
pub(crate) fn project(
    returns: Tensor<1>,
    discounts: Tensor<1>,
    probabilities: Tensor<2>,
    support: &Support,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::project(
        returns.into_dispatch(),
        discounts.into_dispatch(),
        probabilities.into_dispatch(),
        *support,
    ))
}
