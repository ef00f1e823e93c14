//! Value-based reinforcement learning: transitions, replay, schedules, losses, learners, actors.

mod actor;
mod batch;
mod learner;
mod loss;
mod n_step;
mod priority;
mod probe;
mod replay;
mod schedule;
mod target;
mod transition;

pub use actor::{ActingNoise, Actor};
pub use batch::Batch;
pub use learner::{
    GradientBound, Learner, LearnerConfig, LearnerError, LearnerState, LearnerStateError, Loss, Measure, UpdateOutput,
    UpdateResult,
};
pub use loss::{TdLoss, cross_entropy};
pub use n_step::NStepAccumulator;
pub use priority::{Priority, PriorityMeasure};
pub use probe::{Probe, ProbeResult, StreamMeans};
pub use replay::{PrioritySpread, Replay, ReplayConfig, ReplayError, Sampling};
pub use schedule::{LinearSchedule, ScheduleError};
pub use target::{
    Bootstrap, DistributionTarget, distribution_of_action, distribution_target, q_learning_target, spread_to_neighbours,
};
pub use transition::{Transition, TransitionId};
