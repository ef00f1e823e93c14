//! How much memory this process can have.

use std::fmt;

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// What bounds the memory of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryBound {
    /// The machine has no more.
    Machine,
    /// The container or control group may have no more.
    Container,
    /// A limit on the process's address space, as `ulimit -v` sets it.
    AddressSpace,
}

impl fmt::Display for MemoryBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Machine => "this machine has no more",
            Self::Container => "this container may use no more",
            Self::AddressSpace => "this process may have no more (ulimit -v)",
        })
    }
}

/// The bytes that this process can have at most, and what bounds them.
pub fn available() -> (u64, MemoryBound) {
    let system =
        System::new_with_specifics(RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram()));
    let container = system.cgroup_limits().map(|limits| limits.total_memory);
    let bounds = [
        (Some(system.total_memory()), MemoryBound::Machine),
        (container, MemoryBound::Container),
        (address_space(), MemoryBound::AddressSpace),
    ];
    let known = bounds.into_iter().filter_map(|(bytes, bound)| bytes.filter(|&bytes| bytes > 0).map(|b| (b, bound)));
    known.min_by_key(|(bytes, _)| *bytes).unwrap_or((u64::MAX, MemoryBound::Machine))
}

/// The limit on this process's address space, where the system says it and there is one.
fn address_space() -> Option<u64> {
    parse_address_space(&std::fs::read_to_string("/proc/self/limits").ok()?)
}

fn parse_address_space(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_table_of_limits_is_read() {
        let table = "Limit                     Soft Limit           Hard Limit           Units     \n\
                     Max cpu time              unlimited            unlimited            seconds   \n\
                     Max address space         2560000000           unlimited            bytes     \n";
        assert_eq!(parse_address_space(table), Some(2_560_000_000));
        assert_eq!(parse_address_space(&table.replace("2560000000", "unlimited ")), None);
    }

    #[test]
    fn there_is_memory_here() {
        let (bytes, _) = available();
        assert!(bytes > 1 << 26 && bytes < 1 << 50, "{bytes}");
    }
}
