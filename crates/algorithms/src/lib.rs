//! Value-based reinforcement learning: transitions, replay, schedules, losses, learners, actors.

mod actor;
mod batch;
mod gradient_norm;
mod learner;
mod loss;
mod n_step;
mod replay;
mod schedule;
mod transition;

pub use actor::Actor;
pub use batch::Batch;
pub use gradient_norm::{clip_global_norm, global_norm};
pub use learner::{GradientBound, Learner, LearnerConfig, LearnerState, LearnerStateError, UpdateOutput, UpdateResult};
pub use loss::{TdLoss, q_learning_target};
pub use n_step::NStepAccumulator;
pub use replay::{PrioritySpread, Replay, ReplayConfig, ReplayError, Sampling};
pub use schedule::{LinearSchedule, ScheduleError};
pub use transition::{Transition, TransitionId};
