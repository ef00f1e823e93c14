//! NVIDIA GPUs. The driver and the kernel compiler are libraries that Burn loads at run time. They are looked for here
//! first, because Burn panics in a thread of its own where one is missing.

use std::path::Path;

use cudarc::driver::result::{device, init};

use super::{DeviceClass, Handle, PresentDevice};

/// The CUDA devices, or why there are none.
pub(super) fn devices() -> Result<Vec<PresentDevice>, String> {
    if !driver_is_present() {
        return Err("NVIDIA's driver library (libcuda) was not found; install the driver".to_owned());
    }
    init().map_err(|error| format!("NVIDIA's driver does not start ({}); is there a GPU?", error.0 as u32))?;
    let count = device::get_count().map_err(|error| format!("NVIDIA's driver lists no devices ({:?})", error.0))?;
    if count == 0 {
        return Err("NVIDIA's driver finds no GPU; is one hidden by CUDA_VISIBLE_DEVICES?".to_owned());
    }
    if !compiler_is_present() {
        return Err("CUDA's kernel compiler (the library nvrtc) was not found; install the CUDA toolkit, or add the \
                    folder of libnvrtc to LD_LIBRARY_PATH"
            .to_owned());
    }
    if !headers_are_present() {
        return Err("CUDA's headers were not found; install the CUDA toolkit, or set CUDA_PATH to it".to_owned());
    }
    Ok((0..count)
        .map(|number| PresentDevice {
            name: format!("cuda:{number}"),
            description: describe(number),
            class: DeviceClass::Gpu,
            handle: Handle::Cuda(number as usize),
        })
        .collect())
}

fn describe(number: i32) -> String {
    let Ok(handle) = device::get(number) else {
        return "an NVIDIA GPU".to_owned();
    };
    let name = device::get_name(handle).unwrap_or_else(|_| "an NVIDIA GPU".to_owned());
    match memory(handle) {
        Some(bytes) => format!("{name}, {}", in_words(bytes)),
        None => name,
    }
}

/// A number of bytes in the largest unit that leaves at least 1.
fn in_words(bytes: u64) -> String {
    let gib = bytes as f64 / f64::from(1u32 << 30);
    if gib >= 1.0 { format!("{gib:.1} GiB") } else { format!("{:.0} MiB", gib * 1024.0) }
}

#[allow(unsafe_code, reason = "the driver's interface is C")]
fn memory(handle: cudarc::driver::sys::CUdevice) -> Option<u64> {
    // SAFETY: the handle comes from the driver itself, which is initialised.
    unsafe { device::total_mem(handle) }.ok().map(|bytes| bytes as u64)
}

#[allow(unsafe_code, reason = "loading a library runs its initialisers")]
fn driver_is_present() -> bool {
    // SAFETY: the driver's library is made to be loaded by any program.
    unsafe { cudarc::driver::sys::is_culib_present() }
}

#[allow(unsafe_code, reason = "loading a library runs its initialisers")]
fn compiler_is_present() -> bool {
    // SAFETY: NVRTC's library is made to be loaded by any program.
    unsafe { cudarc::nvrtc::sys::is_culib_present() }
}

/// Whether kernels will find CUDA's headers, where CubeCL looks for them: `CUDA_PATH`, else the usual folders.
fn headers_are_present() -> bool {
    match std::env::var_os("CUDA_PATH") {
        Some(path) => Path::new(&path).join("include").is_dir(),
        None if cfg!(target_os = "linux") => {
            ["/usr/local/cuda", "/opt/cuda", "/usr/bin/nvcc"].iter().any(|path| Path::new(path).exists())
        }
        None => cfg!(target_os = "windows"),
    }
}
