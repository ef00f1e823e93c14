//! Value-based reinforcement learning: transitions, replay, schedules.

mod batch;
mod n_step;
mod replay;
mod schedule;
mod transition;

pub use batch::Batch;
pub use n_step::NStepAccumulator;
pub use replay::{Replay, ReplayConfig, ReplayError};
pub use schedule::{LinearSchedule, ScheduleError};
pub use transition::{Transition, TransitionId};
