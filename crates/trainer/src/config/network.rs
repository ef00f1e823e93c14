//! `[network]`: the network, but for what its environment and its objective decide.

use prism_model::{Activation, Convolution, Layers, NetworkParts, Noise, Scaling, Streams, Torso};

use super::choice::{Choice, choice};
use super::given::Given;
use super::key::{Bounds, Key, keys, name, number, tuples, wholes};

keys! {
    const KIND: Choice<Torso> = choice("network.kind", "What turns an observation into features.", &[
        ("nature", "images: three convolutions of Nature DQN", nature),
        ("convolutional", "images: any convolutions", convolutional),
        ("impala", "images: residual blocks", impala),
        ("mlp", "fully connected layers alone", |given| Torso::Mlp { hidden: given.get(&HIDDEN) }),
    ]);
    const CONVOLUTIONS: Key<Vec<Convolution>> = tuples("network.convolutions", "[size, stride, channels] of each convolution", &[1..=64, 1..=64, 1..=4096], "[[8, 4, 16], [4, 2, 32]]", "Convolutions without padding, from the image onwards.");
    const CHANNELS: Key<Vec<usize>> = wholes("network.channels", "the channels of each stage of convolutions", 1..=4096, "[16, 32, 32]", "Stages of IMPALA's network, each of which halves rows and columns.");
    const HIDDEN: Key<Vec<usize>> = wholes("network.hidden", "the features of each hidden layer", 1..=65_536, "[512]", "Fully connected hidden layers; exactly one for \"nature\".");
    const SCALING: Key<Scaling> = name("network.scaling", "How observations are scaled: each byte to 0..1, or the whole observation as a vector of length 1.").before_2("\"elements\"");
    const ACTIVATION: Key<Activation> = name("network.activation", "What follows each fully connected hidden layer.").before_2("\"relu\"");
    const STREAMS: Key<Streams> = name("network.streams", "One stream of hidden layers, or separate streams for the value and the advantages (dueling).").before_2("\"single\"");
    const LAYERS: Choice<Layers> = choice("network.layers", "What the fully connected layers are.", &[
        ("plain", "", |_| Layers::Plain),
        ("noisy-independent", "", |given| Layers::Noisy { noise: Noise::Independent, sigma: given.get(&SIGMA) }),
        ("noisy-factorised", "", |given| Layers::Noisy { noise: Noise::Factorised, sigma: given.get(&SIGMA) }),
    ]).before_2("\"plain\"");
    const SIGMA: Key<f64> = number("network.sigma", "a number", Bounds::Positive, "Initial spread of noisy layers; in the paper 0.017 if independent, 0.5 if factorised.");
}

pub(super) fn read(given: &mut Given) -> NetworkParts {
    NetworkParts {
        torso: given.choose(&KIND),
        scaling: given.get(&SCALING),
        activation: given.get(&ACTIVATION),
        streams: given.get(&STREAMS),
        layers: given.choose(&LAYERS),
    }
}

fn nature(given: &mut Given) -> Torso {
    let hidden = given.get(&HIDDEN);
    if hidden.len() > 1 {
        given.refuse(
            HIDDEN.path(),
            &[],
            "expected a list with one number, such as [512]: there is exactly one for \"nature\"",
        );
    }
    Torso::Nature { hidden: hidden[0] }
}

fn convolutional(given: &mut Given) -> Torso {
    Torso::Convolutional { convolutions: given.get(&CONVOLUTIONS), hidden: given.get(&HIDDEN) }
}

fn impala(given: &mut Given) -> Torso {
    Torso::Impala { channels: given.get(&CHANNELS), hidden: given.get(&HIDDEN) }
}
