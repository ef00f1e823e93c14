//! GPUs through the system's graphics API.

use burn::tensor::{Device, DeviceKind};
use wgpu::{AdapterInfo, Backend, Backends, DeviceType, Instance, InstanceDescriptor};

use super::{DeviceClass, Handle, PresentDevice};

/// Which graphics API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    /// The first of the system's APIs that has a GPU; kernels in a language that this build and the adapter share.
    Any,
    /// Vulkan, with kernels in SPIR-V.
    #[cfg(feature = "vulkan")]
    Vulkan,
    /// Metal, with kernels in MSL.
    #[cfg(feature = "metal")]
    Metal,
}

impl Api {
    fn name(self) -> &'static str {
        match self {
            Self::Any => "wgpu",
            #[cfg(feature = "vulkan")]
            Self::Vulkan => "vulkan",
            #[cfg(feature = "metal")]
            Self::Metal => "metal",
        }
    }

    /// APIs to look at, in CubeCL's own order, so that numbers mean the same adapters to it.
    fn backends(self) -> Vec<Backend> {
        match self {
            Self::Any if cfg!(target_os = "macos") => vec![Backend::Metal],
            Self::Any => vec![Backend::Vulkan, Backend::Dx12, Backend::Gl],
            #[cfg(feature = "vulkan")]
            Self::Vulkan => vec![Backend::Vulkan],
            #[cfg(feature = "metal")]
            Self::Metal => vec![Backend::Metal],
        }
    }

    pub(super) fn open(self, kind: DeviceKind) -> Device {
        match self {
            Self::Any => Device::wgpu(kind),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Device::vulkan(kind),
            #[cfg(feature = "metal")]
            Self::Metal => Device::metal(kind),
        }
    }
}

/// The adapters of an API, GPUs first, or why there are none.
pub(super) fn devices(api: Api) -> Result<Vec<PresentDevice>, String> {
    let adapters = adapters(api);
    let mut numbers = Numbers::default();
    let mut devices: Vec<(AdapterInfo, DeviceKind)> = adapters
        .into_iter()
        .filter_map(|adapter| numbers.kind(adapter.device_type).map(|kind| (adapter, kind)))
        .collect();
    if devices.is_empty() {
        return Err("no graphics adapter was found; install the GPU's Vulkan driver".to_owned());
    }
    devices.sort_by_key(|(adapter, _)| class(adapter));
    let name = |number| format!("{}:{number}", api.name());
    Ok(devices
        .into_iter()
        .enumerate()
        .map(|(number, (adapter, kind))| PresentDevice {
            name: name(number),
            description: describe(&adapter),
            class: class(&adapter),
            handle: Handle::Graphics(api, kind),
        })
        .collect())
}

/// The adapters of the first API that has a GPU, else of the first that has any.
fn adapters(api: Api) -> Vec<AdapterInfo> {
    let mut found = Vec::new();
    for backend in api.backends() {
        let backends = Backends::from(backend);
        let instance =
            Instance::new(InstanceDescriptor { backends, ..InstanceDescriptor::new_without_display_handle() });
        let adapters = cubecl::future::block_on(instance.enumerate_adapters(backends));
        let adapters: Vec<AdapterInfo> = adapters.iter().map(wgpu::Adapter::get_info).collect();
        if adapters.iter().any(|adapter| class(adapter) == DeviceClass::Gpu) {
            return adapters;
        }
        if found.is_empty() {
            found = adapters;
        }
    }
    found
}

/// Burn numbers the adapters of each type separately: these are the next numbers.
#[derive(Default)]
struct Numbers {
    discrete: usize,
    integrated: usize,
    virtual_: usize,
    software: usize,
}

impl Numbers {
    /// Burn's name of the next adapter of this type, if it has one.
    fn kind(&mut self, of: DeviceType) -> Option<DeviceKind> {
        fn next(count: &mut usize) -> usize {
            *count += 1;
            *count - 1
        }
        match of {
            DeviceType::DiscreteGpu => Some(DeviceKind::DiscreteGpu(next(&mut self.discrete))),
            DeviceType::IntegratedGpu => Some(DeviceKind::IntegratedGpu(next(&mut self.integrated))),
            DeviceType::VirtualGpu => Some(DeviceKind::VirtualGpu(next(&mut self.virtual_))),
            DeviceType::Cpu => (next(&mut self.software) == 0).then_some(DeviceKind::Cpu),
            DeviceType::Other => None,
        }
    }
}

fn class(adapter: &AdapterInfo) -> DeviceClass {
    match adapter.device_type {
        DeviceType::Cpu => DeviceClass::SoftwareGpu,
        _ => DeviceClass::Gpu,
    }
}

fn describe(adapter: &AdapterInfo) -> String {
    let AdapterInfo { name, driver, driver_info, backend, .. } = adapter;
    let driver = [driver.as_str(), driver_info.as_str()].join(" ");
    let what = match class(adapter) {
        DeviceClass::SoftwareGpu => ", software rendering",
        _ => "",
    };
    format!("{name}, {backend:?}, {}{what}", driver.trim())
}
