//! Noisy layers: fully connected layers that learn how much noise their weights carry, which explores in place of
//! epsilon-greedy (Fortunato et al. 2017, "Noisy Networks for Exploration").

use burn::module::{Module, Param};
use burn::tensor::module::linear;
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::{initialise, normal};

/// Where the noise of a layer with p inputs and q outputs comes from (Fortunato et al. 2017, section 3), and its initial
/// weights (section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Noise {
    /// One normal number for each weight and bias, p q + q in all. Initially μ is uniform in ±√(3/p) and each σ is σ₀, 0.017
    /// in the paper.
    Independent,
    /// p + q normal numbers, ε of weight (i, j) being f(ε_i) f(ε_j) with f(x) = sgn(x) √|x|, and f(ε_j) of bias j. Initially
    /// μ is uniform in ±1/√p and each σ is σ₀/√p, σ₀ being 0.5 in the paper.
    Factorised,
}

/// y = (μ_w + σ_w ∘ ε_w) x + μ_b + σ_b ∘ ε_b, where μ and σ are learned (Fortunato et al. 2017, equation 9).
#[derive(Module, Debug)]
pub(crate) struct NoisyLinear {
    mu_weight: Param<Tensor<2>>,
    sigma_weight: Param<Tensor<2>>,
    mu_bias: Param<Tensor<1>>,
    sigma_bias: Param<Tensor<1>>,
    /// Tensors, not parameters: neither trained nor saved, but moved with the layer.
    draw: Option<Draw>,
    #[module(skip)]
    noise: Noise,
}

/// What ε is at present.
#[derive(Module, Debug)]
enum Draw {
    Independent(IndependentDraw),
    Factorised(FactorisedDraw),
}

/// ε_w `[inputs, outputs]` and ε_b `[outputs]`.
#[derive(Module, Debug)]
struct IndependentDraw {
    weight: Tensor<2>,
    bias: Tensor<1>,
}

/// f(ε) of the inputs, `[1, inputs]`, and of the outputs, `[1, outputs]`.
#[derive(Module, Debug)]
struct FactorisedDraw {
    inputs: Tensor<2>,
    outputs: Tensor<2>,
}

impl NoisyLinear {
    /// A layer `[inputs] -> [outputs]` without noise at present; `sigma` is σ₀ of the paper.
    pub(crate) fn new(
        inputs: usize,
        outputs: usize,
        noise: Noise,
        sigma: f64,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let bound = match noise {
            Noise::Independent => (3.0 / inputs as f32).sqrt(),
            Noise::Factorised => initialise::bound(inputs),
        };
        let sigma = match noise {
            Noise::Independent => sigma,
            Noise::Factorised => sigma / (inputs as f64).sqrt(),
        };
        Self {
            mu_weight: initialise::uniform([inputs, outputs], bound, rng, device),
            sigma_weight: initialise::constant([inputs, outputs], sigma as f32, device),
            mu_bias: initialise::uniform([outputs], bound, rng, device),
            sigma_bias: initialise::constant([outputs], sigma as f32, device),
            draw: None,
            noise,
        }
    }

    /// The layer with fresh noise, drawn on the host and copied to the device.
    pub(crate) fn with_noise(self, rng: &mut impl Rng) -> Self {
        let [inputs, outputs] = self.mu_weight.lazy_shape().dims();
        // Plain tensors are constants beside differentiated ones.
        let device = self.mu_weight.lazy_device().without_autodiff();
        let mut normals = |count: usize| {
            let mut values = vec![0.0; count];
            normal::fill(&mut values, rng);
            values
        };
        let draw = match self.noise {
            Noise::Independent => Draw::Independent(IndependentDraw {
                weight: Tensor::from_data(TensorData::new(normals(inputs * outputs), [inputs, outputs]), &device),
                bias: Tensor::from_data(TensorData::new(normals(outputs), [outputs]), &device),
            }),
            Noise::Factorised => {
                let mut factors = |count: usize| {
                    let values: Vec<f32> = normals(count).into_iter().map(|x| x.signum() * x.abs().sqrt()).collect();
                    Tensor::from_data(TensorData::new(values, [1, count]), &device)
                };
                Draw::Factorised(FactorisedDraw { inputs: factors(inputs), outputs: factors(outputs) })
            }
        };
        Self { draw: Some(draw), ..self }
    }

    /// The layer with μ alone.
    pub(crate) fn without_noise(self) -> Self {
        Self { draw: None, ..self }
    }

    /// The layer's output under its present noise.
    ///
    /// # Shapes
    /// - `x`: `[batch, inputs]`
    /// - returns: `[batch, outputs]`
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [mu_weight, sigma_weight] = [&self.mu_weight, &self.sigma_weight].map(Param::val);
        let [mu_bias, sigma_bias] = [&self.mu_bias, &self.sigma_bias].map(Param::val);
        match &self.draw {
            None => linear(x, mu_weight, Some(mu_bias)),
            Some(Draw::Independent(IndependentDraw { weight, bias })) => {
                linear(x, mu_weight + sigma_weight * weight.clone(), Some(mu_bias + sigma_bias * bias.clone()))
            }
            // x (σ_w ∘ f_in f_outᵀ) + σ_b ∘ f_out = ((x ∘ f_in) σ_w + σ_b) ∘ f_out: no noisy weights are ever written.
            Some(Draw::Factorised(FactorisedDraw { inputs, outputs })) => {
                let spread = linear(x.clone() * inputs.clone(), sigma_weight, Some(sigma_bias)) * outputs.clone();
                linear(x, mu_weight, Some(mu_bias)) + spread
            }
        }
    }

    /// Root mean square of μ_w over that of σ_w, `[1]`, still on the device.
    pub(crate) fn signal_to_noise(&self) -> Tensor<1> {
        let power = |weight: &Param<Tensor<2>>| weight.val().inner().square().mean();
        (power(&self.mu_weight) / power(&self.sigma_weight)).sqrt()
    }
}
