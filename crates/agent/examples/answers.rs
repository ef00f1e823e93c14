//! Writes what a policy answers to observations, for other programs to be compared with: of each its q-values, as
//! little-endian `f32`.
//!
//! ```text
//! cargo run --release -p prism-agent --example answers -- policy.safetensors observations.raw answers.raw [INSTRUCTIONS]
//! ```
//!
//! INSTRUCTIONS are `widest` (those of the processor), `avx2` or `plain`.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};

use prism_agent::{Arch, Policy};

/// Observations that are answered together.
const TOGETHER: usize = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let mut argument = |what: &str| arguments.next().ok_or_else(|| format!("give {what}"));
    let mut policy = Policy::from_bytes(&std::fs::read(argument("a policy file")?)?)?;
    let mut observations = BufReader::new(File::open(argument("a file of observations")?)?);
    let mut answers = BufWriter::new(File::create(argument("a file to write")?)?);
    policy = policy.with_arch(instructions(arguments.next().as_deref().and_then(OsStr::to_str).unwrap_or("widest"))?);
    let one = policy.observation_bytes();
    let mut bytes = Vec::new();
    while observations.by_ref().take((TOGETHER * one) as u64).read_to_end(&mut bytes)? > 0 {
        let whole = bytes.len() / one * one;
        for value in policy.values(&bytes[..whole]) {
            answers.write_all(&value.to_le_bytes())?;
        }
        bytes.clear();
    }
    Ok(answers.flush()?)
}

fn instructions(name: &str) -> Result<Arch, Box<dyn std::error::Error>> {
    match name {
        "widest" => Ok(Arch::new()),
        "plain" => Ok(Arch::Scalar),
        #[cfg(target_arch = "x86_64")]
        "avx2" => Ok(pulp::x86::V3::try_new().map(Arch::V3).ok_or("the processor has no AVX2")?),
        other => Err(format!("no instructions are called {other} here").into()),
    }
}
