//! An agent in a game made with Bevy: two fleets of boats sail Lanterns on many lakes at once, and one system asks the agent
//! for the actions of all its boats in one call.
//!
//! ```text
//! cargo run --release -p lanterns-bevy
//! ```

use bevy_app::{App, FixedUpdate, Plugin};
use bevy_ecs::prelude::*;
use lanterns::rules::{Lake, Steer};
use lanterns::{Chaser, DECISION_TICKS, OBSERVATION, SHIPPED, as_seen, observe};
use prism_agent::Policy;

/// Games that are sailed side by side.
const LAKES: u64 = 32;

/// A game.
#[derive(Component)]
struct Water(Lake);

/// A boat: which lake it sails, on which side, and how it is steered until the next decision.
#[derive(Component)]
struct Boat {
    lake: Entity,
    side: usize,
    steer: Steer,
}

/// A boat whose captain is the baseline.
#[derive(Component, Default)]
struct Chasing(Chaser);

/// A boat whose captain is the agent.
#[derive(Component)]
struct SteeredByAgent;

/// The agent, one for all its boats, with room for what they see.
#[derive(Resource)]
struct Agent {
    policy: Policy,
    seen: Vec<f32>,
}

/// Everything that a game needs to have boats steered by an agent.
struct AgentPlugin;

impl Plugin for AgentPlugin {
    fn build(&self, app: &mut App) {
        let policy = Policy::from_bytes(SHIPPED).expect("the game ships a policy");
        app.insert_resource(Agent { policy, seen: Vec::new() });
        app.add_systems(FixedUpdate, (decide, chase, sail).chain());
    }
}

/// Has the agent decide for all its boats in one call.
fn decide(mut agent: ResMut<Agent>, lakes: Query<&Water>, mut boats: Query<&mut Boat, With<SteeredByAgent>>) -> Result {
    let Agent { policy, seen } = &mut *agent;
    seen.clear();
    for boat in &boats {
        let Water(lake) = lakes.get(boat.lake)?;
        if lake.ticks_left().is_multiple_of(DECISION_TICKS) {
            seen.extend(observe(lake, boat.side));
        }
    }
    // All games have begun at the same time: all boats decide in the same tick, or none.
    debug_assert!(seen.is_empty() || seen.len() == boats.iter().count() * OBSERVATION);
    for (mut boat, &action) in boats.iter_mut().zip(policy.act(&*seen, 0.0)) {
        boat.steer = as_seen(Steer::ALL[action], boat.side);
    }
    Ok(())
}

/// Steers the other boats straight for the nearest lantern.
fn chase(lakes: Query<&Water>, mut boats: Query<(&mut Boat, &mut Chasing)>) -> Result {
    for (mut boat, mut chaser) in &mut boats {
        boat.steer = chaser.0.steer(&lakes.get(boat.lake)?.0, boat.side);
    }
    Ok(())
}

/// Goes on by a tick on every lake.
fn sail(mut lakes: Query<(Entity, &mut Water)>, boats: Query<&Boat>) {
    for (entity, mut water) in &mut lakes {
        let mut steering = [Steer::Drift; 2];
        for boat in boats.iter().filter(|boat| boat.lake == entity) {
            steering[boat.side] = boat.steer;
        }
        water.0.tick(steering);
    }
}

/// Plays all games to their end: the light of the agent's boats, and that of the others.
fn play() -> [u32; 2] {
    let mut app = App::new();
    app.add_plugins(AgentPlugin);
    let world = app.world_mut();
    for seed in 0..LAKES {
        let lake = world.spawn(Water(Lake::new(seed))).id();
        // The agent has the left boat on one lake, the right one on the next.
        let agents = (seed % 2) as usize;
        world.spawn((Boat { lake, side: agents, steer: Steer::Drift }, SteeredByAgent));
        world.spawn((Boat { lake, side: 1 - agents, steer: Steer::Drift }, Chasing::default()));
    }
    for _ in 0..lanterns::rules::GAME_TICKS {
        app.world_mut().run_schedule(FixedUpdate);
    }
    let world = app.world_mut();
    let mut light = [0; 2];
    let mut boats = world.query::<(&Boat, Has<SteeredByAgent>)>();
    for (boat, agents) in boats.iter(world) {
        let Water(lake) = world.get(boat.lake).expect("lakes stay");
        assert!(lake.is_over());
        light[usize::from(!agents)] += lake.boats()[boat.side].light;
    }
    light
}

fn main() {
    let [agent, chaser] = play();
    println!("{LAKES} games: the agent's boats gathered {agent} light, those of Chaser {chaser}");
}

#[test]
fn the_agents_boats_play_whole_games() {
    let light = play();
    assert_eq!(light, play(), "the same games");
    assert!(light[0] > 20 * LAKES as u32, "{light:?}");
}
