//! Writes what the network of training, as it acts, expects of observations: of each its q-values, as little-endian `f32`.
//! The example `answers` of prism-agent writes the same of a policy.
//!
//! ```text
//! cargo run --release -p prism-model --example values -- weights.safetensors observations.raw values.raw
//! ```

use std::fs::File;
use std::io::{BufWriter, Write};

use prism_model::Weights;

/// Observations that are answered together.
const TOGETHER: usize = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let mut argument = |what: &str| arguments.next().ok_or_else(|| format!("give {what}"));
    let weights = Weights::read(argument("a weights file")?.as_ref())?;
    let observations = std::fs::read(argument("a file of observations")?)?;
    let mut file = BufWriter::new(File::create(argument("a file to write")?)?);
    let device = prism_model::open_device("flex")?;
    let (network, input) = (weights.network(&device)?, &weights.config().input);
    for batch in observations.chunks(TOGETHER * input.bytes()) {
        for value in network.read_values(input.upload(batch, &device)) {
            file.write_all(&value.to_le_bytes())?;
        }
    }
    Ok(file.flush()?)
}
