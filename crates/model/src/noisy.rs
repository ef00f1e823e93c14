//! Noisy layers: fully connected layers that learn the size of the noise on their weights, which replaces ε-greedy
//! exploration (Fortunato et al. 2017, "Noisy Networks for Exploration").

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::initialise;
use crate::kernels::linear::linear;
use crate::kernels::noisy_linear::{NoisyWeights, noisy_linear};
use crate::normal;
use crate::transfer::write;

/// How the noise of a layer with p inputs and q outputs is drawn (Fortunato et al. 2017, section 3), and its initial
/// weights (section 3.2). One draw serves a whole batch: see
/// [`QNetwork::with_noise`](crate::network::QNetwork::with_noise).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Noise {
    /// One normal number for each weight and bias, p q + q in all. Initially μ is uniform in ±√(3/p) and each σ is σ₀,
    /// 0.017 in the paper.
    Independent,
    /// p + q normal numbers, ε of weight (i, j) being f(ε_i) f(ε_j) with f(x) = sgn(x) √|x|, and f(ε_j) of bias j.
    /// Initially μ is uniform in ±1/√p and each σ is σ₀/√p, σ₀ being 0.5 in the paper.
    Factorised,
}

/// y = (μ_w + σ_w ∘ ε_w) x + μ_b + σ_b ∘ ε_b, where μ and σ are learned (Fortunato et al. 2017, equation 9).
#[derive(Module, Debug)]
pub(crate) struct NoisyLinear {
    mu_weight: Param<Tensor<2>>,
    sigma_weight: Param<Tensor<2>>,
    mu_bias: Param<Tensor<1>>,
    sigma_bias: Param<Tensor<1>>,
    /// Tensors, not parameters: neither trained nor saved, but moved to other devices with the layer.
    draw: Option<Draw>,
    #[module(skip)]
    noise: Noise,
}

/// The ε that was drawn last.
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
    /// A layer `[inputs] -> [outputs]`, without noise until [`Self::with_noise`]; `sigma` is σ₀ of the paper.
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
                weight: write(normals(inputs * outputs), [inputs, outputs], &device),
                bias: write(normals(outputs), [outputs], &device),
            }),
            Noise::Factorised => {
                let mut factors = |count: usize| {
                    let values: Vec<f32> = normals(count).into_iter().map(|x| x.signum() * x.abs().sqrt()).collect();
                    write(values, [1, count], &device)
                };
                Draw::Factorised(FactorisedDraw { inputs: factors(inputs), outputs: factors(outputs) })
            }
        };
        Self { draw: Some(draw), ..self }
    }

    /// The layer with only μ.
    pub(crate) fn without_noise(self) -> Self {
        Self { draw: None, ..self }
    }

    /// The layer's output with its current noise.
    ///
    /// # Shapes
    /// - `x`: `[batch, inputs]`
    /// - returns: `[batch, outputs]`
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [mu_weight, sigma_weight] = [&self.mu_weight, &self.sigma_weight].map(Param::val);
        let [mu_bias, sigma_bias] = [&self.mu_bias, &self.sigma_bias].map(Param::val);
        match &self.draw {
            None => linear(x, mu_weight, mu_bias),
            Some(Draw::Independent(IndependentDraw { weight, bias })) => {
                linear(x, mu_weight + sigma_weight * weight.clone(), mu_bias + sigma_bias * bias.clone())
            }
            Some(Draw::Factorised(FactorisedDraw { inputs, outputs })) => {
                let (input_factors, output_factors) = (inputs.clone(), outputs.clone());
                let bias = mu_bias + sigma_bias * output_factors.clone().squeeze_dim::<1>(0);
                noisy_linear(
                    x,
                    NoisyWeights { mu: mu_weight, sigma: sigma_weight, input_factors, output_factors },
                    bias,
                )
            }
        }
    }

    /// Root mean square of μ_w over that of σ_w, `[1]`, still on the device.
    pub(crate) fn signal_to_noise(&self) -> Tensor<1> {
        let power = |weight: &Param<Tensor<2>>| weight.val().inner().square().mean();
        (power(&self.mu_weight) / power(&self.sigma_weight)).sqrt()
    }
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use burn::tensor::TensorData;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    const BATCH: usize = 3;
    const INPUTS: usize = 5;
    const OUTPUTS: usize = 4;
    const KINDS: [(Noise, f64); 2] = [(Noise::Independent, 0.017), (Noise::Factorised, 0.5)];

    fn rng(seed: u64) -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(seed)
    }

    fn layer(noise: Noise, sigma: f64, device: &Device) -> NoisyLinear {
        NoisyLinear::new(INPUTS, OUTPUTS, noise, sigma, &mut rng(1), device)
    }

    fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec().expect("floats")
    }

    /// ε_w, row-major, and ε_b as the documentation says, from the same seed.
    fn epsilon(noise: Noise, seed: u64) -> (Vec<f32>, Vec<f32>) {
        let mut rng = rng(seed);
        let mut normals = |count: usize| {
            let mut values = vec![0.0f32; count];
            normal::fill(&mut values, &mut rng);
            values
        };
        match noise {
            Noise::Independent => (normals(INPUTS * OUTPUTS), normals(OUTPUTS)),
            Noise::Factorised => {
                let f = |x: f32| if x < 0.0 { -(-x).sqrt() } else { x.sqrt() };
                let [inputs, outputs] =
                    [INPUTS, OUTPUTS].map(|count| normals(count).into_iter().map(f).collect::<Vec<_>>());
                (inputs.iter().flat_map(|i| outputs.iter().map(move |o| i * o)).collect(), outputs)
            }
        }
    }

    #[test]
    fn output_and_gradients_are_those_of_the_documented_formula() {
        let device = crate::device::open_device("flex").expect("tests are built with flex").autodiff();
        for (noise, sigma) in KINDS {
            let layer = layer(noise, sigma, &device).with_noise(&mut rng(2));
            let x: Vec<f32> = (0..BATCH * INPUTS).map(|i| (i as f32 * 0.7).sin()).collect();
            let c: Vec<f32> = (0..BATCH * OUTPUTS).map(|i| (i as f32 * 1.3).cos()).collect();
            let plain = device.clone().without_autodiff();
            let y = layer.forward(Tensor::from_data(TensorData::new(x.clone(), [BATCH, INPUTS]), &plain));
            let cotangent = Tensor::<2>::from_data(TensorData::new(c.clone(), [BATCH, OUTPUTS]), &plain);
            let gradients = (y.clone() * cotangent).sum().backward();

            let (epsilon_w, epsilon_b) = epsilon(noise, 2);
            let [mu_w, sigma_w] = [&layer.mu_weight, &layer.sigma_weight].map(|param| host(param.val()));
            let [mu_b, sigma_b] = [&layer.mu_bias, &layer.sigma_bias].map(|param| host(param.val()));
            let gradient_w = [&layer.mu_weight, &layer.sigma_weight]
                .map(|param| host(param.val().grad(&gradients).expect("every parameter has a gradient")));
            let gradient_b = [&layer.mu_bias, &layer.sigma_bias]
                .map(|param| host(param.val().grad(&gradients).expect("every parameter has a gradient")));
            let near = |a: f32, b: f32, what: &str| assert!((a - b).abs() < 1e-5, "{noise:?}, {what}: {a} is not {b}");

            for (output, y) in host(y).into_iter().enumerate() {
                let (row, o) = (output / OUTPUTS, output % OUTPUTS);
                let weight = |i: usize| mu_w[i * OUTPUTS + o] + sigma_w[i * OUTPUTS + o] * epsilon_w[i * OUTPUTS + o];
                let sum: f32 = (0..INPUTS).map(|i| x[row * INPUTS + i] * weight(i)).sum();
                near(y, sum + mu_b[o] + sigma_b[o] * epsilon_b[o], "y");
            }
            for o in 0..OUTPUTS {
                let slope: f32 = (0..BATCH).map(|row| c[row * OUTPUTS + o]).sum();
                near(gradient_b[0][o], slope, "dμ_b");
                near(gradient_b[1][o], slope * epsilon_b[o], "dσ_b");
                for i in 0..INPUTS {
                    let slope: f32 = (0..BATCH).map(|row| x[row * INPUTS + i] * c[row * OUTPUTS + o]).sum();
                    let w = i * OUTPUTS + o;
                    near(gradient_w[0][w], slope, "dμ_w");
                    near(gradient_w[1][w], slope * epsilon_w[w], "dσ_w");
                }
            }
        }
    }

    #[test]
    fn initial_weights_are_those_of_the_paper() {
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        let (inputs, outputs) = (300, 200);
        for (noise, sigma_0, bound, sigma) in [
            (Noise::Independent, 0.017, (3.0f32 / 300.0).sqrt(), 0.017),
            (Noise::Factorised, 0.5, 1.0 / 300.0f32.sqrt(), 0.5 / 300.0f32.sqrt()),
        ] {
            let layer = NoisyLinear::new(inputs, outputs, noise, sigma_0, &mut rng(4), &device);
            for sigmas in [host(layer.sigma_weight.val()), host(layer.sigma_bias.val())] {
                assert!(sigmas.iter().all(|&value| (value - sigma).abs() < 1e-8), "{noise:?}: {}", sigmas[0]);
            }
            for mu in [host(layer.mu_weight.val()), host(layer.mu_bias.val())] {
                let largest = mu.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
                assert!(largest <= bound && largest > 0.95 * bound, "{noise:?}: {largest} of {bound}");
                let variance = mu.iter().map(|x| x * x).sum::<f32>() / mu.len() as f32;
                assert!((variance / (bound * bound / 3.0) - 1.0).abs() < 0.25, "{noise:?}: variance {variance}");
            }
        }
    }

    #[test]
    fn a_new_layer_and_one_without_noise_use_mu_alone() {
        let device = crate::device::open_device("flex").expect("tests are built with flex");
        let x = Tensor::<2>::ones([BATCH, INPUTS], &device);
        for (noise, sigma) in KINDS {
            let new = layer(noise, sigma, &device);
            let mean = linear(x.clone(), new.mu_weight.val(), new.mu_bias.val());
            new.forward(x.clone()).into_data().assert_eq(&mean.clone().into_data(), true);
            let noisy = new.with_noise(&mut rng(3));
            assert_ne!(host(noisy.forward(x.clone())), host(mean.clone()), "{noise:?}");
            assert_eq!(host(noisy.without_noise().forward(x.clone())), host(mean), "{noise:?}");
        }
    }
}
