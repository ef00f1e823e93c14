//! Which device a configuration's networks run on.

use prism_model::{DeviceChoice, DeviceClass, DeviceError, Torso, find_device};

use crate::config::Config;

/// Widest hidden layer of a fully connected network that `auto` leaves to the processor.
const SMALL: usize = 512;

/// The device of a configuration. For a small network without convolutions `auto` is the processor, also where there is a
/// GPU: a GPU spends more time on being asked than on computing (on an H100 `catch` made 470 agent steps a second, on its
/// host's processor 6,900).
///
/// # Errors
/// Those of [`find_device`].
pub(crate) fn device_of(config: &Config) -> Result<DeviceChoice, DeviceError> {
    let choice = find_device(&config.run().device)?;
    if config.run().device != "auto"
        || choice.device.class == DeviceClass::Cpu
        || !is_small(&config.agent().network.torso)
    {
        return Ok(choice);
    }
    // A build may be without the processor's backend.
    let reason = "which is faster than a GPU for a network as small as this".to_owned();
    Ok(find_device("flex").map_or(choice, |processor| DeviceChoice { reason, ..processor }))
}

fn is_small(torso: &Torso) -> bool {
    matches!(torso, Torso::Mlp { hidden } if hidden.iter().all(|&width| width <= SMALL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_the_small_environments_are_small_and_those_of_atari_are_not() {
        let small = |preset: &str| is_small(&Config::preset(preset).unwrap().agent().network.torso);
        assert_eq!(["catch", "cartpole", "cartpole-c51", "freeway-ram"].map(small), [true; 4]);
        assert_eq!(["pong", "pong-fast", "dqn", "rainbow"].map(small), [false; 4]);
    }

    #[test]
    fn a_device_that_is_asked_for_is_taken() {
        let config = Config::preset("catch").unwrap();
        for name in ["auto", "flex"] {
            let config = config.with_run(config.run().seed, name).unwrap();
            assert_eq!(device_of(&config).unwrap().device.name, "flex");
        }
    }
}
