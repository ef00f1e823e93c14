#![doc = include_str!("../README.md")]

mod actor;
#[cfg(feature = "train")]
mod agent;
#[cfg(feature = "train")]
mod batch;
#[cfg(feature = "train")]
mod learner;
#[cfg(feature = "train")]
mod n_step;
#[cfg(feature = "train")]
pub mod objective;
mod policy;
#[cfg(feature = "train")]
mod priority;
#[cfg(feature = "train")]
mod probe;
#[cfg(feature = "train")]
mod replay;
#[cfg(feature = "train")]
mod schedule;
#[cfg(feature = "train")]
mod transition;

pub use actor::{ActingNoise, Actor};
#[cfg(feature = "train")]
pub use agent::config::{
    AgentConfig, DiagnosticsPlan, DistributionRecords, LearningPlan, OptimiserPlan, Prioritization, ReplayPlan,
};
#[cfg(feature = "train")]
pub use agent::offending::OffendingBatch;
#[cfg(feature = "train")]
pub use agent::state::{AgentState, AgentStateError};
#[cfg(feature = "train")]
pub use agent::{Agent, AgentError, AgentPosition, Learned, LearningError, ObservedDistributions, UpdateSummary};
#[cfg(feature = "train")]
pub use batch::Batch;
#[cfg(feature = "train")]
pub use learner::{
    GradientBound, Learner, LearnerConfig, LearnerState, LearnerStateError, Measure, UpdateOutput, UpdateResult,
};
#[cfg(feature = "train")]
pub use n_step::NStepAccumulator;
#[cfg(feature = "train")]
pub use objective::categorical::DistributionTarget;
#[cfg(feature = "train")]
pub use objective::td::TdLoss;
#[cfg(feature = "train")]
pub use objective::{Bootstrap, Examples, Losses, Objective};
pub use policy::Policy;
#[cfg(feature = "train")]
pub use priority::{Priority, PriorityMeasure};
#[cfg(feature = "train")]
pub use probe::{Probe, ProbeResult, StreamMeans};
#[cfg(feature = "train")]
pub use replay::{
    PrioritySpread, Replay, ReplayConfig, ReplayError, ReplayExtent, ReplayHead, ReplayLoader, ReplayPart, Sampling,
};
#[cfg(feature = "train")]
pub use schedule::{LinearSchedule, ScheduleError};
#[cfg(feature = "train")]
pub use transition::{Transition, TransitionId};
