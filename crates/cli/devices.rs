//! `prism devices`: what networks can run on.

use std::io::{self, Write};

use prism_model::{BACKENDS, DeviceClass, device_names, find_device, survey};

/// Writes what each backend finds on this machine, and which device `auto` takes.
pub fn print(output: &mut impl Write) -> io::Result<()> {
    writeln!(output, "devices (--device):")?;
    for found in survey() {
        match &found.devices {
            Ok(devices) => {
                for device in devices {
                    writeln!(output, "  {:<10}{}", device.name, device.description)?;
                }
            }
            Err(reason) => writeln!(output, "  {:<10}none: {reason}", found.backend)?,
        }
    }
    let compiled = device_names();
    for backend in BACKENDS.into_iter().filter(|backend| !compiled.contains(backend)) {
        writeln!(output, "  {backend:<10}not in this build (cargo feature {backend})")?;
    }
    match find_device("auto") {
        Ok(choice) if choice.device.class == DeviceClass::Cpu => writeln!(output, "\nauto takes {choice}"),
        Ok(choice) => writeln!(output, "\nauto takes {choice}; for small networks without convolutions, flex"),
        Err(error) => writeln!(output, "\n{error}"),
    }
}
