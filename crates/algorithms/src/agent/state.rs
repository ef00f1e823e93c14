//! The state of an agent, from which another process continues it.

use prism_environment::{AgentSteps, Frames, Generator};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use thiserror::Error;

use super::{Agent, AgentPosition, LearningError, Unread, UnreadUpdate, UpdateWindow};
use crate::actor::Actor;
use crate::learner::{LearnerState, LearnerStateError, UpdateResult};
use crate::probe::Probe;
use crate::replay::{Replay, ReplayError};
use crate::transition::TransitionId;

/// Everything that decides the future of an agent but its replay, which is saved apart: see
/// [`Replay::head`](crate::Replay::head).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AgentState {
    actor: Actor,
    learner: LearnerState,
    sampling: Generator,
    held_out: Option<ByteBuf>,
    unread: Option<UnreadState>,
    window: UpdateWindow,
    agent_steps: AgentSteps,
    frames: Frames,
    learned: AgentSteps,
}

/// An update whose result has not been taken account of.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct UnreadState {
    result: UpdateResult,
    ids: Vec<TransitionId>,
    at: AgentPosition,
    diagnostics: Option<Vec<f64>>,
}

/// Why an agent cannot continue from a state.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AgentStateError {
    /// The networks or the optimiser are not those of the state.
    #[error(transparent)]
    Learner(#[from] LearnerStateError),
    /// The replay is not that of the state.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The state contradicts itself or the agent.
    #[error("this agent state is damaged or belongs to another configuration: {reason}")]
    Contradiction {
        /// The contradiction.
        reason: String,
    },
}

impl Agent {
    /// A copy of everything that decides the agent's future but its replay. The result of the last update is copied from the
    /// device, which waits for it; nothing that the agent does changes by that.
    ///
    /// # Errors
    /// When a loss of that update is not finite: the agent cannot continue.
    pub fn state(&mut self) -> Result<AgentState, LearningError> {
        let unread = match self.unread.take() {
            None => None,
            Some(UnreadUpdate { output, ids, at, diagnostics }) => {
                let result = output.read();
                self.check_finite(&ids, &result, at)?;
                let output = Unread::Host(result.clone());
                self.unread = Some(UnreadUpdate { output, ids: ids.clone(), at, diagnostics: diagnostics.clone() });
                Some(UnreadState { result, ids, at, diagnostics })
            }
        };
        Ok(AgentState {
            actor: self.actor.clone(),
            learner: self.learner.state(),
            sampling: self.sampling.clone(),
            held_out: self.diagnostics.observations().map(|observations| ByteBuf::from(observations.to_vec())),
            unread,
            window: self.window,
            agent_steps: self.agent_steps,
            frames: self.frames,
            learned: self.learned,
        })
    }

    /// Continues from the [`Agent::state`] of an agent that was built with the same configuration, and the replay that it had.
    ///
    /// # Errors
    /// When the state is damaged or belongs to another agent; the agent is then unchanged.
    pub fn restore(&mut self, state: AgentState, replay: Replay) -> Result<(), AgentStateError> {
        let contradiction = |reason: String| AgentStateError::Contradiction { reason };
        if replay.config() != self.replay.config() {
            return Err(contradiction("its replay was built from another configuration".to_owned()));
        }
        if !state.actor.is_like(&self.actor) {
            return Err(contradiction("it chooses among other actions".to_owned()));
        }
        let actions = self.network_config().actions;
        if let Some((id, action)) = replay.unknown_action(actions) {
            return Err(contradiction(format!("{id} of its replay took action {action} of {actions}")));
        }
        if state.learned > state.agent_steps {
            let (learned, steps) = (state.learned, state.agent_steps);
            return Err(contradiction(format!("it has learned from {learned} of {steps}")));
        }
        if let Some(unread) = &state.unread {
            self.check_unread(unread, &replay).map_err(contradiction)?;
        }
        let input = self.network_config().input.clone();
        let probe = match state.held_out {
            None => None,
            Some(bytes) if !bytes.is_empty() && bytes.len().is_multiple_of(input.bytes()) => {
                Some(Probe::new(input, bytes.into_vec()))
            }
            Some(bytes) => return Err(contradiction(format!("{} bytes are held out", bytes.len()))),
        };
        self.learner.restore(&state.learner)?;
        if let Some(probe) = probe {
            self.diagnostics.hold_out(probe);
        }
        self.unread = state.unread.map(|UnreadState { result, ids, at, diagnostics }| UnreadUpdate {
            output: Unread::Host(result),
            ids,
            at,
            diagnostics,
        });
        self.replay = replay;
        self.actor = state.actor;
        self.sampling = state.sampling;
        self.window = state.window;
        self.agent_steps = state.agent_steps;
        self.frames = state.frames;
        self.learned = state.learned;
        Ok(())
    }

    fn check_unread(&self, unread: &UnreadState, replay: &Replay) -> Result<(), String> {
        let UnreadState { result, ids, diagnostics, .. } = unread;
        let size = ids.len();
        let UpdateResult { losses, q_values, priorities, .. } = result;
        let has_priorities = self.config.replay.prioritization.is_some();
        if losses.len() != size
            || q_values.len() != size
            || priorities.is_some() != has_priorities
            || priorities.as_ref().is_some_and(|priorities| priorities.len() != size)
        {
            return Err(format!("the columns of the last update of {size} transitions differ in length"));
        }
        if let Some(id) = ids.iter().find(|&&id| id >= replay.living().end) {
            return Err(format!("the last update learned from {id}, which was never added"));
        }
        if diagnostics.as_ref().is_some_and(|values| values.len() != self.diagnostics.names().len()) {
            return Err("the last update has other measurements".to_owned());
        }
        match losses.iter().chain(priorities.iter().flatten()).find(|value| !value.is_finite()) {
            Some(value) => Err(format!("a loss or a priority of the last update is {value}")),
            None => Ok(()),
        }
    }
}
