//! One step of Adam in one pass over a parameter.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

/// Numbers of one Adam step, the same for every element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AdamFactors {
    /// β1: how much of the first moment is kept.
    pub(crate) keep_1: f32,
    /// β2: how much of the second moment is kept.
    pub(crate) keep_2: f32,
    /// Step size over 1 - β1ᵗ.
    pub(crate) step: f32,
    /// 1 over √(1 - β2ᵗ).
    pub(crate) correction_2: f32,
    /// ε, added outside the root.
    pub(crate) epsilon: f32,
}

/// Adam on tensors of one shape.
#[backend_extension(Flex: cfg(feature = "flex"), Cube: cfg(feature = "cubecl"), Fusion: cfg(feature = "cubecl"))]
pub(crate) trait AdamOps: Backend {
    /// The parameter and its two moments after the step.
    ///
    /// The default is a chain of elementwise operations, which devices with fusion run as one.
    #[fusion(default)]
    fn adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        factors: AdamFactors,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let AdamFactors { keep_1, keep_2, step, correction_2, epsilon } = factors;
        let mixed = |kept, keep: f32, new| {
            let new = Self::float_mul_scalar(new, (1.0 - keep).into());
            Self::float_add(Self::float_mul_scalar(kept, keep.into()), new)
        };
        let squares = Self::float_mul(gradient.clone(), gradient.clone());
        let moment_1 = mixed(moment_1, keep_1, gradient);
        let moment_2 = mixed(moment_2, keep_2, squares);
        let root = Self::float_mul_scalar(Self::float_sqrt(moment_2.clone()), correction_2.into());
        let change = Self::float_div(moment_1.clone(), Self::float_add_scalar(root, epsilon.into()));
        let parameter = Self::float_sub(parameter, Self::float_mul_scalar(change, step.into()));
        (parameter, moment_1, moment_2)
    }
}

/// The parameter and its moments after one step of Adam (Kingma and Ba 2015, algorithm 1):
/// m ← β1 m + (1-β1) g, v ← β2 v + (1-β2) g², p ← p - step · m / (√v · correction_2 + ε).
///
/// Tensors that nothing else shares are changed in place.
pub(crate) fn adam_step<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: [Tensor<D>; 2],
    factors: AdamFactors,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    assert_eq!(parameter.dims(), gradient.dims(), "a gradient has its parameter's shape");
    let [moment_1, moment_2] = moments.map(Tensor::into_dispatch);
    let (parameter, moment_1, moment_2) =
        Dispatch::adam_step(parameter.into_dispatch(), gradient.into_dispatch(), moment_1, moment_2, factors);
    (Tensor::from_dispatch(parameter), [moment_1, moment_2].map(Tensor::from_dispatch))
}
