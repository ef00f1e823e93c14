//! `prism-agent` against the networks of training.

use std::num::NonZeroUsize;

use prism_agent::Policy;
use prism_environment::Seed;
use prism_model::{
    Activation, Convolution, Input, InputElement, Layers, NetworkConfig, Noise, Output, QNetwork, Scaling, Streams,
    Support, Torso, Weights,
};
use proptest::prelude::*;
use rand::RngExt;

const ACTIONS: usize = 6;

/// A network of every kind of layer, stream, output, scaling and input that there is.
fn configs() -> Vec<NetworkConfig> {
    let input = |shape: &[usize], element| Input { shape: shape.to_vec(), element };
    let image = input(&[4, 84, 84], InputElement::U8);
    let nature = NetworkConfig::dqn(image, ACTIONS, Torso::Nature { hidden: 64 });
    let mlp = NetworkConfig::dqn(input(&[5], InputElement::F32), ACTIONS, Torso::Mlp { hidden: vec![32, 17] });
    let support = Support::new(-10.0, 10.0, 51).expect("a valid support");
    let noisy = Layers::Noisy { noise: Noise::Factorised, sigma: 0.5 };
    let convolutions =
        vec![Convolution { size: 5, stride: 3, channels: 7 }, Convolution { size: 2, stride: 1, channels: 9 }];
    vec![
        NetworkConfig { torso: Torso::Mlp { hidden: vec![] }, ..mlp.clone() },
        NetworkConfig { scaling: Scaling::UnitLength, activation: Activation::Selu, ..mlp.clone() },
        NetworkConfig { input: input(&[2, 3], InputElement::U8), streams: Streams::Dueling, ..mlp.clone() },
        NetworkConfig {
            input: input(&[3, 21, 33], InputElement::U8),
            torso: Torso::Convolutional { convolutions, hidden: vec![20, 10] },
            ..nature.clone()
        },
        NetworkConfig {
            input: input(&[4, 22, 21], InputElement::U8),
            torso: Torso::Impala { channels: vec![8, 16], hidden: vec![32] },
            ..nature.clone()
        },
        NetworkConfig { output: Output::Distribution(support), ..nature.clone() },
        NetworkConfig {
            output: Output::Quantiles { count: NonZeroUsize::new(21).expect("not 0") },
            streams: Streams::Dueling,
            ..nature.clone()
        },
        NetworkConfig {
            output: Output::Distribution(support),
            streams: Streams::Dueling,
            layers: noisy,
            ..nature.clone()
        },
        NetworkConfig { layers: Layers::Noisy { noise: Noise::Independent, sigma: 0.017 }, ..mlp },
        NetworkConfig { streams: Streams::Dueling, ..nature.clone() },
        nature,
    ]
}

fn network(config: &NetworkConfig) -> (QNetwork, Weights) {
    let device = prism_model::open_device("flex").expect("tests are built with flex");
    let network = config.init(&mut Seed(5).generator(), &device).expect("a valid network");
    let weights = Weights::of(&network, config);
    (network, weights)
}

fn observations(input: &Input, count: usize) -> Vec<u8> {
    let mut generator = Seed(6).generator();
    match input.element {
        InputElement::U8 => (0..count * input.bytes()).map(|_| generator.random()).collect(),
        InputElement::F32 => {
            let values = (0..count * input.elements()).map(|_| generator.random_range(-2.0f32..2.0));
            values.flat_map(f32::to_ne_bytes).collect()
        }
    }
}

#[test]
fn values_are_those_of_the_trained_network() {
    let device = prism_model::open_device("flex").expect("tests are built with flex");
    for config in configs() {
        let (network, weights) = network(&config);
        let mut policy = Policy::from_bytes(weights.bytes()).expect("a policy");
        assert_eq!((policy.observation_bytes(), policy.actions()), (config.input.bytes(), ACTIONS));
        for count in [1, 8, 33] {
            let observations = observations(&config.input, count);
            let on_device = || config.input.upload(&observations, &device);
            let values = policy.values(&observations).to_vec();
            let alone = observations.chunks(config.input.bytes()).flat_map(|one| policy.values(one).to_vec());
            assert!(alone.eq(values.iter().copied()), "an answer depends on other observations: {config:?}");
            let (acting, learning) =
                (network.read_values(on_device()), prism_model::read(network.forward(on_device())));
            if (config.activation, config.scaling) == (Activation::Relu, Scaling::Elements) {
                assert!(values == acting, "not the same bits: {config:?}");
                assert!(policy.distributions(&observations) == network.read_distributions(on_device()).as_deref());
            }
            // The mean of a distribution is a sum of terms as large as its atoms.
            let atoms = policy.support().unwrap_or_default();
            let largest = learning.iter().chain(atoms).fold(0.0f32, |largest, value| largest.max(value.abs()));
            for other in [acting, learning] {
                assert_eq!(values.len(), other.len());
                for (value, other) in values.iter().zip(&other) {
                    assert!((value - other).abs() <= 1e-5 * largest, "{value} is not {other}: {config:?}");
                }
            }
        }
    }
}

#[test]
fn random_actions_have_their_share_and_their_seed() {
    let config = &configs()[0];
    let (_, weights) = network(config);
    let policy = |seed| Policy::from_bytes(weights.bytes()).expect("a policy").with_seed(seed);
    let observations = observations(&config.input, 2000);
    let act = |seed, epsilon| policy(seed).act(&observations, epsilon).to_vec();
    let (greedy, half) = (act(1, 0.0), act(1, 0.5));
    assert_eq!(half, act(1, 0.5));
    assert_ne!(half, act(2, 0.5));
    let differ = greedy.iter().zip(&half).filter(|(one, other)| one != other).count();
    // Half of the actions are random, of which a sixth is the greedy one.
    assert!((750..=920).contains(&differ), "{differ}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_file_panics(kind in 0usize..3, cut in 0usize..4000, places in prop::collection::vec((0usize..3000, any::<u8>()), 0..4)) {
        let config = &configs()[[0, 3, 4][kind]];
        let (_, weights) = network(config);
        let mut bytes = weights.bytes().to_vec();
        for (place, byte) in places {
            let place = place % bytes.len();
            bytes[place] = byte;
        }
        if cut < 1000 {
            bytes.truncate(cut);
        }
        if let Ok(mut policy) = Policy::from_bytes(&bytes) {
            policy.values(&vec![1; policy.observation_bytes()]);
        }
    }
}

#[test]
fn descriptions_that_cannot_be_are_refused_with_the_reason() {
    let (_, weights) = network(&configs()[4]);
    let text = String::from_utf8_lossy(weights.bytes()).into_owned();
    let with = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len(), "offsets stay");
        assert!(text.contains(from), "{from} is not in the header");
        let at = text.find(from).expect("it is there");
        let mut bytes = weights.bytes().to_vec();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        Policy::from_bytes(&bytes).expect_err("it must be refused").to_string()
    };
    for (from, to, part) in [
        ("prism.network", "prism.netw0rk", "no description of a network"),
        ("impala", "umpala", "does not know the network"),
        ("[8,16]", "[8,17]", "has the shape"),
        ("[4,22,21]", "[4,00,21]", "does not know the network"),
        ("[4,22,21]", "[4,9,9,9]", "convolutions over"),
        ("\\\"actions\\\":6", "\\\"actions\\\":0", "no actions"),
        ("F32", "F16", "not a complete safetensors file"),
    ] {
        let message = with(from, to);
        assert!(message.contains(part), "{from} {to}: {message}");
    }
}
