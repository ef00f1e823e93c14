//! x · (μ + σ ∘ f_in f_outᵀ) + bias, the product of a fully connected layer whose weights carry factorised noise.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

/// Forward pass of x · (μ + σ ∘ f_in f_outᵀ) + bias (Fortunato et al. 2017, equations 9 and 10).
///
/// # Shapes
/// - `x`: `[batch, inputs]`
/// - `mu`, `sigma`: `[inputs, outputs]`
/// - `input_factors`, f_in: `[1, inputs]`
/// - `output_factors`, f_out: `[1, outputs]`
/// - `bias`: `[outputs]`
/// - output: `[batch, outputs]`
///
/// The default is two of Burn's own matrix products, which are tuned for each device, with the factors taken out of the
/// second: (x ∘ f_in) σ ∘ f_out. The noisy weights are never stored.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    Cube: cfg(feature = "cubecl"),
    Fusion: cfg(feature = "cubecl"),
    Autodiff: cfg(feature = "train")
)]
pub(crate) trait NoisyLinearOps: Backend {
    /// The output.
    #[fusion(default)]
    fn noisy_product(
        x: FloatTensor<Self>,
        mu: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
        input_factors: FloatTensor<Self>,
        output_factors: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let row = Shape::new([1, bias.shape()[0]]);
        let spread = Self::float_matmul(Self::float_mul(x.clone(), input_factors), sigma);
        let output = Self::float_add(Self::float_matmul(x, mu), Self::float_mul(spread, output_factors));
        Self::float_add(output, Self::float_reshape(bias, row))
    }
}

/// Weights with their noise, to multiply with; see [`NoisyLinearOps`] for shapes.
pub(crate) struct NoisyWeights {
    pub(crate) mu: Tensor<2>,
    pub(crate) sigma: Tensor<2>,
    /// Both factors are constants to differentiation.
    pub(crate) input_factors: Tensor<2>,
    pub(crate) output_factors: Tensor<2>,
}

/// x · (μ + σ ∘ f_in f_outᵀ) + bias, differentiable in x, μ, σ and bias; see [`NoisyLinearOps`] for shapes.
pub(crate) fn noisy_linear(x: Tensor<2>, weights: NoisyWeights, bias: Tensor<1>) -> Tensor<2> {
    let NoisyWeights { mu, sigma, input_factors, output_factors } = weights;
    let [_, features] = x.dims();
    let [inputs, outputs] = mu.dims();
    assert_eq!(features, inputs, "a layer of {inputs} inputs is given {features} features");
    assert_eq!(sigma.dims(), mu.dims(), "there is a spread for each mean");
    assert_eq!((input_factors.dims(), output_factors.dims()), ([1, inputs], [1, outputs]), "factors fit the layer");
    assert_eq!(bias.dims(), [outputs], "there is a bias for each output");
    Tensor::from_dispatch(Dispatch::noisy_product(
        x.into_dispatch(),
        mu.into_dispatch(),
        sigma.into_dispatch(),
        input_factors.into_dispatch(),
        output_factors.into_dispatch(),
        bias.into_dispatch(),
    ))
}
