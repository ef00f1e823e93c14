//! Steps a vector of Atari environments with random actions, as fast as it can, for as long as it is told.
//!
//! `vector_speed ROM_DIRECTORY GAME ENVIRONMENTS THREADS EMULATOR`, with `ale` or `console` for EMULATOR, prints "ready", then for each line "run SECONDS" the agent steps
//! taken and the seconds they took. It is our side of `benches/peers/vector_environment.py`, which says what is played.

use std::error::Error;
use std::io::{self, BufRead};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use prism_environment::{
    AtariConfig, AtariEnvironment, AtariOptions, EmulatorChoice, FireReset, LifeLoss, Protocol, RomLibrary, Seed,
    VectorEnvironment,
};
use rand::RngExt;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [roms, game, environments, threads, emulator] = arguments.as_slice() else {
        return Err("usage: vector_speed ROM_DIRECTORY GAME ENVIRONMENTS THREADS ale|console".into());
    };
    let emulator = match emulator.as_str() {
        "ale" => EmulatorChoice::Ale,
        "console" => EmulatorChoice::Console,
        other => return Err(format!("'{other}' is neither ale nor console").into()),
    };
    let (environments, threads): (NonZeroUsize, NonZeroUsize) = (environments.parse()?, threads.parse()?);
    let config = AtariConfig::new(AtariOptions {
        fire_reset: FireReset::Press,
        life_loss: LifeLoss::Ignore,
        emulator,
        ..Protocol::Deepmind.options(game)
    })?;
    let rom = RomLibrary::locate(Some(&PathBuf::from(roms)))?.rom(game)?;
    let mut vector = VectorEnvironment::from_seed(environments, threads, Seed(1), |seed| {
        Ok(Box::new(AtariEnvironment::new(&config, &rom, seed)?))
    })?;
    vector.reset()?;

    // Drawn beforehand, so that drawing costs nobody any time.
    let (count, actions) = (vector.len(), vector.spec().actions.len());
    let mut generator = Seed(1).generator();
    let drawn: Vec<usize> = (0..4096 * count).map(|_| generator.random_range(0..actions)).collect();
    let mut turns = drawn.chunks_exact(count).cycle();

    println!("ready");
    for line in io::stdin().lock().lines() {
        let line = line?;
        let seconds = line.strip_prefix("run ").ok_or_else(|| format!("'{line}' is not 'run SECONDS'"))?;
        let limit = Duration::try_from_secs_f64(seconds.parse()?)?;
        let mut steps = 0;
        let start = Instant::now();
        while start.elapsed() < limit {
            steps += vector.step(turns.next().expect("they cycle"))?.len();
        }
        let elapsed = start.elapsed().as_secs_f64();
        assert!(vector.observations().iter().any(|byte| *byte != 0), "every observation is black");
        println!("{steps} {elapsed}");
    }
    Ok(())
}
