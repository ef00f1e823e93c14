//! From the configuration of a network to one that fits its environments.

use prism_environment::{Element, EnvironmentSpec};
use prism_model::{Input, InputElement, NetworkConfig};

use crate::{Config, NetworkParts};

/// The network that a configuration asks for in environments of this kind.
pub(crate) fn network_config(config: &Config, spec: &EnvironmentSpec) -> NetworkConfig {
    let NetworkParts { scaling, torso, activation, streams, layers, output } = config.network.clone();
    NetworkConfig {
        input: input(spec),
        scaling,
        actions: spec.actions.len(),
        torso,
        activation,
        streams,
        layers,
        output,
    }
}

/// Observations as the network has to take them: stacked frames become channels.
fn input(spec: &EnvironmentSpec) -> Input {
    let observation = &spec.observation;
    let shape = match *observation.frame.as_slice() {
        [height, width] => vec![observation.stack, height, width],
        [channels, height, width] => vec![observation.stack * channels, height, width],
        _ => vec![observation.stack * observation.frame_elements()],
    };
    let element = match observation.element {
        Element::U8 => InputElement::U8,
        Element::F32 => InputElement::F32,
    };
    Input { shape, element }
}
