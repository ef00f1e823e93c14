//! Work of environments, alone and with an agent that learns.

use std::num::NonZeroUsize;
use std::path::Path;

use burn::tensor::Device;
use prism_algorithms::{ActingNoise, Actor, Batch, Learner, Measure, Replay, ReplayConfig, UpdateOutput};
use prism_environment::{AgentSteps, Generator, Seed, StepType, VectorEnvironment};
use rand::RngExt;

use super::work::{Work, WrongResult, check_numbers};
use crate::network::network_config;
use crate::player::Player;
use crate::{Config, SettingsError, Source, build_environments};

/// Agent steps with random actions before the first update.
const WARM_UP: AgentSteps = AgentSteps(1_000);
const SEED: Seed = Seed(0);

/// What is played, as its preset says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Game {
    /// Preset `pong`.
    Pong,
    /// Preset `catch`, which needs no ROM.
    Catch,
}

impl Game {
    /// Pong where its ROM is, else Catch.
    ///
    /// # Errors
    /// When the ROM is there and cannot be used.
    pub(super) fn find(roms: Option<&Path>) -> anyhow::Result<Self> {
        Ok(if has_rom("pong", roms)? { Self::Pong } else { Self::Catch })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pong => "pong",
            Self::Catch => "catch",
        }
    }

    fn config(self) -> Result<Config, SettingsError> {
        Config::read(&Source::find(self.name())?, &[])
    }
}

#[cfg(feature = "ale")]
fn has_rom(game: &str, roms: Option<&Path>) -> anyhow::Result<bool> {
    use prism_environment::{RomError, RomLibrary};
    match RomLibrary::locate(roms).and_then(|library| library.rom(game)) {
        Ok(_) => Ok(true),
        Err(RomError::Missing { .. } | RomError::NoHome) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(feature = "ale"))]
fn has_rom(_: &str, _: Option<&Path>) -> anyhow::Result<bool> {
    Ok(false)
}

/// Steps of `count` environments together, with random actions.
pub(super) fn environment(game: Game, count: usize, roms: Option<&Path>) -> anyhow::Result<Work> {
    let count = NonZeroUsize::new(count).expect("there are environments");
    let mut environments = build_environments(&game.config()?.environment, count, SEED.derive("environment", 0), roms)?;
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
) -> anyhow::Result<()> {
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

/// Agent steps of the game's preset late in training: nearly every action is the network's, and updates come at the
/// preset's period. What a run writes down and shows is left out.
pub(super) fn end_to_end(game: Game, device: &Device, roms: Option<&Path>) -> anyhow::Result<Work> {
    let mut training = Training::new(game.config()?, device, roms)?;
    training.fill(WARM_UP)?;
    let first = training.update().read();
    check_numbers("losses", &first.losses, training.batch.size())?;
    let units = training.player.environments().len() as u64;
    let run = move |operations| {
        for _ in 0..operations {
            training.step()?;
        }
        training.read_update()
    };
    Ok(Work { run: Box::new(run), units })
}

/// The parts of a run that `train` puts together, with the same calls in the same order.
struct Training {
    config: Config,
    player: Player,
    learner: Learner,
    replay: Replay,
    sampling: Generator,
    batch: Batch,
    unread: Option<UpdateOutput>,
    agent_steps: AgentSteps,
}

impl Training {
    fn new(config: Config, device: &Device, roms: Option<&Path>) -> anyhow::Result<Self> {
        let environment = &config.environment;
        let environments = build_environments(environment, environment.count, SEED.derive("environment", 0), roms)?;
        let spec = environments.spec().clone();
        let network = network_config(&config, &spec);
        let replay = Replay::new(ReplayConfig {
            observation: spec.observation.clone(),
            streams: environments.len(),
            capacity: config.replay.capacity,
            sampling: config.replay.sampling,
            n: config.learning.n_step,
            gamma: config.learning.gamma,
        })?;
        let learner = Learner::new(config.learner, network, SEED.derive("network", 0), device)?;
        let actor = Actor::new(spec.actions.len(), ActingNoise::Fresh, SEED.derive("acting", 0));
        let input = learner.network_config().input.clone();
        let mut training = Self {
            player: Player::new(environments, actor, input, device.clone())?,
            learner,
            sampling: SEED.derive("replay", 0).generator(),
            batch: Batch::new(config.learning.batch_size, spec.observation.bytes()),
            unread: None,
            agent_steps: AgentSteps(0),
            config,
            replay,
        };
        for stream in 0..training.player.environments().len() {
            training.replay.begin(stream, training.player.environments().observation(stream));
        }
        Ok(training)
    }

    /// Plays at random until `steps` agent steps are done.
    fn fill(&mut self, steps: AgentSteps) -> anyhow::Result<()> {
        while self.agent_steps < steps {
            self.play(1.0)?;
        }
        Ok(())
    }

    /// One agent step of every environment, and the updates that fall due.
    fn step(&mut self) -> anyhow::Result<()> {
        let before = self.agent_steps;
        self.play(self.config.exploration.value(AgentSteps(u64::MAX)))?;
        for step in before.0 + 1..=self.agent_steps.0 {
            if step.is_multiple_of(self.config.learning.period.0) {
                let output = self.update();
                self.read_update()?;
                self.unread = Some(output);
            }
            if step.is_multiple_of(self.config.learning.target_period.0) {
                self.learner.replace_target();
            }
        }
        Ok(())
    }

    fn play(&mut self, epsilon: f64) -> anyhow::Result<()> {
        for (stream, played) in self.player.play(&self.learner.online(), epsilon)?.iter().enumerate() {
            played.remember(stream, &mut self.replay);
            self.agent_steps += AgentSteps(1);
        }
        Ok(())
    }

    fn update(&mut self) -> UpdateOutput {
        self.replay.sample_into(&mut self.batch, 0.0, &mut self.sampling);
        self.learner.update(&self.batch, Measure::Losses)
    }

    /// Waits for the update before, which is computed by now.
    fn read_update(&mut self) -> anyhow::Result<()> {
        if let Some(output) = self.unread.take() {
            check_numbers("losses", &output.read().losses, self.batch.size())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_rom_catch_is_played() {
        let empty = tempfile::tempdir().unwrap();
        // Other folders are searched too, and may have the ROM.
        let game = Game::find(Some(empty.path())).unwrap();
        let mut work = environment(Game::Catch, 3, None).unwrap();
        (work.run)(20).unwrap();
        assert_eq!(work.units, 3);
        assert!([Game::Pong, Game::Catch].contains(&game));
    }

    #[test]
    fn training_learns_once_a_period() {
        let device = prism_model::open_device("flex").expect("tests are built with flex");
        let mut training = Training::new(Game::Catch.config().unwrap(), &device, None).unwrap();
        training.fill(AgentSteps(100)).unwrap();
        assert_eq!((training.agent_steps, training.learner.updates()), (AgentSteps(100), 0));
        for _ in 0..20 {
            training.step().unwrap();
        }
        let period = training.config.learning.period.0;
        assert_eq!(training.learner.updates(), 120 / period - 100 / period);
        assert_eq!(training.replay.len(), 120);
    }
}
