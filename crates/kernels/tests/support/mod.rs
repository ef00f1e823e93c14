//! Helpers for several tests.

use prism_kernels::Arch;

/// The instruction sets that this processor can run, scalar code among them.
pub fn instruction_sets() -> Vec<Arch> {
    let mut sets = vec![Arch::Scalar, Arch::new()];
    #[cfg(target_arch = "x86_64")]
    sets.extend(pulp::x86::V3::try_new().map(Arch::V3));
    sets
}
