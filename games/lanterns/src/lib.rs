#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod captain;
#[cfg(feature = "train")]
mod environment;
mod observation;
pub mod rules;

pub use captain::{AgentCaptain, Chaser, SHIPPED, Strength};
#[cfg(feature = "train")]
pub use environment::Lanterns;
pub use observation::{DECISION_TICKS, OBSERVATION, as_seen, observe};
