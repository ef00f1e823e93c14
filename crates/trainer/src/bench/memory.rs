//! The one place that knows how much memory is in use.

use prism_model::Device;

/// Bytes held for work on `device`: all that its own allocator has reserved, where it has one that tells, else the
/// resident memory of this process, which includes everything else the process holds. `None` where the system does not
/// say.
pub(super) fn held(device: Option<&Device>) -> Option<u64> {
    device.and_then(device_memory).or_else(resident_memory)
}

/// Bytes that the allocator of `device` has reserved, where it has one that tells.
pub fn device_memory(device: &Device) -> Option<u64> {
    device.memory_pool_usage().map(|usage| usage.bytes_reserved)
}

/// Has the device's allocator give back what nobody uses, so that [`held`] does not count what came before.
pub(super) fn clean_up(device: &Device) {
    device.memory_cleanup();
}

/// Bytes of memory that this process takes from the machine, where the system says.
#[cfg(target_os = "linux")]
pub fn resident_memory() -> Option<u64> {
    parse_resident(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// Bytes of memory that this process takes from the machine, where the system says.
#[cfg(not(target_os = "linux"))]
pub fn resident_memory() -> Option<u64> {
    None
}

/// The line `VmRSS:  123 kB` of Linux's description of a process.
#[cfg(target_os = "linux")]
fn parse_resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_its_line() {
        let status = "VmHWM:\t   99999 kB\nVmRSS:\t   1234 kB\nRssAnon:\t 1 kB\n";
        assert_eq!(parse_resident(status), Some(1234 * 1024));
        assert_eq!(parse_resident("VmSize:\t1 kB\n"), None);
    }

    #[test]
    fn memory_that_is_used_is_counted() {
        let before = held(None).expect("Linux says");
        let used = std::hint::black_box(vec![1u8; 256 << 20]);
        let after = held(None).expect("Linux says");
        assert!(after > before + (128 << 20), "{before} bytes before, {after} with {} more", used.len());
    }
}
