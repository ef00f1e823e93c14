#![doc = include_str!("../README.md")]

mod actor;
mod agent;
mod batch;
mod learner;
mod n_step;
pub mod objective;
mod policy;
mod priority;
mod probe;
mod replay;
mod schedule;
mod transition;

pub use actor::{ActingNoise, Actor};
pub use agent::config::{
    AgentConfig, DiagnosticsPlan, DistributionRecords, LearningPlan, OptimiserPlan, Prioritization, ReplayPlan,
};
pub use agent::{Agent, AgentError, AgentPosition, Learned, LearningError, ObservedDistributions, UpdateSummary};
pub use batch::Batch;
pub use learner::{
    GradientBound, Learner, LearnerConfig, LearnerState, LearnerStateError, Measure, UpdateOutput, UpdateResult,
};
pub use n_step::NStepAccumulator;
pub use objective::categorical::DistributionTarget;
pub use objective::td::TdLoss;
pub use objective::{Bootstrap, Examples, Losses, Objective};
pub use policy::Policy;
pub use priority::{Priority, PriorityMeasure};
pub use probe::{Probe, ProbeResult, StreamMeans};
pub use replay::{PrioritySpread, Replay, ReplayConfig, ReplayError, Sampling};
pub use schedule::{LinearSchedule, ScheduleError};
pub use transition::{Transition, TransitionId};
