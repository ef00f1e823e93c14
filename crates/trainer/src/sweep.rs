//! Sweeps: many runs from one small file, presets × variants × games × seeds.
//!
//! A [`Sweep`] is read from a TOML file and holds every run that it asks for, checked, with the folder of each.
//! [`PlannedRun::standing`] says what there is of one: nothing, something to go on from, or all of it. So the same sweep can be
//! run again and again until every run has ended.

mod error;
mod file;
mod plan;
mod standing;

pub use self::error::SweepError;
pub use self::plan::{PlannedRun, Sweep};
pub use self::standing::Standing;
