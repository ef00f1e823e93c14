//! Lanterns and its agent as functions that a web page calls. Numbers go in and out one by one or through memory that
//! JavaScript looks into: no bindings are generated.

#![allow(unsafe_code, reason = "a function has the name that JavaScript calls it by")]

use std::cell::RefCell;

use lanterns::rules::{Event, LANTERNS, Lake, Steer};
use lanterns::{AgentCaptain, Strength, as_seen, observe};
use prism_agent::Policy;

/// Numbers of the state before the events: what is left, the light of both boats, both boats, the lanterns, and the number
/// of events.
const STATE: usize = 1 + 2 + 2 * 5 + 3 * LANTERNS + 1;

/// Observations that a timed policy acts on at most.
const PROBES: usize = 32;

/// Everything that lasts from call to call.
#[derive(Default)]
struct Page {
    /// Bytes that JavaScript writes for a function to read.
    input: Vec<u8>,
    /// The policy file of the captains.
    file: Vec<u8>,
    lake: Option<Lake>,
    /// Who steers a boat; the visitor where there is none.
    captains: [Option<AgentCaptain>; 2],
    state: Vec<f32>,
    chart: Vec<f32>,
    support: Vec<f32>,
    /// A policy of another kind, to be timed.
    probe: Option<(Policy, Vec<u8>)>,
    answers: Vec<f32>,
}

thread_local! {
    static PAGE: RefCell<Page> = RefCell::default();
}

fn with<T>(call: impl FnOnce(&mut Page) -> T) -> T {
    PAGE.with_borrow_mut(call)
}

/// Makes room for so many bytes, which JavaScript writes before it calls [`load`] or [`probe_load`].
#[unsafe(no_mangle)]
pub extern "C" fn input(length: usize) -> *mut u8 {
    with(|page| {
        page.input = vec![0; length];
        page.input.as_mut_ptr()
    })
}

/// Takes the input as the policy file of the captains; 0 where it is none.
#[unsafe(no_mangle)]
pub extern "C" fn load() -> u32 {
    with(|page| {
        page.file = std::mem::take(&mut page.input);
        u32::from(AgentCaptain::new(&page.file, Strength::Captain, 0).is_ok())
    })
}

/// Begins a game. `strength` is 0 to 2; an agent steers the left boat too where `watch` is 1.
#[unsafe(no_mangle)]
pub extern "C" fn begin(seed: u32, strength: usize, watch: u32) {
    with(|page| {
        let captain = |strength, seed| AgentCaptain::new(&page.file, strength, seed).ok();
        let strength = Strength::ALL[strength.min(2)];
        let seed = u64::from(seed);
        let left = if watch == 1 { captain(Strength::Captain, seed + 1) } else { None };
        let right = captain(strength, seed);
        page.captains = [left, right];
        page.lake = Some(Lake::new(seed));
        page.write_state(&[]);
    });
}

/// Goes on by a tick. `steer` is how the visitor steers the left boat: a number of [`Steer::ALL`].
#[unsafe(no_mangle)]
pub extern "C" fn tick(steer: usize) {
    with(|page| {
        let Some(lake) = &mut page.lake else { return };
        let mut steering = [Steer::ALL[steer.min(8)], Steer::Drift];
        for (boat, captain) in page.captains.iter_mut().enumerate() {
            if let Some(captain) = captain {
                steering[boat] = captain.steer(lake, boat);
            }
        }
        let events = lake.tick(steering);
        page.write_state(&events);
    });
}

impl Page {
    /// What JavaScript draws: ticks left; light of both boats; of each boat x, y, speed x, speed y, steering; of each lantern
    /// x, y, ticks of gold left (-1 without gold); the number of events; of each event its kind (0 and 1 for the boat that
    /// took a lantern, 2 for a bump, 3 for a lantern that burnt out), x, y.
    fn write_state(&mut self, events: &[Event]) {
        let Some(lake) = &self.lake else { return };
        let state = &mut self.state;
        state.clear();
        state.push(lake.ticks_left() as f32);
        state.extend(lake.boats().iter().map(|boat| boat.light as f32));
        for boat in lake.boats() {
            state.extend([boat.at.x, boat.at.y, boat.speed.x, boat.speed.y, number(boat.steer) as f32]);
        }
        for lantern in lake.lanterns() {
            state.extend([lantern.at.x, lantern.at.y, lantern.gold.map_or(-1.0, |left| left as f32)]);
        }
        state.push(events.len() as f32);
        debug_assert_eq!(state.len(), STATE);
        for event in events {
            let (kind, at) = match *event {
                Event::Taken { boat, lantern } => (boat as f32, lantern.at),
                Event::Bumped { at } => (2.0, at),
                Event::BurntOut { at } => (3.0, at),
            };
            state.extend([kind, at.x, at.y]);
        }
    }
}

fn number(steer: Steer) -> usize {
    Steer::ALL.iter().position(|other| *other == steer).expect("it is one of all")
}

/// Where the state is, after [`begin`] or [`tick`].
#[unsafe(no_mangle)]
pub extern "C" fn state() -> *const f32 {
    with(|page| page.state.as_ptr())
}

/// Where the right captain's expectations are, `[steering][atoms]`, the probabilities of returns for each of
/// [`Steer::ALL`] as the visitor sees the lake. Null where it has none.
#[unsafe(no_mangle)]
pub extern "C" fn chart() -> *const f32 {
    with(|page| {
        let Some((probabilities, support)) = page.captains[1].as_mut().and_then(AgentCaptain::expectations) else {
            return std::ptr::null();
        };
        let atoms = support.len();
        page.chart.resize(probabilities.len(), 0.0);
        for (action, row) in probabilities.chunks_exact(atoms).enumerate() {
            let seen = number(as_seen(Steer::ALL[action], 1));
            page.chart[seen * atoms..(seen + 1) * atoms].copy_from_slice(row);
        }
        page.support = support;
        page.chart.as_ptr()
    })
}

/// How many atoms [`chart`] has for each way to steer.
#[unsafe(no_mangle)]
pub extern "C" fn atoms() -> usize {
    with(|page| page.support.len())
}

/// The returns that [`chart`] has probabilities of.
#[unsafe(no_mangle)]
pub extern "C" fn support() -> *const f32 {
    with(|page| page.support.as_ptr())
}

/// The right captain's last decision, as the visitor sees the lake: a number of [`Steer::ALL`].
#[unsafe(no_mangle)]
pub extern "C" fn decision() -> usize {
    with(|page| page.captains[1].as_ref().map_or(0, |captain| number(as_seen(Steer::ALL[captain.action()], 1))))
}

/// Answers the first `count` observations of games between two captains and lists, for each, the action and its q-value:
/// every build of the game answers alike. Returns where they are.
#[unsafe(no_mangle)]
pub extern "C" fn answers(count: usize) -> *const f32 {
    with(|page| {
        page.answers = answer(&page.file, count);
        page.answers.as_ptr()
    })
}

/// The answers of [`answers`] of the policy in this file; none where it is no policy.
pub fn answer(file: &[u8], count: usize) -> Vec<f32> {
    let Ok(mut policy) = Policy::from_bytes(file) else { return Vec::new() };
    let mut answers = Vec::with_capacity(2 * count);
    for seed in 0.. {
        let mut lake = Lake::new(seed);
        while !lake.is_over() {
            let mut steering = [Steer::Drift; 2];
            for (boat, steer) in steering.iter_mut().enumerate() {
                if answers.len() == 2 * count {
                    return answers;
                }
                let seen = observe(&lake, boat);
                let action = policy.act(&seen, 0.0)[0];
                answers.extend([action as f32, policy.values(&seen)[action]]);
                *steer = as_seen(Steer::ALL[action], boat);
            }
            (0..lanterns::DECISION_TICKS).for_each(|_| drop(lake.tick(steering)));
        }
    }
    answers
}

/// Takes the input as a policy to be timed; 0 where it is none.
#[unsafe(no_mangle)]
pub extern "C" fn probe_load() -> u32 {
    with(|page| {
        let policy = Policy::from_bytes(&std::mem::take(&mut page.input)).ok();
        page.probe = policy.map(|policy| {
            let bytes = PROBES * policy.observation_bytes();
            (policy, (0..bytes).map(|index| (index * index % 251) as u8).collect())
        });
        u32::from(page.probe.is_some())
    })
}

/// Has the timed policy act on so many observations, at most 32.
#[unsafe(no_mangle)]
pub extern "C" fn probe_act(batch: usize) -> usize {
    with(|page| {
        let Some((policy, observations)) = &mut page.probe else { return 0 };
        let bytes = batch.clamp(1, PROBES) * policy.observation_bytes();
        policy.act(&observations[..bytes], 0.0)[0]
    })
}

/// The timed policy's q-values of the observations in the input, `[observations][actions]`. Null where it has none.
#[unsafe(no_mangle)]
pub extern "C" fn probe_values() -> *const f32 {
    with(|page| {
        let Some((policy, _)) = &mut page.probe else { return std::ptr::null() };
        let whole = page.input.len() / policy.observation_bytes() * policy.observation_bytes();
        policy.values(&page.input[..whole]).as_ptr()
    })
}
