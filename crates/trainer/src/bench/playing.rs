//! Work of environments, alone and with an agent that learns.

use std::num::NonZeroUsize;
use std::path::Path;

use prism_algorithms::Learned;
use prism_environment::{AgentSteps, Generator, Seed, StepType, VectorEnvironment};
use prism_model::Device;
use rand::RngExt;
use toml::Value;

use super::subject::{Agent, Game};
use super::work::{Work, WorkError, WrongResult, check_numbers};
use crate::config::{Config, SettingsError};
use crate::environments::Environments;
use crate::run::training::{Training, TrainingEvent};

/// Agent steps with random actions before the first update.
const WARM_UP: u64 = 1_000;
const SEED: Seed = Seed(0);

/// Steps of `count` environments together, with random actions.
pub(super) fn environment(game: Game, count: usize, roms: Option<&Path>) -> Result<Work, WorkError> {
    let count = NonZeroUsize::new(count).expect("there are environments");
    let config = game.config()?;
    let environments = Environments::of(config.environment(), roms)?;
    let mut environments = environments.build(config.environment(), count, SEED.derive("environment", 0))?;
    environments.reset()?;
    let mut generator = SEED.derive("actions", 0).generator();
    let mut actions = vec![0; count.get()];
    step_at_random(&mut environments, &mut actions, &mut generator)?;
    check_steps(&environments)?;
    let run = move |operations| {
        for _ in 0..operations {
            step_at_random(&mut environments, &mut actions, &mut generator)?;
        }
        Ok(())
    };
    Ok(Work { run: Box::new(run), units: count.get() as u64 })
}

fn step_at_random(
    environments: &mut VectorEnvironment,
    actions: &mut [usize],
    generator: &mut Generator,
) -> Result<(), WorkError> {
    let count = environments.spec().actions.len();
    actions.iter_mut().for_each(|action| *action = generator.random_range(0..count));
    environments.step(actions)?;
    Ok(())
}

/// Every environment must have taken its first step, and show something.
fn check_steps(environments: &VectorEnvironment) -> Result<(), WrongResult> {
    for (index, step) in environments.steps().iter().enumerate() {
        let dark = environments.observation(index).iter().all(|&byte| byte == 0);
        if step.time_step.step_type != StepType::Mid || !step.time_step.reward.is_finite() || dark {
            let found = format!("{:?}, observation all zero: {dark}", step.time_step);
            let expected = "a step inside an episode, with a picture".to_owned();
            return Err(WrongResult { what: "first step of an environment", found, expected });
        }
    }
    Ok(())
}

/// Agent steps of a preset late in training: nearly every action is the network's, and updates come at the preset's period.
/// It is the loop of a run; what a run writes down and shows is left out.
pub(super) fn end_to_end(agent: Agent, device: &Device, roms: Option<&Path>) -> Result<Work, WorkError> {
    let config = late_in_training(&agent.config()?)?;
    let environments = Environments::of(config.environment(), roms)?;
    let environments =
        environments.build(config.environment(), config.environment().count, SEED.derive("environment", 0))?;
    let mut training = Training::new(&config, environments, SEED, device)?;
    let step = move |training: &mut Training| -> Result<(), WorkError> {
        training.step(&mut |_, event| match event {
            TrainingEvent::Learned(learned) => check_learned(&learned),
            TrainingEvent::Stepped { .. } => Ok(()),
        })
    };
    while training.agent().position().updates < 2 {
        step(&mut training)?;
    }
    let units = training.environments() as u64;
    let run = move |operations| {
        for _ in 0..operations {
            step(&mut training)?;
        }
        // Waits for the last update; nothing new is due.
        training.finish(&mut |_, _| Ok::<(), WorkError>(()))
    };
    Ok(Work { run: Box::new(run), units })
}

/// The configuration with its last ε from the beginning and a warm-up that does not take minutes.
fn late_in_training(config: &Config) -> Result<Config, SettingsError> {
    let agent = config.agent();
    let epsilon = agent.exploration.value(AgentSteps(u64::MAX));
    let environments = config.environment().count.get();
    let least = agent.learning.batch_size + usize::from(agent.learning.n_step) * environments;
    let warm_up = WARM_UP.max(least as u64).min(agent.replay.capacity as u64);
    config.with_all([
        ("exploration.epsilon_start", Value::Float(epsilon)),
        ("replay.warm_up", Value::Integer(warm_up as i64)),
    ])
}

/// What is learned must be made of finite numbers.
fn check_learned(learned: &Learned) -> Result<(), WorkError> {
    if let Learned::Updates(summary) = learned {
        check_numbers("losses", &[summary.loss as f32, summary.mean_q as f32], 2)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_in_the_loop_learns_once_a_period() {
        let device = prism_model::open_device("flex").expect("tests are built with flex");
        let config = late_in_training(&Game::Catch.config().unwrap()).unwrap();
        let environments = Environments::of(config.environment(), None).unwrap();
        let environments = environments.build(config.environment(), config.environment().count, SEED).unwrap();
        let mut training = Training::new(&config, environments, SEED, &device).unwrap();
        let learning = &config.agent().learning;
        while training.agent().position().agent_steps < AgentSteps(WARM_UP + 40) {
            training.step(&mut |_, _| Ok::<(), WorkError>(())).unwrap();
        }
        let position = training.agent().position();
        assert_eq!(position.updates, (WARM_UP + 40) / learning.period.0 - WARM_UP / learning.period.0);
        assert_eq!(position.epsilon, config.agent().exploration.value(AgentSteps(u64::MAX)));
    }

    #[test]
    fn a_prioritized_preset_is_measured_with_its_priorities() {
        let device = prism_model::open_device("flex").expect("tests are built with flex");
        let config = Config::preset("catch").unwrap();
        let config = config.with_all([
            ("replay.sampling", Value::from("proportional")),
            ("replay.priority", Value::from("loss")),
            ("replay.priority_offset", Value::from(1e-5)),
            ("replay.priority_exponent", Value::from(0.6)),
            ("replay.importance_start", Value::from(0.4)),
            ("replay.importance_end", Value::from(1.0)),
            ("replay.importance_decay", Value::from(20_000)),
            ("diagnostics.record_period", Value::from(10)),
        ]);
        let config = late_in_training(&config.unwrap()).unwrap();
        let environments = Environments::of(config.environment(), None).unwrap();
        let environments = environments.build(config.environment(), config.environment().count, SEED).unwrap();
        let mut training = Training::new(&config, environments, SEED, &device).unwrap();
        let names = training.agent().diagnostics();
        let mut spread = None;
        while spread.is_none() {
            let mut record = |_: &_, event: TrainingEvent<'_>| {
                if let TrainingEvent::Learned(Learned::Updates(summary)) = event {
                    let value = |name| summary.diagnostics[names.iter().position(|known| known == name).unwrap()];
                    spread = Some((value("priority_min"), value("priority_max")));
                }
                Ok::<(), WorkError>(())
            };
            training.step(&mut record).unwrap();
        }
        let (least, most) = spread.expect("it was recorded");
        assert!(least < most, "transitions that were learned from have priorities of their own: {least} to {most}");
    }
}
