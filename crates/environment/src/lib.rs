//! Environments for value-based reinforcement learning.
//!
//! An [`Environment`] turns actions into [`TimeStep`]s and writes its observations as bytes into a buffer of the
//! caller's.

mod cart_pole;
mod catch;
mod chain;
mod crew;
mod environment;
mod frames;
mod seed;
mod state;
mod time_step;
mod vector;

pub use cart_pole::CartPole;
pub use catch::Catch;
pub use chain::{Chain, TimeLimit};
pub use environment::{Element, Environment, EnvironmentError, EnvironmentSpec, ObservationSpec};
pub use frames::{AgentSteps, Frames};
pub use seed::{Generator, Seed};
pub use time_step::{Game, StepType, TimeStep};
pub use vector::{ReadyStep, VectorEnvironment, VectorError, VectorStep};
