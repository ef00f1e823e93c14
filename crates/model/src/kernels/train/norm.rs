//! The norm of a gradient, and its scaling.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

/// Passes over a whole gradient.
#[backend_extension(Flex: cfg(feature = "flex"), Cube: cfg(feature = "cubecl"), Fusion: cfg(feature = "cubecl"))]
pub(crate) trait NormOps: Backend {
    /// Σ x², `[1]`.
    #[fusion(default)]
    fn sum_of_squares(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_sum(Self::float_mul(x.clone(), x))
    }

    /// x times a factor `[1]`.
    #[fusion(default)]
    fn scaled_by(x: FloatTensor<Self>, factor: FloatTensor<Self>) -> FloatTensor<Self> {
        let ones = Shape::from(vec![1; x.shape().num_dims()]);
        Self::float_mul(x, Self::float_reshape(factor, ones))
    }
}

/// Σ x² over all elements, `[1]`; not differentiable.
pub(crate) fn sum_of_squares<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::sum_of_squares(x.into_dispatch()))
}

/// `x` times `factor`, which is `[1]`; not differentiable. A tensor that nothing else shares is changed in place.
pub(crate) fn scaled_by<const D: usize>(x: Tensor<D>, factor: Tensor<1>) -> Tensor<D> {
    assert_eq!(factor.dims(), [1], "there is one factor");
    Tensor::from_dispatch(Dispatch::scaled_by(x.into_dispatch(), factor.into_dispatch()))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{TensorData, Tolerance};

    use super::*;

    #[test]
    fn squares_and_products_are_burns_own() {
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        for elements in [1, 7, 16, 100, 70_001] {
            let values: Vec<f32> = (0..elements).map(|i| (i as f32 * 0.37).sin()).collect();
            let x = Tensor::<2>::from_data(TensorData::new(values, [elements, 1]), &device);
            let expected = x.clone().square().sum().into_data();
            sum_of_squares(x.clone()).into_data().assert_approx_eq::<f32>(&expected, Tolerance::relative(1e-5));
            for factor in [1.0, 0.25] {
                let factor_1 = Tensor::<1>::from_floats([factor], &device);
                let expected = x.clone().mul_scalar(factor).into_data();
                scaled_by(x.clone(), factor_1).into_data().assert_eq(&expected, true);
            }
        }
    }
}
