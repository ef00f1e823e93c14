//! x · weight + bias, the product of a fully connected layer.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

/// Forward pass of x · weight + bias.
///
/// # Shapes
/// - `x`: `[batch, inputs]`
/// - `weight`: `[inputs, outputs]`
/// - `bias`: `[outputs]`
/// - output: `[batch, outputs]`
///
/// The default is Burn's own matrix product, which is tuned for each device.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    Cube: cfg(feature = "cubecl"),
    Fusion: cfg(feature = "cubecl"),
    Autodiff: cfg(feature = "train")
)]
pub(crate) trait LinearOps: Backend {
    /// The output.
    #[fusion(default)]
    fn linear_product(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        let row = Shape::new([1, bias.shape()[0]]);
        Self::float_add(Self::float_matmul(x, weight), Self::float_reshape(bias, row))
    }
}

/// x · weight + bias, differentiable in all three; see [`LinearOps`] for shapes.
pub(crate) fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    let [_, features] = x.dims();
    let [inputs, outputs] = weight.dims();
    assert_eq!(features, inputs, "a layer of {inputs} inputs is given {features} features");
    assert_eq!(bias.dims(), [outputs], "there is a bias for each output");
    Tensor::from_dispatch(Dispatch::linear_product(x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()))
}
