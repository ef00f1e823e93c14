//! Trains the agent, as `prism train` would, and writes its policy file:
//!
//! ```text
//! cargo run --release -p lanterns --features train --bin lanterns-train -- runs/lanterns my-agent.safetensors
//! ```
//!
//! A third argument is a seed.

use std::error::Error;
use std::path::PathBuf;

use lanterns::{AgentCaptain, Chaser, Lanterns, Strength, rules::Lake};
use prism::{Config, Environments, Place, Run, RunFolder, Screen, Source};
use prism_environment::Seed;
use prism_model::Weights;

/// Games in which the trained agent meets the baseline.
const GAMES: u64 = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "runs/lanterns".to_owned()));
    let file = PathBuf::from(arguments.next().unwrap_or_else(|| "lanterns.safetensors".to_owned()));
    let seed: u64 = arguments.next().map_or(Ok(0), |seed| seed.parse())?;

    let preset = Source::read(concat!(env!("CARGO_MANIFEST_DIR"), "/lanterns.toml").as_ref())?;
    let config = Config::read(&preset, &[])?.with_run(Seed(seed), "auto")?;
    let environments = Environments::own(|seed| Ok(Lanterns::new(seed)));
    let run = Run::new(&config, environments, Place::At(folder.clone()))?;
    run.with_sink(Box::new(Screen::default()))?.go()?;

    let weights = Weights::read(&RunFolder::open(&folder)?.best_weights()?)?;
    std::fs::write(&file, prism::policy_file(weights, &config.environment().kind, None).bytes())?;
    println!("the agent is in {}", file.display());
    let agent = std::fs::read(&file)?;
    for strength in Strength::ALL {
        let results = (0..GAMES).map(|seed| play(&agent, strength, seed)).collect::<Result<Vec<_>, _>>()?;
        let won = results.iter().filter(|[agent, chaser]| agent > chaser).count();
        let light = |boat: usize| results.iter().map(|light| f64::from(light[boat])).sum::<f64>() / GAMES as f64;
        println!("{strength:?}: {won} of {GAMES} games won, {:.1} light to {:.1} of Chaser", light(0), light(1));
    }
    Ok(())
}

/// The light of agent and baseline after a game; they change sides with each seed.
fn play(agent: &[u8], strength: Strength, seed: u64) -> Result<[u32; 2], Box<dyn Error>> {
    let mut captain = AgentCaptain::new(agent, strength, seed)?;
    let mut chaser = Chaser::default();
    let side = (seed % 2) as usize;
    let mut lake = Lake::new(1000 + seed);
    while !lake.is_over() {
        let mut steering = [chaser.steer(&lake, 1 - side); 2];
        steering[side] = captain.steer(&lake, side);
        lake.tick(steering);
    }
    Ok([lake.boats()[side].light, lake.boats()[1 - side].light])
}
