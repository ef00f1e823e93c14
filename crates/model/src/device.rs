//! Devices by name: the only file that names Burn's backends.

use burn::tensor::Device;
use thiserror::Error;

/// Why a device could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No backend of that name was compiled in.
    #[error("unknown device `{name}`: this build of prism has {}", .available.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names this build knows.
        available: Vec<&'static str>,
    },
}

/// Names that [`open_device`] accepts in this build.
pub fn device_names() -> Vec<&'static str> {
    vec![
        #[cfg(feature = "flex")]
        "flex",
    ]
}

/// Opens the device called `name`: `flex` is the CPU through Burn's pure-Rust backend.
///
/// # Errors
/// [`DeviceError::Unknown`] for a name that this build does not have.
pub fn open_device(name: &str) -> Result<Device, DeviceError> {
    match name {
        #[cfg(feature = "flex")]
        "flex" => Ok(Device::flex()),
        _ => Err(DeviceError::Unknown { name: name.to_owned(), available: device_names() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_device_is_refused_with_the_names_that_exist() {
        let message = open_device("abacus").expect_err("no such device").to_string();
        assert!(message.contains("abacus"), "{message}");
        for name in device_names() {
            assert!(message.contains(name), "{message}");
            open_device(name).expect("every listed device opens");
        }
    }
}
