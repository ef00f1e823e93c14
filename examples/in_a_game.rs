//! An agent in a game: from a policy file to an action for each screen or for each vector of numbers.
//!
//! ```text
//! cargo run --release --example in_a_game -- pong.safetensors
//! ```

use prism_agent::{Element, Pixels, Policy, Screens};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("give a policy file, as prism export writes it")?;
    println!("{:?}", play(&std::fs::read(path)?)?);
    Ok(())
}

/// The agent's actions in its first seconds.
pub fn play(file: &[u8]) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let mut policy = Policy::from_bytes(file)?.with_seed(7);
    let names = match policy.card() {
        Some(card) => card.actions.clone(),
        None => (0..policy.actions()).map(|action| action.to_string()).collect(),
    };
    let mut actions = Vec::new();

    // A game that shows the agent its screen, here of 320 x 240 pixels.
    if let Some(frames) = policy.card().and_then(|card| card.frames) {
        let (rows, columns) = (240, 320);
        let mut screens = Screens::new(frames, Pixels::Rgba, (rows, columns))?;
        for tick in 0..60 {
            let screen = draw(tick, rows, columns);
            if let Some(observation) = screens.show(&screen)? {
                let action = policy.act(observation, 0.05)[0];
                actions.push(names[action].clone());
            }
        }
        return Ok(actions);
    }

    // A game that has numbers for it.
    for tick in 0..60 {
        let action = match policy.description().input.element {
            Element::F32 => policy.act(&vec![0.1 * tick as f32; policy.observation_len()], 0.05)[0],
            Element::U8 => policy.act(&vec![tick; policy.observation_bytes()], 0.05)[0],
        };
        actions.push(names[action].clone());
    }
    Ok(actions)
}

/// A screen of the game, red, green, blue and opacity of each pixel: a ball that moves over a dark field.
fn draw(tick: usize, rows: usize, columns: usize) -> Vec<u8> {
    let ball = |index: usize| (index / columns).abs_diff(2 * tick) < 4 && (index % columns).abs_diff(3 * tick) < 4;
    (0..rows * columns).flat_map(|index| if ball(index) { [255; 4] } else { [20, 30, 40, 255] }).collect()
}
