//! What is measured: tasks, and the cases of each.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::subject::{Agent, Game, Scheme};
use crate::environments::BuildError;

/// A kind of work whose speed is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Observations go up, q-values come back
    Forward,
    /// One update of a learner
    Update,
    /// C51's projection of distributions
    Projection,
    /// Batches from a replay
    Sampling,
    /// Steps of a vector environment with random actions
    Environment,
    /// Agent steps of a whole training loop
    EndToEnd,
}

impl Task {
    /// All of them, in the order in which they are measured and shown.
    pub const ALL: [Self; 6] =
        [Self::Forward, Self::Update, Self::Projection, Self::Sampling, Self::Environment, Self::EndToEnd];

    /// What it is called on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Update => "update",
            Self::Projection => "projection",
            Self::Sampling => "sampling",
            Self::Environment => "environment",
            Self::EndToEnd => "end-to-end",
        }
    }

    /// What is done.
    pub fn description(self) -> &'static str {
        match self {
            Self::Forward => "observations go up, q-values come back",
            Self::Update => "one update of a learner",
            Self::Projection => "C51's projection of distributions",
            Self::Sampling => "batches from a replay",
            Self::Environment => "steps of a vector environment with random actions",
            Self::EndToEnd => "agent steps of a whole training loop",
        }
    }

    /// Whether its times are those of an agent step, else those of a batch.
    pub(crate) fn counts_agent_steps(self) -> bool {
        matches!(self, Self::Environment | Self::EndToEnd)
    }

    /// Whether it is measured on each device of the networks, else once, on the processor.
    pub(crate) fn uses_device(self) -> bool {
        !matches!(self, Self::Sampling | Self::Environment)
    }

    /// Batch sizes that are measured unless others are asked for.
    fn usual_batches(self) -> &'static [usize] {
        match self {
            Self::Forward => &[1, 8, 32, 256],
            Self::Update | Self::Projection => &[32, 256, 512],
            Self::Sampling => &[32, 256],
            Self::Environment | Self::EndToEnd => &[],
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of no task.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown task `{name}`: expected {}", Task::ALL.map(Task::name).join(", "))]
pub struct UnknownTask {
    /// What was asked for.
    name: String,
}

impl FromStr for Task {
    type Err = UnknownTask;

    fn from_str(name: &str) -> Result<Self, UnknownTask> {
        Self::ALL.into_iter().find(|task| task.name() == name).ok_or_else(|| UnknownTask { name: name.to_owned() })
    }
}

/// One thing to measure, on one device or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Forward { agent: Agent, batch: usize },
    Update { agent: Agent, batch: usize },
    Projection { batch: usize },
    Sampling { scheme: Scheme, batch: usize },
    Environment { game: Game, count: usize },
    EndToEnd { agent: Agent },
}

/// How many environments are stepped together.
const ENVIRONMENTS: [usize; 2] = [1, 8];

impl Case {
    /// The cases of `tasks`: of `agents` where a task has agents, at `batches`, or the task's usual ones if there are
    /// none. The usual agent of whole training loops is that of Pong, or of Catch where there is no ROM.
    ///
    /// # Errors
    /// When a ROM is there and wrong.
    pub(super) fn plan(
        tasks: &[Task],
        agents: &[Agent],
        batches: &[usize],
        roms: Option<&Path>,
    ) -> Result<Vec<Self>, BuildError> {
        let usual = Agent::usual();
        let of_networks = if agents.is_empty() { &usual } else { agents };
        let mut cases = Vec::new();
        for task in Task::ALL.into_iter().filter(|task| tasks.contains(task)) {
            let batches = if batches.is_empty() { task.usual_batches() } else { batches };
            let at = |case: &dyn Fn(usize) -> Self| batches.iter().map(|&batch| case(batch)).collect::<Vec<_>>();
            match task {
                Task::Forward => {
                    cases.extend(of_networks.iter().flat_map(|&agent| at(&|batch| Self::Forward { agent, batch })))
                }
                Task::Update => {
                    cases.extend(of_networks.iter().flat_map(|&agent| at(&|batch| Self::Update { agent, batch })))
                }
                Task::Projection => cases.extend(at(&|batch| Self::Projection { batch })),
                Task::Sampling => {
                    let schemes = Scheme::ALL.into_iter();
                    cases.extend(schemes.flat_map(|scheme| at(&|batch| Self::Sampling { scheme, batch })));
                }
                Task::Environment => {
                    let game = Game::find(roms)?;
                    cases.extend(ENVIRONMENTS.map(|count| Self::Environment { game, count }));
                }
                Task::EndToEnd if agents.is_empty() => {
                    cases.push(Self::EndToEnd { agent: Game::find(roms)?.agent() });
                }
                Task::EndToEnd => cases.extend(agents.iter().map(|&agent| Self::EndToEnd { agent })),
            }
        }
        Ok(cases)
    }

    pub(super) fn task(&self) -> Task {
        match self {
            Self::Forward { .. } => Task::Forward,
            Self::Update { .. } => Task::Update,
            Self::Projection { .. } => Task::Projection,
            Self::Sampling { .. } => Task::Sampling,
            Self::Environment { .. } => Task::Environment,
            Self::EndToEnd { .. } => Task::EndToEnd,
        }
    }

    /// What the task is done to.
    pub(super) fn subject(&self) -> &'static str {
        match self {
            Self::Forward { agent, .. } | Self::Update { agent, .. } | Self::EndToEnd { agent } => agent.name(),
            Self::Projection { .. } => "c51",
            Self::Sampling { scheme, .. } => scheme.name(),
            Self::Environment { game, .. } => game.name(),
        }
    }

    /// Batch size or number of environments.
    pub(super) fn batch(&self) -> usize {
        match *self {
            Self::Forward { batch, .. }
            | Self::Update { batch, .. }
            | Self::Projection { batch }
            | Self::Sampling { batch, .. } => batch,
            Self::Environment { count, .. } => count,
            Self::EndToEnd { .. } => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_plan_has_every_usual_agent_at_every_usual_batch() {
        let tasks = [Task::Projection, Task::Forward];
        let cases = Case::plan(&tasks, &[], &[], None).unwrap();
        let named: Vec<_> = cases.iter().map(|case| (case.task(), case.subject(), case.batch())).collect();
        assert_eq!(named.len(), 3 * 4 + 3);
        assert_eq!(named[0], (Task::Forward, "dqn", 1), "in the order of the tasks, not of the command line");
        assert_eq!(named[11], (Task::Forward, "rainbow", 256));
        assert_eq!(named[14], (Task::Projection, "c51", 512));
    }

    #[test]
    fn batches_that_are_asked_for_replace_the_usual_ones() {
        let cases = Case::plan(&[Task::Update, Task::Sampling], &[Agent::preset("c51")], &[7], None).unwrap();
        let expected = [
            Case::Update { agent: Agent::preset("c51"), batch: 7 },
            Case::Sampling { scheme: Scheme::Uniform, batch: 7 },
            Case::Sampling { scheme: Scheme::Proportional, batch: 7 },
        ];
        assert_eq!(cases, expected);
    }

    #[test]
    fn names_are_those_of_files() {
        for task in Task::ALL {
            assert_eq!(task.name().parse(), Ok(task));
            assert_eq!(serde_json::to_value(task).unwrap(), task.name());
        }
        assert!("updates".parse::<Task>().unwrap_err().to_string().contains("forward, update"));
    }

    #[test]
    fn whole_training_loops_are_those_of_the_agents_asked_for() {
        let agents = ["catch", "cartpole"].map(Agent::preset);
        let cases = Case::plan(&[Task::EndToEnd], &agents, &[], None).unwrap();
        assert_eq!(cases, agents.map(|agent| Case::EndToEnd { agent }));
    }
}
