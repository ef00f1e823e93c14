//! Acts with trained weights, without gradients, replay or emulator.
//!
//! ```text
//! cargo run --release --example act -- runs/catch-.../weights/best.safetensors
//! ```

use prism_algorithms::{ActingNoise, Policy};
use prism_environment::{Catch, Environment, Game, Seed};
use prism_model::Weights;

const GAMES: usize = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("give a weights file of a run of Catch")?;
    let weights = Weights::read(path.as_ref())?;
    let device = prism_model::open_device("auto")?;
    let network = weights.network(&device)?;
    let mut policy = Policy::new(network, weights.config().clone(), ActingNoise::Off, Seed(0), device);

    let mut catch = Catch::new(Seed(7));
    let mut observation = vec![0; catch.spec().observation.bytes()];
    if observation.len() != policy.config().input.bytes() || catch.spec().actions.len() != policy.config().actions {
        return Err("these weights were not trained on Catch".into());
    }
    let mut caught = 0;
    for _ in 0..GAMES {
        catch.reset(&mut observation)?;
        loop {
            let action = policy.act(&observation, 0.0)[0];
            let step = catch.step(action, &mut observation)?;
            if step.game != Game::Running {
                caught += usize::from(step.raw_reward > 0.0);
                break;
            }
        }
    }
    println!("{caught} of {GAMES} balls caught");
    Ok(())
}
