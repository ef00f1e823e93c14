//! Devices by name. Only this module and its submodules name Burn's backends.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "wgpu")]
mod graphics;

use std::fmt;
use std::sync::OnceLock;

use burn::tensor::Device;
use thiserror::Error;

/// Why a device could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No device has this name.
    #[error("unknown device `{name}`: this build knows {}", .known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What may be asked for.
        known: Vec<&'static str>,
    },
    /// This build leaves the backend out.
    #[error("device `{name}`: this build has no {backend}, only {}", .known.join(", "))]
    NotCompiled {
        /// What was asked for.
        name: String,
        /// The backend, which is also the name of its cargo feature.
        backend: &'static str,
        /// What may be asked for.
        known: Vec<&'static str>,
    },
    /// The backend finds no device.
    #[error("device `{name}` cannot be used: {reason}")]
    Missing {
        /// What was asked for.
        name: String,
        /// Why, and what would help.
        reason: String,
    },
    /// The backend has fewer devices.
    #[error("there is no device `{name}`: this machine has {}", .present.join(", "))]
    NoSuchNumber {
        /// What was asked for.
        name: String,
        /// The backend's devices.
        present: Vec<String>,
    },
}

/// Backends that exist, compiled in or not; each is also the name of its cargo feature.
pub const BACKENDS: [&str; 5] = ["flex", "cuda", "wgpu", "vulkan", "metal"];

/// Class of a device, the best for learning first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceClass {
    /// A graphics processor.
    Gpu,
    /// The processor, through a backend made for it.
    Cpu,
    /// A graphics API implemented on the processor, such as Mesa's lavapipe: slow, for tests.
    SoftwareGpu,
}

/// A device of this machine that this build can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentDevice {
    /// What [`open_device`] takes: `flex`, `cuda:0`, `wgpu:1`.
    pub name: String,
    /// Adapter, driver and memory, as far as they are known.
    pub description: String,
    /// Its class.
    pub class: DeviceClass,
    handle: Handle,
}

/// A device in Burn's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Handle {
    #[cfg(feature = "flex")]
    Flex,
    #[cfg(feature = "cuda")]
    Cuda(usize),
    #[cfg(feature = "wgpu")]
    Graphics(graphics::Api, burn::tensor::DeviceKind),
}

/// What a backend of this build finds on this machine.
#[derive(Clone, Debug)]
pub struct BackendSurvey {
    /// `flex`, `cuda`, `wgpu`, `vulkan` or `metal`.
    pub backend: &'static str,
    /// Its devices, at least one, or why it has none and what would help.
    pub devices: Result<Vec<PresentDevice>, String>,
}

/// The devices of every backend of this build, looked for at the first call. Nothing is opened: no driver is asked for
/// more than names and sizes.
pub fn survey() -> &'static [BackendSurvey] {
    // Once, and before any device is opened by name: drivers crash if they are queried and opened at the same time.
    static SURVEY: OnceLock<Vec<BackendSurvey>> = OnceLock::new();
    SURVEY.get_or_init(|| {
        device_names().into_iter().map(|backend| BackendSurvey { backend, devices: devices_of(backend) }).collect()
    })
}

/// Every device of this machine that this build can use, in the order of [`device_names`].
pub fn present_devices() -> Vec<PresentDevice> {
    survey().iter().filter_map(|survey| survey.devices.as_ref().ok()).flatten().cloned().collect()
}

/// Backends of this build, by the names that [`open_device`] takes.
pub fn device_names() -> Vec<&'static str> {
    let compiled = |backend: &&str| match *backend {
        "flex" => cfg!(feature = "flex"),
        "cuda" => cfg!(feature = "cuda"),
        "wgpu" => cfg!(feature = "wgpu"),
        "vulkan" => cfg!(feature = "vulkan"),
        _ => cfg!(feature = "metal"),
    };
    BACKENDS.into_iter().filter(compiled).collect()
}

fn devices_of(backend: &str) -> Result<Vec<PresentDevice>, String> {
    match backend {
        #[cfg(feature = "flex")]
        "flex" => Ok(vec![PresentDevice {
            name: "flex".to_owned(),
            description: match rayon::current_num_threads() {
                1 => "the processor, 1 thread".to_owned(),
                threads => format!("the processor, {threads} threads"),
            },
            class: DeviceClass::Cpu,
            handle: Handle::Flex,
        }]),
        #[cfg(feature = "cuda")]
        "cuda" => cuda::devices(),
        #[cfg(feature = "wgpu")]
        "wgpu" => graphics::devices(graphics::Api::Any),
        #[cfg(feature = "vulkan")]
        "vulkan" => graphics::devices(graphics::Api::Vulkan),
        #[cfg(feature = "metal")]
        "metal" => graphics::devices(graphics::Api::Metal),
        _ => unreachable!("{backend} is none of the backends of this build"),
    }
}

/// A device that was chosen, and why.
#[derive(Clone, Debug)]
pub struct DeviceChoice {
    /// The device.
    pub device: PresentDevice,
    /// Why this device was chosen, in words.
    pub reason: String,
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}), {}", self.device.name, self.device.description, self.reason)
    }
}

/// Finds the device called `name`: a backend for its first device, a backend with a number such as `cuda:1` for another,
/// or `auto` for a CUDA device where one works, else a hardware GPU of the graphics API, else the processor.
///
/// # Errors
/// When there is no such name, the backend is not in this build, or the machine has no such device.
pub fn find_device(name: &str) -> Result<DeviceChoice, DeviceError> {
    if name == "auto" {
        return automatic();
    }
    let (word, number) = match name.split_once(':') {
        Some((backend, number)) => (backend, number.parse::<usize>().ok()),
        None => (name, Some(0)),
    };
    let known = device_names();
    let unknown = || DeviceError::Unknown { name: name.to_owned(), known: with_auto(&known) };
    let backend = BACKENDS.into_iter().find(|backend| *backend == word).ok_or_else(unknown)?;
    if !known.contains(&backend) {
        return Err(DeviceError::NotCompiled { name: name.to_owned(), backend, known: with_auto(&known) });
    }
    let number = number.ok_or_else(unknown)?;
    // The processor needs no driver, so none is started for it.
    let devices = match backend {
        "flex" => devices_of(backend),
        _ => survey().iter().find(|survey| survey.backend == backend).expect("it is in this build").devices.clone(),
    };
    let devices = devices.map_err(|reason| DeviceError::Missing { name: name.to_owned(), reason })?;
    match devices.get(number) {
        Some(device) => Ok(DeviceChoice { device: device.clone(), reason: "as asked".to_owned() }),
        None => Err(DeviceError::NoSuchNumber {
            name: name.to_owned(),
            present: devices.into_iter().map(|device| device.name).collect(),
        }),
    }
}

fn with_auto(known: &[&'static str]) -> Vec<&'static str> {
    known.iter().copied().chain(["auto"]).collect()
}

/// The first device of the best class, CUDA devices before others.
fn preferred<'a>(devices: impl Iterator<Item = &'a PresentDevice>) -> Option<&'a PresentDevice> {
    devices.min_by_key(|device| (device.class, !device.name.starts_with("cuda")))
}

/// The preferred device of those that are present.
fn automatic() -> Result<DeviceChoice, DeviceError> {
    let surveys = survey();
    let devices = surveys.iter().filter_map(|survey| survey.devices.as_ref().ok()).flatten();
    let Some(device) = preferred(devices).cloned() else {
        let reasons: Vec<&str> =
            surveys.iter().filter_map(|survey| survey.devices.as_ref().err()).map(String::as_str).collect();
        let reason = if reasons.is_empty() { "this build has no backend".to_owned() } else { reasons.join("; ") };
        return Err(DeviceError::Missing { name: "auto".to_owned(), reason });
    };
    let reason = match device.class {
        DeviceClass::Gpu => "the first GPU found".to_owned(),
        DeviceClass::Cpu | DeviceClass::SoftwareGpu => {
            let why: Vec<String> = surveys
                .iter()
                .filter_map(|survey| match &survey.devices {
                    Err(reason) => Some(format!("{}: {reason}", survey.backend)),
                    Ok(devices) if devices.iter().all(|device| device.class == DeviceClass::SoftwareGpu) => {
                        Some(format!("{}: only software rendering", survey.backend))
                    }
                    Ok(_) => None,
                })
                .collect();
            if why.is_empty() {
                "because this build has no GPU backend (cargo features cuda, wgpu)".to_owned()
            } else {
                format!("because no GPU can be used ({})", why.join("; "))
            }
        }
    };
    Ok(DeviceChoice { device, reason })
}

/// Opens the device of that name; see [`find_device`] for names.
///
/// # Errors
/// Those of [`find_device`].
pub fn open_device(name: &str) -> Result<Device, DeviceError> {
    Ok(find_device(name)?.device.open())
}

impl PresentDevice {
    /// The device for Burn.
    pub fn open(&self) -> Device {
        match &self.handle {
            #[cfg(feature = "flex")]
            Handle::Flex => Device::flex(),
            #[cfg(feature = "cuda")]
            Handle::Cuda(number) => {
                #[cfg(feature = "persistence")]
                keep_kernels();
                Device::cuda(*number)
            }
            #[cfg(feature = "wgpu")]
            Handle::Graphics(api, kind) => {
                #[cfg(feature = "persistence")]
                keep_kernels();
                api.open(kind.clone())
            }
        }
    }
}

/// Lets CubeCL keep compiled kernels and the fastest variant of each operation in the user's cache folder, for later
/// runs. A `cubecl.toml` may name another folder.
#[cfg(all(feature = "cubecl", feature = "persistence"))]
fn keep_kernels() {
    use cubecl::config::cache::CacheConfig;
    use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};

    static ASKED: std::sync::Once = std::sync::Once::new();
    ASKED.call_once(|| {
        let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
        config.compilation.cache = true;
        if matches!(config.environment.path, CacheConfig::Target) {
            config.environment.path = CacheConfig::Global;
        }
        // This has no effect where the program that uses this library has set a configuration already.
        CubeClRuntimeConfig::try_set(config);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuda_is_preferred_to_other_gpus_those_to_the_processor_and_that_to_software() {
        let device = |name: &str, class| PresentDevice {
            name: name.to_owned(),
            description: String::new(),
            class,
            handle: Handle::Flex,
        };
        let mut devices = vec![
            device("wgpu:1", DeviceClass::SoftwareGpu),
            device("flex", DeviceClass::Cpu),
            device("wgpu:0", DeviceClass::Gpu),
            device("cuda:0", DeviceClass::Gpu),
            device("cuda:1", DeviceClass::Gpu),
        ];
        for expected in ["cuda:0", "cuda:1", "wgpu:0", "flex", "wgpu:1"] {
            assert_eq!(preferred(devices.iter()).expect("there are some left").name, expected);
            devices.retain(|device| device.name != expected);
        }
        assert_eq!(preferred(devices.iter()), None);
    }

    #[test]
    fn an_unknown_device_is_refused_with_the_names_that_exist() {
        for name in ["abacus", "flex:first", ""] {
            let message = find_device(name).expect_err("no such device").to_string();
            assert!(message.contains(&format!("`{name}`")), "{message}");
            for known in device_names() {
                assert!(message.contains(known), "{message}");
            }
        }
    }

    #[test]
    fn a_number_beyond_the_devices_is_refused_with_those_that_are_there() {
        let message = find_device("flex:7").expect_err("there is one processor").to_string();
        assert_eq!(message, "there is no device `flex:7`: this machine has flex");
    }

    #[test]
    fn a_backend_that_was_not_compiled_in_is_not_called_unknown() {
        for backend in BACKENDS.into_iter().filter(|backend| !device_names().contains(backend)) {
            let message = find_device(backend).expect_err("it is not in this build").to_string();
            assert!(message.contains(&format!("this build has no {backend}, only flex")), "{message}");
        }
    }

    #[test]
    fn every_present_device_opens_by_its_name() {
        let present = present_devices();
        assert!(present.iter().any(|device| device.name == "flex"), "tests are built with flex: {present:?}");
        for device in present {
            let found = find_device(&device.name).expect("it is present").device;
            assert_eq!(found, device);
            found.open();
        }
    }

    #[test]
    fn a_backend_without_devices_says_why_and_what_would_help() {
        for survey in survey() {
            let Err(reason) = &survey.devices else { continue };
            let message = find_device(survey.backend).expect_err("it has no devices").to_string();
            assert!(message.contains(reason) && message.contains(survey.backend), "{message}");
        }
    }

    #[test]
    fn auto_takes_hardware_first_and_never_software_rendering_before_the_processor() {
        let choice = find_device("auto").expect("tests are built with flex");
        let best = present_devices().into_iter().map(|device| device.class).min().expect("flex is there");
        assert_eq!(choice.device.class, best);
        assert_ne!(choice.device.class, DeviceClass::SoftwareGpu);
        assert!(!choice.reason.is_empty());
    }
}
