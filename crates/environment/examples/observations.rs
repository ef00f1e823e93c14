//! Writes observations of a game played at random, one after the other, as agents see them:
//!
//! ```text
//! cargo run --release -p prism-environment --example observations -- pong 10000 observations.raw
//! ```

use std::fs::File;
use std::io::{BufWriter, Write};

use prism_environment::{AtariConfig, AtariEnvironment, Environment, Protocol, RomLibrary, Seed, StepType};
use rand::RngExt;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let game = arguments.next().ok_or("give a game")?;
    let count: usize = arguments.next().ok_or("give the number of observations")?.parse()?;
    let mut file = BufWriter::new(File::create(arguments.next().ok_or("give a file to write")?)?);
    let config = AtariConfig::from_protocol(&game, Protocol::Cleanrl)?;
    let rom = RomLibrary::locate(None)?.rom(&config.options().game)?;
    let mut environment = AtariEnvironment::new(&config, &rom, Seed(1))?;
    let mut generator = Seed(2).generator();
    let mut observation = vec![0; environment.spec().observation.bytes()];
    environment.reset(&mut observation)?;
    for _ in 0..count {
        file.write_all(&observation)?;
        let action = generator.random_range(0..environment.spec().actions.len());
        if environment.step(action, &mut observation)?.step_type == StepType::Last {
            environment.reset(&mut observation)?;
        }
    }
    Ok(file.flush()?)
}
