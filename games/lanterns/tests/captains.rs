//! The shipped agent at its three strengths, against the baseline.

use lanterns::rules::{Lake, Steer};
use lanterns::{AgentCaptain, Chaser, SHIPPED, Strength};
use prism_agent::{PolicyError, to_int8};

const GAMES: u64 = 60;

/// Share of games that the agent wins, draws counted half, and its light for each of Chaser's.
fn against_chaser(policy: &[u8], strength: Strength) -> (f64, f64) {
    let (mut won, mut light) = (0.0, [0.0; 2]);
    for seed in 0..GAMES {
        let (mut agent, mut chaser) = (AgentCaptain::new(policy, strength, seed).expect("it fits"), Chaser::default());
        let side = (seed % 2) as usize;
        let mut lake = Lake::new(5000 + seed);
        while !lake.is_over() {
            let mut steering = [chaser.steer(&lake, 1 - side); 2];
            steering[side] = agent.steer(&lake, side);
            lake.tick(steering);
        }
        let [own, other] = [side, 1 - side].map(|boat| f64::from(lake.boats()[boat].light));
        won += if own > other { 1.0 } else { f64::from(u8::from(own == other)) / 2.0 };
        light = [light[0] + own, light[1] + other];
    }
    (won / GAMES as f64, light[0] / light[1])
}

#[test]
fn each_strength_is_stronger_than_the_one_before_and_the_captain_beats_the_baseline() {
    let results = Strength::ALL.map(|strength| against_chaser(SHIPPED, strength));
    println!("{results:?}");
    assert!(results.is_sorted_by(|one, other| one.0 < other.0 && one.1 < other.1), "{results:?}");
    assert!(results[2].0 > 0.6, "{results:?}");
}

#[test]
fn weights_of_a_byte_each_sail_as_well() {
    let small = to_int8(SHIPPED).expect("it has weights");
    let results = [SHIPPED, &small].map(|policy| against_chaser(policy, Strength::Captain));
    println!("{results:?}, {} and {} bytes", SHIPPED.len(), small.len());
    assert!(small.len() * 3 < SHIPPED.len());
    assert!((results[0].0 - results[1].0).abs() < 0.15, "{results:?}");
}

#[test]
fn a_policy_of_another_game_is_refused() {
    let file = include_bytes!("../../../crates/agent/tests/policies/catch-0.1.0.safetensors");
    let error = AgentCaptain::new(file, Strength::Captain, 0).expect_err("it plays Catch");
    assert!(error.to_string().contains("it has 50 values in 50 bytes and 3 actions"), "{error}");
    assert!(matches!(AgentCaptain::new(b"nothing", Strength::Captain, 0), Err(PolicyError::Corrupt { .. })));
}

#[test]
fn an_agent_says_what_it_expects_of_each_way_to_steer() {
    let mut captain = AgentCaptain::new(SHIPPED, Strength::Captain, 0).expect("it plays");
    let lake = Lake::new(1);
    let steer = captain.steer(&lake, 0);
    assert_eq!(steer, Steer::ALL[captain.action()]);
    let action = captain.action();
    let (probabilities, returns) = captain.expectations().expect("it has distributions");
    assert_eq!(probabilities.len(), 9 * returns.len());
    let means: Vec<f32> = probabilities
        .chunks_exact(returns.len())
        .map(|row| row.iter().zip(&returns).map(|(mass, value)| mass * value).sum())
        .collect();
    assert!(means.iter().all(|mean| *mean <= means[action] + 1e-4), "{means:?}");
}
