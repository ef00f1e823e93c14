//! One step of centred RMSProp in one pass over a parameter.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

/// Numbers of one RMSProp step, the same for every element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RmsPropFactors {
    /// ρ: how much of both running means is kept.
    pub(crate) keep: f32,
    /// Step size α.
    pub(crate) step: f32,
    /// ε, added inside the root.
    pub(crate) epsilon: f32,
}

/// RMSProp on tensors of one shape.
#[backend_extension(Flex: cfg(feature = "flex"), Cube: cfg(feature = "cubecl"), Fusion: cfg(feature = "cubecl"))]
pub(crate) trait RmsPropOps: Backend {
    /// The parameter and its two running means after the step.
    ///
    /// The default is a chain of elementwise operations, which devices with fusion run as one.
    #[fusion(default)]
    fn rms_prop_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        mean_square: FloatTensor<Self>,
        factors: RmsPropFactors,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let RmsPropFactors { keep, step, epsilon } = factors;
        let mixed = |kept, new| {
            let new = Self::float_mul_scalar(new, (1.0 - keep).into());
            Self::float_add(Self::float_mul_scalar(kept, keep.into()), new)
        };
        let mean = mixed(mean, gradient.clone());
        let mean_square = mixed(mean_square, Self::float_mul(gradient.clone(), gradient.clone()));
        // Rounding can take v - m², a variance, a little below 0.
        let variance = Self::float_sub(mean_square.clone(), Self::float_mul(mean.clone(), mean.clone()));
        let variance = Self::float_clamp_min(variance, 0.0.into());
        let root = Self::float_sqrt(Self::float_add_scalar(variance, epsilon.into()));
        let change = Self::float_mul_scalar(Self::float_div(gradient, root), step.into());
        (Self::float_sub(parameter, change), mean, mean_square)
    }
}

/// The parameter and its running means m and v after one step: m ← ρ m + (1-ρ) g, v ← ρ v + (1-ρ) g²,
/// p ← p - step · g / √(v - m² + ε).
///
/// Tensors that nothing else shares are changed in place.
pub(crate) fn rms_prop_step<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    means: [Tensor<D>; 2],
    factors: RmsPropFactors,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    assert_eq!(parameter.dims(), gradient.dims(), "a gradient has its parameter's shape");
    let [mean, mean_square] = means.map(Tensor::into_dispatch);
    let (parameter, mean, mean_square) =
        Dispatch::rms_prop_step(parameter.into_dispatch(), gradient.into_dispatch(), mean, mean_square, factors);
    (Tensor::from_dispatch(parameter), [mean, mean_square].map(Tensor::from_dispatch))
}
