use std::num::NonZeroUsize;

use burn::module::{ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, TensorData};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;
use crate::fully_connected::Layers;
use crate::head::Streams;
use crate::input::{Input, InputElement};
use crate::noisy::Noise;
use crate::optimiser::Adam;
use crate::weights::Weights;

const BATCH: usize = 3;
const ACTIONS: usize = 4;
const FACTORISED: Layers = Layers::Noisy { noise: Noise::Factorised, sigma: 0.5 };
const INDEPENDENT: Layers = Layers::Noisy { noise: Noise::Independent, sigma: 0.017 };

fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

fn flex() -> Device {
    crate::device::open_device("flex").expect("tests are built with flex")
}

fn mlp(hidden: &[usize]) -> NetworkConfig {
    let input = Input { shape: vec![6], element: InputElement::F32 };
    NetworkConfig::dqn(input, ACTIONS, Torso::Mlp { hidden: hidden.to_vec() })
}

fn distribution() -> Output {
    Output::Distribution(Support::new(-2.0, 3.0, 11).expect("a valid support"))
}

const QUANTILES: usize = 5;

fn quantiles() -> Output {
    Output::Quantiles { count: NonZeroUsize::new(QUANTILES).expect("above 0") }
}

/// Dueling, noisy and distributional, over images.
fn rainbow() -> NetworkConfig {
    NetworkConfig {
        streams: Streams::Dueling,
        output: distribution(),
        layers: FACTORISED,
        ..NetworkConfig::dqn(
            Input { shape: vec![2, 36, 36], element: InputElement::U8 },
            ACTIONS,
            Torso::Nature { hidden: 16 },
        )
    }
}

fn network(config: &NetworkConfig, device: &Device) -> QNetwork {
    config.init(&mut rng(1), device).expect("a valid network")
}

fn observations(config: &NetworkConfig, device: &Device) -> Tensor<2> {
    let shape = [BATCH, config.input.elements()];
    let values: Vec<f32> = (0..shape[0] * shape[1]).map(|i| (i as f32 * 0.37).sin()).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("floats")
}

fn assert_near(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() < 1e-5, "{what}, value {i}: {a} is not {b}");
    }
}

/// Ids and values of all parameters, in order.
#[derive(Default)]
struct Parameters {
    ids: Vec<ParamId>,
    values: Vec<Vec<f32>>,
}

impl Parameters {
    fn of(network: &QNetwork) -> Self {
        let mut parameters = Self::default();
        network.visit(&mut parameters);
        parameters
    }
}

impl ModuleVisitor for Parameters {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.ids.push(param.id);
        self.values.push(host(param.val().inner()));
    }
}

/// The largest gradient of each parameter, 0 where there is none.
struct LargestGradients<'a>(&'a GradientsParams, Vec<f32>);

impl ModuleVisitor for LargestGradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.0.get::<D>(param.id).map_or(0.0, |gradient| gradient.abs().max().into_scalar::<f32>());
        self.1.push(gradient);
    }
}

#[test]
fn a_plain_network_draws_its_weights_from_the_observation_onwards() {
    let parameters = Parameters::of(&network(&mlp(&[5, 3]), &flex()));
    let mut rng = rng(1);
    let mut index = 0;
    for [inputs, outputs] in [[6, 5], [5, 3], [3, ACTIONS]] {
        for count in [inputs * outputs, outputs] {
            let bound = 1.0 / (inputs as f32).sqrt();
            let expected: Vec<f32> = (0..count).map(|_| rng.random_range(-bound..=bound)).collect();
            assert_eq!(parameters.values[index], expected, "parameter {index}");
            index += 1;
        }
    }
    assert_eq!(parameters.values.len(), index);
}

#[test]
fn hidden_layers_are_activated_as_configured_and_outputs_are_not() {
    let device = flex();
    for activation in [Activation::Relu, Activation::Selu] {
        let config = NetworkConfig { activation, ..mlp(&[5, 3]) };
        let network = network(&config, &device);
        let parameters = Parameters::of(&network).values;
        let mut features = host(observations(&config, &device));
        for (layer, [inputs, outputs]) in [[6, 5], [5, 3], [3, ACTIONS]].into_iter().enumerate() {
            let (weight, bias) = (&parameters[2 * layer], &parameters[2 * layer + 1]);
            let unit = |row: &[f32], o: usize| {
                let y = bias[o] + (0..inputs).map(|i| row[i] * weight[i * outputs + o]).sum::<f32>();
                match activation {
                    _ if layer == 2 => y,
                    Activation::Relu => y.max(0.0),
                    Activation::Selu => 1.050_701 * if y > 0.0 { y } else { 1.673_263_2 * (y.exp() - 1.0) },
                }
            };
            features = features
                .chunks(inputs)
                .flat_map(|row| (0..outputs).map(|o| unit(row, o)).collect::<Vec<_>>())
                .collect();
        }
        let q_values = host(network.forward(observations(&config, &device)));
        assert_near(&q_values, &features, &format!("{activation:?}"));
    }
}

#[test]
fn q_values_of_dueling_streams_are_value_plus_advantage_minus_its_mean() {
    let device = flex();
    let config = NetworkConfig { streams: Streams::Dueling, ..mlp(&[5, 7]) };
    let network = network(&config, &device);
    let (value, advantages) =
        network.value_and_advantages(observations(&config, &device)).expect("a dueling network has both");
    assert_eq!((value.dims(), advantages.dims()), ([BATCH], [BATCH, ACTIONS]));
    let (value, advantages) = (host(value), host(advantages));
    let expected: Vec<f32> = advantages
        .chunks(ACTIONS)
        .zip(value)
        .flat_map(|(row, v)| row.iter().map(move |a| v + a - row.iter().sum::<f32>() / ACTIONS as f32))
        .collect();
    assert_near(&host(network.forward(observations(&config, &device))), &expected, "Q");
    assert!(advantages.chunks(ACTIONS).all(|row| row.iter().sum::<f32>().abs() > 1e-3), "advantages come as they are");
}

#[test]
fn dueling_streams_have_a_last_hidden_layer_each_and_share_the_earlier_ones() {
    let count = |streams, hidden: &[usize]| network(&NetworkConfig { streams, ..mlp(hidden) }, &flex()).num_params();
    let layer = |inputs: usize, outputs: usize| inputs * outputs + outputs;
    let shared = layer(6, 5);
    assert_eq!(count(Streams::Single, &[5, 7]), shared + layer(5, 7) + layer(7, ACTIONS));
    assert_eq!(count(Streams::Dueling, &[5, 7]), shared + 2 * layer(5, 7) + layer(7, 1) + layer(7, ACTIONS));
    assert_eq!(count(Streams::Dueling, &[]), layer(6, 1) + layer(6, ACTIONS));
    let config = mlp(&[5]);
    assert!(network(&config, &flex()).value_and_advantages(observations(&config, &flex())).is_none());
}

#[test]
fn distributions_duel_atom_by_atom_before_the_softmax() {
    let device = flex();
    let config = NetworkConfig { streams: Streams::Dueling, output: distribution(), ..mlp(&[5]) };
    let network = network(&config, &device);
    let Head::Dueling(DuelingStreams { value, advantage }) = &network.head else { panic!("a dueling network") };
    let x = observations(&config, &device);
    let (v, a) =
        (host(value.forward(x.clone(), Activation::Relu)), host(advantage.forward(x.clone(), Activation::Relu)));
    let logits = network.logits(x.clone());
    assert_eq!(logits.dims(), [BATCH, ACTIONS, 11]);
    let expected: Vec<f32> = (0..a.len())
        .map(|i| {
            let (row, atom) = (i / (ACTIONS * 11), i % 11);
            let mean = (0..ACTIONS).map(|action| a[(row * ACTIONS + action) * 11 + atom]).sum::<f32>() / ACTIONS as f32;
            v[row * 11 + atom] + a[i] - mean
        })
        .collect();
    assert_near(&host(logits), &expected, "logits");

    let means = |logits: &[f32]| -> Vec<f32> { logits.chunks(11).map(|logits| mean_of(logits, &config)).collect() };
    let (value, advantages) = network.value_and_advantages(x).expect("a dueling network has both");
    assert_near(&host(value), &means(&v), "value");
    assert_near(&host(advantages), &means(&a), "advantages");
}

/// The mean of the softmax of one distribution's logits.
fn mean_of(logits: &[f32], config: &NetworkConfig) -> f32 {
    let Output::Distribution(support) = config.output else { panic!("a distribution") };
    let exponentials: Vec<f64> = logits.iter().map(|&logit| f64::from(logit).exp()).collect();
    let weighted: f64 = exponentials.iter().zip(support.values()).map(|(e, z)| e * f64::from(z)).sum();
    (weighted / exponentials.iter().sum::<f64>()) as f32
}

#[test]
fn q_values_of_distributions_are_the_means_of_their_softmax() {
    let device = flex();
    for streams in [Streams::Single, Streams::Dueling] {
        let config = NetworkConfig { streams, output: distribution(), ..mlp(&[5]) };
        let network = network(&config, &device);
        assert_eq!(network.support().copied().map(Output::Distribution), Some(config.output));
        let q_values = network.forward(observations(&config, &device));
        assert_eq!(q_values.dims(), [BATCH, ACTIONS]);
        let logits = host(network.logits(observations(&config, &device)));
        let means: Vec<f32> = logits.chunks(11).map(|logits| mean_of(logits, &config)).collect();
        assert_near(&host(q_values), &means, "q-values");
    }
}

/// y = W x + b of each row, in f64.
fn affine(rows: &[Vec<f64>], weight: &[f32], bias: &[f32]) -> Vec<Vec<f64>> {
    let unit = |row: &[f64], o: usize| {
        row.iter().enumerate().map(|(i, x)| x * f64::from(weight[i * bias.len() + o])).sum::<f64>() + f64::from(bias[o])
    };
    rows.iter().map(|row| (0..bias.len()).map(|o| unit(row, o)).collect()).collect()
}

#[test]
fn quantiles_and_their_means_are_those_of_the_formula_in_one_stream_and_in_two() {
    let device = flex();
    let rectified = |rows: Vec<Vec<f64>>| -> Vec<Vec<f64>> {
        rows.into_iter().map(|row| row.into_iter().map(|x| x.max(0.0)).collect()).collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    for streams in [Streams::Single, Streams::Dueling] {
        let config = NetworkConfig { streams, output: quantiles(), ..mlp(&[7]) };
        let network = network(&config, &device);
        let weights = Parameters::of(&network).values;
        let x: Vec<Vec<f64>> = host(observations(&config, &device))
            .chunks(6)
            .map(|row| row.iter().copied().map(f64::from).collect())
            .collect();
        // A stream has a hidden and an output layer, of a weight and a bias each; the value's come first.
        let stream = |first: usize| {
            let hidden = rectified(affine(&x, &weights[first], &weights[first + 1]));
            affine(&hidden, &weights[first + 2], &weights[first + 3])
        };
        let expected: Vec<f64> = match streams {
            Streams::Single => stream(0).concat(),
            Streams::Dueling => stream(0)
                .iter()
                .zip(stream(4))
                .flat_map(|(v, a)| {
                    let of = |action: usize, i: usize| a[action * QUANTILES + i];
                    let mean = |i: usize| mean(&(0..ACTIONS).map(|action| of(action, i)).collect::<Vec<_>>());
                    (0..ACTIONS * QUANTILES)
                        .map(|j| v[j % QUANTILES] + of(j / QUANTILES, j % QUANTILES) - mean(j % QUANTILES))
                        .collect::<Vec<_>>()
                })
                .collect(),
        };
        let as_f32 = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<_>>();
        let means = |values: &[f64]| as_f32(&values.chunks(QUANTILES).map(mean).collect::<Vec<_>>());

        let found = network.quantiles(observations(&config, &device));
        assert_eq!(found.dims(), [BATCH, ACTIONS, QUANTILES]);
        assert_near(&host(found), &as_f32(&expected), &format!("quantiles, {streams:?}"));
        let q_values = network.forward(observations(&config, &device));
        assert_eq!(q_values.dims(), [BATCH, ACTIONS]);
        assert_near(&host(q_values), &means(&expected), &format!("q-values, {streams:?}"));
        assert_eq!(network.support(), None);

        let parts = network.value_and_advantages(observations(&config, &device));
        assert_eq!(parts.is_some(), streams == Streams::Dueling);
        if let Some((value, advantages)) = parts {
            assert_near(&host(value), &means(&stream(0).concat()), "value");
            assert_near(&host(advantages), &means(&stream(4).concat()), "advantages");
        }
    }
}

#[test]
#[should_panic(expected = "a network whose output is q-values has no logits")]
fn a_network_of_q_values_has_no_logits() {
    let config = mlp(&[5]);
    network(&config, &flex()).logits(observations(&config, &flex()));
}

#[test]
#[should_panic(expected = "a network whose output is quantiles has no logits")]
fn a_network_of_quantiles_has_no_logits() {
    let config = NetworkConfig { output: quantiles(), ..mlp(&[5]) };
    network(&config, &flex()).logits(observations(&config, &flex()));
}

#[test]
#[should_panic(expected = "a network whose output is distributions has no quantiles")]
fn a_network_of_distributions_has_no_quantiles() {
    let config = NetworkConfig { output: distribution(), ..mlp(&[5]) };
    network(&config, &flex()).quantiles(observations(&config, &flex()));
}

#[test]
fn parts_make_the_network_that_has_them() {
    let config = rainbow();
    let NetworkConfig { input, scaling, actions, torso, activation, streams, output, layers } = config.clone();
    let parts = NetworkParts { scaling, torso, activation, streams, layers };
    assert_eq!(parts.network(input, actions, output), config);
}

#[test]
fn a_gradient_reaches_every_parameter_of_a_noisy_network_whichever_its_other_parts() {
    let device = flex().autodiff();
    let mlp = |streams, layers, output| NetworkConfig {
        streams,
        layers,
        output,
        activation: Activation::Selu,
        ..mlp(&[5, 7])
    };
    for (config, parameters) in [
        (rainbow(), 6 + 4 * 4),
        (mlp(Streams::Single, FACTORISED, Output::QValues), 3 * 4),
        (mlp(Streams::Dueling, INDEPENDENT, Output::QValues), 5 * 4),
        (mlp(Streams::Dueling, Layers::Plain, distribution()), 5 * 2),
        (mlp(Streams::Dueling, FACTORISED, quantiles()), 5 * 4),
    ] {
        let network = network(&config, &device);
        let noisy = network.with_noise(&mut rng(2));
        let x = observations(&config, &flex());
        let loss = match config.output {
            Output::QValues => noisy.forward(x).square().sum(),
            Output::Distribution(_) => softmax(noisy.logits(x), 2).slice([0..BATCH, 0..2, 0..3]).sum(),
            Output::Quantiles { .. } => noisy.quantiles(x).square().sum(),
        };
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        let mut largest = LargestGradients(&gradients, Vec::new());
        network.visit(&mut largest);
        assert_eq!(largest.1.len(), parameters, "{config:?}");
        assert!(largest.1.iter().all(|&gradient| gradient > 0.0), "{config:?}: {:?}", largest.1);
    }
}

#[test]
fn an_optimiser_knows_the_parameters_of_a_network_with_noise() {
    let device = flex().autodiff();
    let config = NetworkConfig { layers: INDEPENDENT, ..mlp(&[5]) };
    let adam = Adam { learning_rate: 1e-2, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
    let (mut network, mut optimiser) = (network(&config, &device), burn::optim::ModuleOptimizer::from(adam));
    for seed in 0..3 {
        let before = Parameters::of(&network);
        let noisy = network.with_noise(&mut rng(seed));
        assert_eq!(Parameters::of(&noisy).ids, before.ids);
        let loss = (noisy.forward(observations(&config, &flex())) - 1.0).square().sum();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimiser.step(adam.learning_rate, network, gradients);
        let after = Parameters::of(&network);
        assert_eq!(after.ids, before.ids);
        assert!(after.values.iter().zip(&before.values).all(|(after, before)| after != before), "step {seed}");
    }
}

#[test]
fn the_generator_alone_decides_the_noise() {
    let device = flex();
    for layers in [FACTORISED, INDEPENDENT] {
        let config = NetworkConfig { layers, ..rainbow() };
        let network = network(&config, &device);
        let q_values = |network: &QNetwork| host(network.forward(observations(&config, &device)));
        let [first, again, other] = [3, 3, 4].map(|seed| network.with_noise(&mut rng(seed)));
        assert_eq!(q_values(&first), q_values(&again));
        assert_ne!(q_values(&first), q_values(&other));
        assert_eq!(q_values(&first.with_noise(&mut rng(4))), q_values(&other), "old noise leaves no trace");
        assert_eq!(q_values(&first.without_noise()), q_values(&network), "a new network has no noise");
        assert_ne!(q_values(&first), q_values(&network));
        let mut one = rng(5);
        let [second, third] = [network.with_noise(&mut one), network.with_noise(&mut one)];
        assert_ne!(q_values(&second), q_values(&third), "each draw goes on where the last one ended");
    }
}

#[test]
fn a_plain_network_has_no_noise_and_leaves_the_generator_alone() {
    let config = mlp(&[5]);
    let network = network(&config, &flex());
    let mut used = rng(3);
    let noisy = network.with_noise(&mut used);
    assert_eq!(used, rng(3));
    let q_values = |network: &QNetwork| host(network.forward(observations(&config, &flex())));
    assert_eq!(q_values(&noisy), q_values(&network));
    assert_eq!(network.signal_to_noise(), []);
}

#[test]
fn noise_is_kept_without_differentiation_and_never_saved() {
    for layers in [FACTORISED, INDEPENDENT] {
        let config = NetworkConfig { layers, ..mlp(&[5]) };
        let network = network(&config, &flex().autodiff());
        let noisy = network.with_noise(&mut rng(3));
        let x = || observations(&config, &flex());
        assert!(noisy.forward(x()).is_tracked() && !noisy.valid().forward(x()).is_autodiff());
        assert_eq!(host(noisy.valid().forward(x())), host(noisy.forward(x()).inner()));
        assert_eq!(host(noisy.clone().valid().train().forward(x()).inner()), host(noisy.forward(x()).inner()));
        assert_eq!(Weights::of(&noisy.valid(), &config).bytes(), Weights::of(&network.valid(), &config).bytes());
        assert_eq!(noisy.num_params(), network.num_params());
    }
}

#[test]
fn signal_to_noise_is_root_mean_square_of_mu_over_that_of_sigma() {
    let device = flex().autodiff();
    let config = NetworkConfig { streams: Streams::Dueling, layers: FACTORISED, ..mlp(&[80, 90]) };
    let ratios = network(&config, &device).with_noise(&mut rng(2)).signal_to_noise();
    let names: Vec<&str> = ratios.iter().map(|ratio| ratio.layer.as_str()).collect();
    let expected =
        ["shared.0", "head.value.hidden", "head.value.output", "head.advantage.hidden", "head.advantage.output"];
    assert_eq!(names, expected);
    // A uniform μ in ±1/√p has root mean square 1/√(3p), σ is 0.5/√p.
    let hidden = [&ratios[1], &ratios[3]];
    assert!(hidden.iter().all(|ratio| (ratio.ratio - 1.0 / (3f32.sqrt() * 0.5)).abs() < 0.03), "{ratios:?}");

    let config = NetworkConfig { layers: INDEPENDENT, ..mlp(&[800]) };
    let network = network(&config, &device);
    let parameters = Parameters::of(&network).values;
    let mean_square = |values: &[f32]| values.iter().map(|x| x * x).sum::<f32>() / values.len() as f32;
    let ratios = network.signal_to_noise();
    assert_eq!(ratios.iter().map(|ratio| ratio.layer.as_str()).collect::<Vec<_>>(), ["head.hidden", "head.output"]);
    for (ratio, [mu, sigma]) in ratios.iter().zip([[0, 1], [4, 5]]) {
        let expected = (mean_square(&parameters[mu]) / mean_square(&parameters[sigma])).sqrt();
        assert!((ratio.ratio / expected - 1.0).abs() < 1e-3, "{ratio:?} is not {expected}");
    }
}

#[test]
fn impossible_networks_are_refused_with_what_is_wrong() {
    let noisy = |sigma| Layers::Noisy { noise: Noise::Factorised, sigma };
    let impala = |channels: &[usize]| Torso::Impala { channels: channels.to_vec(), hidden: vec![8] };
    let convolution = |sizes: [usize; 3]| Torso::Convolutional { convolutions: vec![sizes.into()], hidden: vec![8] };
    for (config, part) in [
        (NetworkConfig { actions: 0, ..mlp(&[5]) }, "the number of actions is 0"),
        (mlp(&[5, 0]), "the size of a hidden layer is 0"),
        (NetworkConfig { torso: Torso::Nature { hidden: 0 }, ..rainbow() }, "the size of a hidden layer is 0"),
        (NetworkConfig { torso: Torso::Nature { hidden: 8 }, ..mlp(&[]) }, "not [6]"),
        (NetworkConfig { torso: impala(&[16, 32]), ..mlp(&[]) }, "at least 1x1, not [6]"),
        (NetworkConfig { torso: impala(&[16, 0]), ..rainbow() }, "the number of channels of a stage is 0"),
        (
            NetworkConfig { torso: convolution([0, 1, 1]), ..rainbow() },
            "the size, stride or channels of a convolution is 0",
        ),
        (
            NetworkConfig { torso: convolution([1, 0, 1]), ..rainbow() },
            "the size, stride or channels of a convolution is 0",
        ),
        (
            NetworkConfig { torso: convolution([1, 1, 0]), ..rainbow() },
            "the size, stride or channels of a convolution is 0",
        ),
        (NetworkConfig { input: Input { shape: vec![4, 35, 40], ..rainbow().input }, ..rainbow() }, "not [4, 35, 40]"),
        (NetworkConfig { layers: noisy(0.0), ..mlp(&[5]) }, "sigma is 0:"),
        (NetworkConfig { layers: noisy(-0.5), ..mlp(&[5]) }, "sigma is -0.5:"),
        (NetworkConfig { layers: noisy(f64::NAN), ..mlp(&[5]) }, "sigma is NaN:"),
    ] {
        let message = config.init(&mut rng(1), &flex()).expect_err(part).to_string();
        assert!(message.contains(part), "{message}");
    }
}
