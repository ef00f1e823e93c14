//! Clipping of gradients by the norm of all of them together (Pascanu et al. 2013, section 3.2).
//!
//! Burn clips each parameter by itself, which changes the direction of the step; the papers clip the whole gradient.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::kernels::train::norm::{scaled_by, sum_of_squares};

/// L2 norm of all gradients together, as a tensor on the device, `[1]`; nothing is copied to the host.
///
/// # Panics
/// When no parameter has a gradient.
pub fn global_norm<M: Module>(module: &M, gradients: &GradientsParams) -> Tensor<1> {
    let mut squares = SquareSum { gradients, sum: None };
    module.visit(&mut squares);
    squares.sum.expect("a module that was differentiated has gradients").sqrt()
}

/// Scales all gradients by min(1, limit / norm), so that their global norm, which is now `norm`, is at most `limit`.
///
/// # Shapes
/// - `norm`: `[1]`, of [`global_norm`]
pub fn clip_global_norm<M: Module>(
    module: &M,
    gradients: GradientsParams,
    norm: Tensor<1>,
    limit: f32,
) -> GradientsParams {
    // The smallest positive float instead of 0 keeps a vanished gradient from becoming 0/0.
    let factor = norm.clamp_min(f32::MIN_POSITIVE).recip().mul_scalar(limit).clamp_max(1.0);
    let mut scale = Scale { gradients, factor };
    module.visit(&mut scale);
    scale.gradients
}

struct SquareSum<'a> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for SquareSum<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let squares = sum_of_squares(gradient);
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + squares,
                None => squares,
            });
        }
    }
}

struct Scale {
    gradients: GradientsParams,
    factor: Tensor<1>,
}

impl ModuleVisitor for Scale {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register(param.id, scaled_by(gradient, self.factor.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::device::open_device;
    use crate::input::{Input, InputElement};
    use crate::network::{NetworkConfig, Torso};

    #[test]
    fn all_gradients_are_scaled_by_one_factor_and_only_above_the_limit() {
        let device = open_device("flex").expect("tests are built with flex").autodiff();
        let config =
            NetworkConfig::dqn(Input { shape: vec![3], element: InputElement::F32 }, 2, Torso::Mlp { hidden: vec![4] });
        let network = config.init(&mut Xoshiro256PlusPlus::seed_from_u64(1), &device).expect("a valid network");
        let gradients = || {
            let observations = Tensor::<2>::from_floats([[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0]], &device);
            let loss = network.forward(observations).square().sum().mul_scalar(100.0);
            GradientsParams::from_grads(loss.backward(), &network)
        };
        let norm = |gradients: &GradientsParams| global_norm(&network, gradients).into_scalar::<f32>();
        let before = norm(&gradients());
        assert!(before > 2.0, "the example needs a large gradient, not {before}");
        let clipped = |limit| {
            let gradients = gradients();
            let norm = global_norm(&network, &gradients);
            clip_global_norm(&network, gradients, norm, limit)
        };
        assert!((norm(&clipped(2.0)) - 2.0).abs() < 1e-5);
        assert_eq!(norm(&clipped(before * 2.0)), before);
    }
}
