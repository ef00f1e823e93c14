//! The training loop.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use prism_algorithms::{ActingNoise, Actor, Batch, Learner, Measure, Probe, Replay, TransitionId, UpdateOutput};
use prism_environment::{AgentSteps, Frames, Generator, Seed, VectorStep};
use prism_model::{DeviceClass, Output, QNetwork, Weights};

use crate::diagnostics::Diagnostics;
use crate::environments::build_environments;
use crate::evaluate::Stage;
use crate::network::network_config;
use crate::player::{PlayedStep, Player};
use crate::{
    Config, DiagnosticsConfig, DistributionRecord, Ending, EpisodeRecord, EvaluationRecord, Event, Interrupt, Journal,
    Manifest, Position, RunFolder, RunHeader, RunIdentity, SavedWeights, ScoreTracker, Summary, UpdateRecord,
};

/// What a run needs beside its configuration.
#[derive(Clone, Debug)]
pub struct TrainOptions {
    /// Preset, or stem of the configuration file: the first part of the run's name.
    pub name: String,
    /// Device of the networks, a name for [`prism_model::find_device`].
    pub device: String,
    /// Seed of every random stream.
    pub seed: Seed,
    /// Where ROMs are looked for first.
    pub roms: Option<PathBuf>,
    /// The run folder, instead of a new one under `runs`.
    pub out: Option<PathBuf>,
    /// How somebody asks the run to end.
    pub interrupt: Interrupt,
}

/// Trains an agent and writes its run folder.
///
/// # Errors
/// When the device, the game or the folder cannot be had, or the run cannot go on.
pub fn train(config: &Config, options: TrainOptions) -> anyhow::Result<Summary> {
    let choice = prism_model::find_device(&options.device)?;
    let device = choice.device.open();
    let environment = &config.environment;
    let seed = options.seed;
    let roms = options.roms.as_deref();
    let environments = build_environments(environment, environment.count, seed.derive("environment", 0), roms)?;
    let spec = environments.spec().clone();
    let network = network_config(config, &spec);
    let learner = Learner::new(config.learner, network, seed.derive("network", 0), &device)?;
    let replay = Replay::new(prism_algorithms::ReplayConfig {
        observation: spec.observation.clone(),
        streams: environments.len(),
        capacity: config.replay.capacity,
        sampling: config.replay.sampling,
        n: config.learning.n_step,
        gamma: config.learning.gamma,
    })?;
    let diagnostics = Diagnostics::new(config, &learner.online(), &device);
    let actor = Actor::new(spec.actions.len(), ActingNoise::Fresh, seed.derive("acting", 0));
    let player = Player::new(environments, actor, learner.network_config().input.clone(), device.clone())?;

    // From here on there is a folder: whatever can be refused was refused before.
    let manifest = manifest(config, &options, &choice.device.name, &spec.actions)?;
    let folder = match &options.out {
        Some(path) => RunFolder::create(path, &manifest)?,
        None => RunFolder::create_in(Path::new("runs"), &manifest)?,
    };
    let header = RunHeader {
        manifest,
        limit: config.training.limit,
        score_window: config.training.score_window.get(),
        diagnostics: diagnostics.names(),
        memory: None,
    };
    let mut journal = Journal::create(&folder, header)?;
    journal.note(format!("device {choice}"))?;
    if choice.device.class != DeviceClass::Cpu {
        journal.note(
            "the device's kernels are compiled and tuned at their first use, which can take minutes; the results are kept \
             for later runs",
        )?;
    }
    let mut study = Study {
        batch: Batch::new(config.learning.batch_size, spec.observation.bytes()),
        sampling: seed.derive("replay", 0).generator(),
        scores: ScoreTracker::new(environment.count.get(), config.training.score_window),
        config,
        options: &options,
        device,
        learner,
        replay,
        diagnostics,
        folder,
        journal,
        best: None,
        unread: None,
        window: UpdateWindow::default(),
        agent_steps: AgentSteps(0),
        frames: Frames(0),
    };
    for stream in 0..player.environments().len() {
        study.replay.begin(stream, player.environments().observation(stream));
    }
    Run { player, study }.finish()
}

/// What is run, where and when.
fn manifest(config: &Config, options: &TrainOptions, device: &str, actions: &[String]) -> anyhow::Result<Manifest> {
    let TrainOptions { name, seed, .. } = options;
    let identity = RunIdentity {
        name: name.clone(),
        environment: config.environment.kind.name().to_owned(),
        protocol: config.environment.kind.protocol().to_owned(),
        seed: *seed,
        device: device.to_owned(),
        actions: actions.to_vec(),
        command: std::env::args_os().collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("PRISM_COMMIT").to_owned(),
    };
    let text = format!(
        "# {name} as it ran. Run it again: prism train <this file> --seed {} --device {device}\n\n{}",
        seed.0,
        config.to_toml()
    );
    Ok(Manifest::new(identity, text)?)
}

/// A run in progress: one side plays, the other remembers and learns.
struct Run<'a> {
    player: Player,
    study: Study<'a>,
}

/// The side of a run that remembers what was played, learns from it and writes things down.
struct Study<'a> {
    config: &'a Config,
    options: &'a TrainOptions,
    device: Device,
    replay: Replay,
    sampling: Generator,
    batch: Batch,
    learner: Learner,
    diagnostics: Diagnostics,
    scores: ScoreTracker,
    folder: RunFolder,
    journal: Journal,
    /// Weights of the best mean score, until they are written.
    best: Option<Weights>,
    /// The last update, whose result is read while the next is computed.
    unread: Option<UnreadUpdate>,
    window: UpdateWindow,
    /// Agent steps remembered.
    agent_steps: AgentSteps,
    frames: Frames,
}

/// An update whose result is still on the device.
struct UnreadUpdate {
    output: UpdateOutput,
    /// The transitions it learned from.
    ids: Vec<TransitionId>,
    /// Where the run stood.
    at: Position,
    /// What was measured, if this update completes a row of the training records.
    diagnostics: Option<Vec<f64>>,
}

/// Sums over the updates since the last row of the training records.
#[derive(Default)]
struct UpdateWindow {
    updates: u64,
    loss: f64,
    q_value: f64,
}

impl Run<'_> {
    fn finish(mut self) -> anyhow::Result<Summary> {
        // Up to where the steps that were remembered have been learned from.
        let mut learned = AgentSteps(0);
        let ending = loop {
            if let Some(ending) = self.study.ending() {
                break ending;
            }
            let before = self.study.agent_steps;
            if self.study.config.learning.pipeline {
                self.learn_and_play(learned)?;
                learned = before;
            } else {
                let played = self.player.play(&self.study.learner.online(), self.study.epsilon())?;
                self.study.remember(&played)?;
                self.study.learn(before)?;
                learned = self.study.agent_steps;
            }
            self.study.keep(before)?;
        };
        self.study.learn(learned)?;
        self.study.finish(ending)
    }

    /// Learns from the steps after `learned` while the environments go on to where the next update falls due. Nothing that
    /// one side does depends on how far the other has come: who acts is the network of before these updates.
    fn learn_and_play(&mut self, learned: AgentSteps) -> anyhow::Result<()> {
        let Self { player, study } = self;
        let network = study.learner.online();
        let epsilons = epsilons_until_update(study.config, study.agent_steps);
        let (learning, played) = rayon::join(|| study.learn(learned), || play_ahead(player, &network, &epsilons));
        learning?;
        for played in played? {
            study.remember(&played)?;
        }
        Ok(())
    }
}

/// One agent step of every environment for each ε.
fn play_ahead(player: &mut Player, network: &QNetwork, epsilons: &[f64]) -> anyhow::Result<Vec<Vec<PlayedStep>>> {
    epsilons.iter().map(|&epsilon| Ok(player.play(network, epsilon)?)).collect()
}

impl Study<'_> {
    fn finish(mut self, ending: Ending) -> anyhow::Result<Summary> {
        self.read_update()?;
        self.save()?;
        let at = self.at();
        Ok(self.journal.finish(ending, at)?)
    }

    fn ending(&self) -> Option<Ending> {
        let training = &self.config.training;
        if training.stop_score.is_some_and(|score| self.scores.solved(score)) {
            Some(Ending::Solved)
        } else if self.agent_steps >= training.limit {
            Some(Ending::Limit)
        } else if self.options.interrupt.requested() {
            Some(Ending::Interrupted)
        } else {
            None
        }
    }

    fn at(&self) -> Position {
        Position {
            agent_steps: self.agent_steps,
            frames: self.frames,
            updates: self.learner.updates(),
            epsilon: self.epsilon(),
        }
    }

    fn epsilon(&self) -> f64 {
        self.config.exploration.value(self.agent_steps)
    }

    /// Takes note of one agent step of every environment.
    fn remember(&mut self, played: &[PlayedStep]) -> anyhow::Result<()> {
        for (index, played) in played.iter().enumerate() {
            self.agent_steps += AgentSteps(1);
            self.frames += Frames(u64::from(played.step.time_step.frames));
            played.remember(index, &mut self.replay);
            self.score(index, &played.step)?;
        }
        Ok(())
    }

    /// What falls due after `before` beside learning: weights to save, evaluations, progress to show.
    fn keep(&mut self, before: AgentSteps) -> anyhow::Result<()> {
        if periods(before, self.agent_steps, self.config.training.save_period) > 0 {
            self.save()?;
        }
        if let Some(period) = self.config.evaluation.period
            && periods(before, self.agent_steps, period) > 0
        {
            self.evaluate()?;
        }
        let at = self.at();
        self.journal.record(Event::Progress(at))?;
        Ok(())
    }

    /// Takes note of a step's raw reward, and of the game if that ended it.
    fn score(&mut self, environment: usize, step: &VectorStep) -> anyhow::Result<()> {
        let best_before = self.scores.best_mean();
        let Some(game) = self.scores.observe(environment, step) else {
            return Ok(());
        };
        if self.scores.best_mean() > best_before {
            self.best = Some(self.weights());
        }
        let mean_score = self.scores.recent_mean().expect("a game has just ended");
        let at = self.at();
        self.journal.record(Event::Episode(EpisodeRecord { game, mean_score, at }))?;
        Ok(())
    }

    /// The updates and target replacements that fall due after `before`, up to the steps remembered: periods count agent
    /// steps, however many environments took them.
    fn learn(&mut self, before: AgentSteps) -> anyhow::Result<()> {
        let learning = &self.config.learning;
        for step in before.0 + 1..=self.agent_steps.0 {
            if AgentSteps(step) <= self.config.replay.warm_up {
                continue;
            }
            // With n-step returns the first transition is complete only after n steps.
            if step.is_multiple_of(learning.period.0) && !self.replay.is_empty() {
                self.update()?;
            }
            if step.is_multiple_of(learning.target_period.0) {
                self.learner.replace_target();
            }
        }
        Ok(())
    }

    fn update(&mut self) -> anyhow::Result<()> {
        if self.learner.updates() == 0 {
            self.hold_out();
        }
        let importance_exponent = self.importance_exponent();
        self.replay.sample_into(&mut self.batch, importance_exponent, &mut self.sampling);
        let completes_row = (self.learner.updates() + 1).is_multiple_of(self.config.training.record_period);
        let measure = if completes_row { Measure::GradientNorm } else { Measure::Losses };
        let output = self.learner.update(&self.batch, measure);
        let diagnostics =
            completes_row.then(|| self.diagnostics.measure(&self.learner, &self.replay, importance_exponent));
        let at = self.at();
        self.read_update()?;
        self.unread = Some(UnreadUpdate { output, ids: self.batch.ids.clone(), at, diagnostics });
        self.record_distributions()
    }

    /// Writes down the distributions of the held-out observations, where it is time.
    fn record_distributions(&mut self) -> anyhow::Result<()> {
        let (Some(records), Output::Distribution(support)) =
            (self.config.diagnostics.distributions, self.config.network.output)
        else {
            return Ok(());
        };
        let updates = self.learner.updates();
        if !updates.is_multiple_of(records.period) {
            return Ok(());
        }
        let distributions = self.diagnostics.distributions(records.observations.get(), &self.learner.online());
        let support: Vec<f64> = support.values().into_iter().map(f64::from).collect();
        let of_one = distributions.len() / records.observations.get();
        for (observation, probabilities) in distributions.chunks(of_one).enumerate() {
            self.journal.record(Event::Distributions(DistributionRecord {
                observation,
                support: support.clone(),
                probabilities: probabilities.to_vec(),
                updates,
            }))?;
        }
        Ok(())
    }

    /// Exponent of the importance weights: 0, which makes them all 1, where sampling needs no correction.
    fn importance_exponent(&self) -> f64 {
        let prioritization = self.config.replay.prioritization.as_ref();
        prioritization.map_or(0.0, |prioritization| prioritization.importance.value(self.agent_steps))
    }

    /// Keeps the observations that the diagnostics are made on.
    fn hold_out(&mut self) {
        let DiagnosticsConfig { held_out, distributions } = self.config.diagnostics;
        let count = held_out.max(distributions.map_or(0, |records| records.observations.get()));
        if count == 0 {
            return;
        }
        let input = self.learner.network_config().input.clone();
        let mut batch = Batch::new(count, input.bytes());
        let mut generator = self.options.seed.derive("held-out", 0).generator();
        self.replay.sample_into(&mut batch, 0.0, &mut generator);
        self.diagnostics.hold_out(Probe::new(input, batch.observations));
    }

    /// Reads the result of the update before, by now computed, and hands its priorities to the replay.
    fn read_update(&mut self) -> anyhow::Result<()> {
        let Some(UnreadUpdate { output, ids, at, diagnostics }) = self.unread.take() else {
            return Ok(());
        };
        let result = output.read();
        if let Some(loss) = result.losses.iter().find(|loss| !loss.is_finite()) {
            anyhow::bail!(
                "learning has blown up: a loss of update {} is {loss}; lower optimiser.learning_rate or bound \
                 optimiser.gradient_norm (the weights last saved are in {})",
                at.updates,
                self.folder.path().display()
            );
        }
        if let Some(prioritization) = &self.config.replay.prioritization {
            let priorities = prioritization.priority.of(self.config.learner.loss, &result.losses);
            self.replay.update_priorities(&ids, &priorities);
        }
        self.window.updates += 1;
        self.window.loss += mean(&result.losses);
        self.window.q_value += mean(&result.q_values);
        if let (Some(diagnostics), Some(gradient_norm)) = (diagnostics, result.gradient_norm) {
            let window = std::mem::take(&mut self.window);
            self.journal.record(Event::Update(UpdateRecord {
                loss: window.loss / window.updates as f64,
                mean_q: window.q_value / window.updates as f64,
                gradient_norm: gradient_norm.into(),
                replay: self.replay.len(),
                diagnostics,
                at,
            }))?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> anyhow::Result<()> {
        // Every evaluation of a run plays the same starts, so that only the weights differ.
        let mut stage = Stage::new(self.config, self.options.roms.as_deref(), self.options.seed)?;
        let Some(scores) = stage.play(&self.learner.online(), &self.device, &self.options.interrupt)? else {
            return Ok(());
        };
        let at = self.at();
        let epsilon = self.config.evaluation.epsilon;
        self.journal.record(Event::Evaluation(EvaluationRecord { scores, epsilon, at }))?;
        Ok(())
    }

    fn weights(&self) -> Weights {
        Weights::of(&self.learner.online(), self.learner.network_config())
    }

    /// Writes the latest weights, and the best if they are new.
    fn save(&mut self) -> anyhow::Result<()> {
        self.folder.write_weights(SavedWeights::Latest, self.weights().bytes())?;
        if let Some(best) = self.best.take() {
            self.folder.write_weights(SavedWeights::Best, best.bytes())?;
        }
        Ok(())
    }
}

/// ε for each agent step of all environments from `now` until one of them makes an update due or reaches the limit. During
/// the warm-up it is one step at a time, so that a run is never deaf for long.
fn epsilons_until_update(config: &Config, now: AgentSteps) -> Vec<f64> {
    let Config { learning, replay, training, exploration, .. } = config;
    let environments = config.environment.count.get() as u64;
    let plays = if now < replay.warm_up {
        1
    } else {
        let due = (now.0 / learning.period.0 + 1) * learning.period.0;
        due.min(training.limit.0).saturating_sub(now.0).div_ceil(environments).max(1)
    };
    (0..plays).map(|play| exploration.value(now + AgentSteps(play * environments))).collect()
}

/// How many multiples of `period` lie after `before` and not after `now`.
fn periods(before: AgentSteps, now: AgentSteps, period: AgentSteps) -> u64 {
    now.0 / period.0 - before.0 / period.0
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Override, Source};

    #[test]
    fn plays_ahead_reach_to_the_next_update_and_not_beyond_the_limit() {
        let plays = |environments: u64, now: u64| {
            let settings = [
                &format!("environment.count={environments}"),
                "learning.period=8",
                "replay.warm_up=100",
                "training.agent_steps=1_001",
                "exploration.epsilon_decay=1_000",
                "exploration.epsilon_start=1.0",
                "exploration.epsilon_end=0.0",
            ];
            let settings = settings.map(|text| Override::parse(text).unwrap());
            let config = Config::read(&Source::find("catch").unwrap(), &settings).unwrap();
            let epsilons = epsilons_until_update(&config, AgentSteps(now));
            for (play, epsilon) in epsilons.iter().enumerate() {
                let steps = now + play as u64 * environments;
                assert_eq!(*epsilon, config.exploration.value(AgentSteps(steps)), "play {play} from {now}");
            }
            epsilons.len()
        };
        assert_eq!((plays(1, 0), plays(1, 99)), (1, 1), "the warm-up");
        assert_eq!((plays(1, 100), plays(1, 103), plays(1, 104)), (4, 1, 8));
        assert_eq!((plays(3, 104), plays(8, 104), plays(64, 104)), (3, 1, 1));
        assert_eq!((plays(1, 1_000), plays(3, 1_000)), (1, 1), "the limit");
    }

    #[test]
    fn periods_are_counted_in_agent_steps_however_many_are_taken_at_once() {
        let count = |before, now| periods(AgentSteps(before), AgentSteps(now), AgentSteps(10));
        assert_eq!(count(9, 10), 1);
        assert_eq!(count(10, 11), 0);
        assert_eq!(count(0, 64), 6);
        let in_eights: u64 = (0..100).map(|step| count(8 * step, 8 * step + 8)).sum();
        assert_eq!(in_eights, 80);
    }
}
