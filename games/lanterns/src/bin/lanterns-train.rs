//! Trains the agent, as `prism train` would, and writes its policy file:
//!
//! ```text
//! cargo run --release -p lanterns --features train --bin lanterns-train -- runs/lanterns my-agent.safetensors
//! ```

use std::path::PathBuf;
use std::process::{ExitCode, exit};
use std::{io, thread};

use anyhow::Context;
use clap::Parser;
use lanterns::{AgentCaptain, Chaser, Lanterns, Strength, rules::Lake};
use prism::{
    Config, Ending, Environments, Interrupt, OutputFile, Place, Request, Run, RunFolder, Screen, Source, policy_file,
};
use prism_agent::PolicyError;
use prism_environment::Seed;
use prism_model::Weights;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Games in which the trained agent meets the baseline.
const GAMES: u64 = 200;
/// The code of a program that Ctrl-C has ended, by the convention of shells.
const INTERRUPTED: u8 = 130;

/// Train the agent of Lanterns, write its policy file, and have it meet the baseline. Ctrl-C ends the training early and
/// keeps the best agent so far.
#[derive(Parser)]
#[command(max_term_width = 100)]
struct Arguments {
    /// The run folder, which must not exist yet
    #[arg(default_value = "runs/lanterns")]
    folder: PathBuf,
    /// The policy file; one that exists is written over
    #[arg(default_value = "lanterns.safetensors", value_name = "FILE.safetensors")]
    file: PathBuf,
    /// Seed of every random choice
    #[arg(default_value_t = 0)]
    seed: u64,
}

fn main() -> ExitCode {
    train(&Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn train(Arguments { folder, file, seed }: &Arguments) -> anyhow::Result<ExitCode> {
    // What would fail after the training is refused before it.
    let output = OutputFile::new(file, "safetensors")?;
    drop(output.clone().start()?);
    let place = Place::At(folder.clone());
    place.check().context("choose another run folder")?;

    let preset = Source::text("lanterns.toml", include_str!("../../lanterns.toml"));
    let config = Config::read(&preset, &[])?.with_run(Seed(*seed), "auto")?;
    let environments = Environments::own(|seed| Ok(Lanterns::new(seed)));
    let interrupt = interrupt().context("cannot listen for Ctrl-C")?;
    let run = Run::new(&config, environments, place)?.with_interrupt(interrupt.clone());
    let ending = run.with_sink(Box::new(Screen::default()))?.go()?.ending;

    let best = RunFolder::open(folder)?.best_weights()?;
    let policy = policy_file(Weights::read(&best)?, &config.environment().kind, None);
    output.write(policy.bytes()).with_context(|| format!("the agent stays in {}", best.display()))?;
    let agent = if ending == Ending::Limit { "agent" } else { "best agent so far" };
    println!("the {agent} is in {}", file.display());
    for strength in Strength::ALL {
        if interrupt.requested() {
            return Ok(ExitCode::from(INTERRUPTED));
        }
        let results = (0..GAMES).map(|seed| play(policy.bytes(), strength, seed)).collect::<Result<Vec<_>, _>>()?;
        let won = results.iter().filter(|[agent, chaser]| agent > chaser).count();
        let light = |boat: usize| results.iter().map(|light| f64::from(light[boat])).sum::<f64>() / GAMES as f64;
        println!("{strength:?}: {won} of {GAMES} games won, {:.1} light to {:.1} of Chaser", light(0), light(1));
    }
    Ok(ExitCode::SUCCESS)
}

/// What Ctrl-C requests, or SIGTERM; a second one ends the program at once.
fn interrupt() -> io::Result<Interrupt> {
    let interrupt = Interrupt::default();
    let requested = interrupt.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            if requested.requested() {
                exit(INTERRUPTED.into());
            }
            requested.request(Request::Interrupt);
            eprintln!("\nstopping and saving; once more to quit at once without saving");
        }
    });
    Ok(interrupt)
}

/// The light of agent and baseline after a game; they change sides with each seed.
fn play(agent: &[u8], strength: Strength, seed: u64) -> Result<[u32; 2], PolicyError> {
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
