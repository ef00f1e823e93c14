//! Where something was measured, and with what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// A machine, as far as it decides speeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// Threads that this process may use.
    pub threads: usize,
    /// Memory that this process may use, if the system says.
    pub memory_bytes: Option<u64>,
    /// Operating system with its version, and the processor's architecture.
    pub os: String,
}

impl Machine {
    /// This machine.
    pub(super) fn this() -> Self {
        let kinds = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing())
            .with_memory(MemoryRefreshKind::nothing().with_ram());
        let system = System::new_with_specifics(kinds);
        let cpu = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).filter(|name| !name.is_empty());
        // A container may be given less than the machine has.
        let limit = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory);
        Self {
            cpu: cpu.unwrap_or_else(|| "unknown processor".to_owned()),
            // Without an answer from the system, one thread is certain.
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: Some(system.total_memory().min(limit)).filter(|&bytes| bytes > 0),
            os: format!(
                "{}, {}",
                System::long_os_version().unwrap_or_else(|| std::env::consts::OS.to_owned()),
                std::env::consts::ARCH
            ),
        }
    }
}

/// Versions of what decides speeds beside prism itself.
pub(super) fn versions() -> BTreeMap<String, String> {
    [("burn", env!("PRISM_BURN_VERSION")), ("rustc", env!("PRISM_RUSTC_VERSION"))]
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_threads_memory_and_names() {
        let machine = Machine::this();
        assert!(machine.threads >= 1 && machine.memory_bytes.is_some_and(|bytes| bytes > 64 << 20), "{machine:?}");
        assert!(!machine.cpu.is_empty() && machine.os.contains(std::env::consts::ARCH), "{machine:?}");
    }

    #[test]
    fn the_build_knows_its_versions() {
        let versions = versions();
        assert_eq!(versions["burn"], "0.22.1", "as Cargo.toml pins it");
        assert!(versions["rustc"].starts_with("1."), "{versions:?}");
    }
}
