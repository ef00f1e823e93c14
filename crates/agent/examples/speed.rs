//! How long a policy takes to load and act for the first time, and to act on 1, 8 and 32 observations, on one thread, in
//! milliseconds.
//!
//! ```text
//! cargo run --release -p prism-agent --example speed -- policy.safetensors
//! ```

use std::time::{Duration, Instant};

use prism_agent::Policy;

/// Calls that a median is taken over.
const CALLS: usize = 101;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("give a policy file")?;
    let start = Instant::now();
    let mut policy = Policy::from_bytes(&std::fs::read(path)?)?;
    policy.act(&vec![0; policy.observation_bytes()], 0.0);
    println!("first {:.3}", milliseconds(start.elapsed()));
    for batch in [1, 8, 32] {
        // Bytes without a pattern that a processor could learn.
        let observations: Vec<u8> =
            (0..batch * policy.observation_bytes()).map(|index| (index * index % 251) as u8).collect();
        let mut times: Vec<Duration> = (0..CALLS)
            .map(|_| {
                let start = Instant::now();
                policy.act(&observations, 0.0);
                start.elapsed()
            })
            .collect();
        times.sort();
        println!("{batch} {:.4}", milliseconds(times[CALLS / 2]));
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    1e3 * time.as_secs_f64()
}
