//! Each preset against values typed in by hand from the sources that the presets name.

use std::path::{Path, PathBuf};

use prism::{Config, EnvironmentKind, Override, Source};
use prism_algorithms::{
    Bootstrap, DistributionTarget, GradientBound, Objective, Prioritization, PriorityMeasure, Sampling, TdLoss,
};
use prism_environment::AgentSteps;
use prism_model::{Activation, Adam, Layers, Noise, Optimiser, Streams, Torso};

fn preset(name: &str) -> Config {
    Config::preset(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_book_presets_have_the_books_values() {
    // preset, game, stop score, replay, warm-up, target period, final epsilon, its decay, learning rate, batch
    let table = [
        ("pong", "pong", 18.0, 100_000, 10_000, 1_000, 0.02, 100_000, 1e-4, 32),
        ("breakout-small", "breakout", 500.0, 300_000, 20_000, 1_000, 0.1, 1_000_000, 1e-4, 64),
        ("breakout", "breakout", 500.0, 1_000_000, 50_000, 10_000, 0.1, 1_000_000, 2.5e-4, 32),
        ("invaders", "space_invaders", 500.0, 1_000_000, 50_000, 10_000, 0.1, 1_000_000, 2.5e-4, 32),
    ];
    for (name, game, stop_score, capacity, warm_up, target_period, epsilon, decay, learning_rate, batch_size) in table {
        let config = preset(name);
        let (environment, agent, training) = (config.environment(), config.agent(), config.training());
        assert!(matches!(environment.kind, EnvironmentKind::Atari { .. }), "{name}");
        assert_eq!(environment.kind.name(), game, "{name}");
        assert_eq!(environment.kind.protocol(), "cleanrl", "{name}");
        assert_eq!(environment.kind.frame_skip(), 4, "{name}");
        assert_eq!(environment.count.get(), 1, "{name}");
        assert_eq!(agent.network.torso, Torso::Nature { hidden: 512 }, "{name}");
        assert_eq!(training.stop_score, Some(stop_score), "{name}");
        assert_eq!(training.score_window.get(), 100, "{name}");
        assert_eq!(agent.replay.capacity, capacity, "{name}");
        assert_eq!(agent.replay.warm_up, AgentSteps(warm_up), "{name}");
        assert_eq!(agent.learning.target_period, AgentSteps(target_period), "{name}");
        assert_eq!(agent.learning.period, AgentSteps(1), "{name}");
        assert_eq!(agent.learning.gamma, 0.99, "{name}");
        assert_eq!(agent.learning.n_step, 1, "{name}");
        assert_eq!(agent.learning.batch_size, batch_size, "{name}");
        assert_eq!(agent.learning.objective, Objective::Td(TdLoss::Squared), "{name}");
        assert_eq!(agent.exploration.value(AgentSteps(0)), 1.0, "{name}");
        assert_eq!(agent.exploration.value(AgentSteps(decay)), epsilon, "{name}");
        assert!(agent.exploration.value(AgentSteps(decay - 1)) > epsilon, "{name}");
        let adam = Adam { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
        assert_eq!(agent.optimiser.optimiser, Optimiser::Adam(adam), "{name}");
        assert_eq!(agent.optimiser.gradient_bound, GradientBound::None, "{name}");
    }
}

/// The settings that define a member of the family, on one line.
fn summary(config: &Config) -> String {
    let agent = config.agent();
    let network = &agent.network;
    let hidden = match &network.torso {
        Torso::Nature { hidden } => format!("nature {hidden}"),
        Torso::Convolutional { convolutions, hidden } => {
            let sizes: Vec<[usize; 3]> = convolutions.iter().map(|&sizes| sizes.into()).collect();
            format!("convolutional {sizes:?} {hidden:?}")
        }
        Torso::Impala { channels, hidden } => format!("impala {channels:?} {hidden:?}"),
        Torso::Mlp { hidden } => format!("mlp {hidden:?}"),
    };
    let activation = if network.activation == Activation::Selu { " selu" } else { "" };
    let streams = if network.streams == Streams::Dueling { " dueling" } else { "" };
    let layers = match network.layers {
        Layers::Plain => String::new(),
        Layers::Noisy { noise: Noise::Factorised, sigma } => format!(" factorised {sigma}"),
        Layers::Noisy { noise: Noise::Independent, sigma } => format!(" independent {sigma}"),
    };
    let output = match agent.learning.objective {
        Objective::Td(_) => String::new(),
        Objective::Categorical { support, .. } => {
            format!(" {} atoms {}..{}", support.atoms(), support.v_min(), support.v_max())
        }
        Objective::Quantile { quantiles, kappa } => format!(" {quantiles} quantiles {kappa}"),
    };
    let epsilon = |step| agent.exploration.value(AgentSteps(step));
    let exploration = format!("epsilon {}..{}", epsilon(0), epsilon(u64::MAX));
    let replay = &agent.replay;
    let sampling = match replay.sampling {
        Sampling::Uniform => "uniform".to_owned(),
        Sampling::Proportional { exponent } => format!("proportional {exponent}"),
        Sampling::RankBased { exponent } => format!("rank {exponent}"),
        Sampling::CopyRewarded { copies, above } => format!("copies {copies} above {above}"),
    };
    let priorities = match &replay.prioritization {
        None => String::new(),
        Some(Prioritization { priority, importance }) => {
            let measure = if priority.measure == PriorityMeasure::Loss { "loss" } else { "error" };
            let exponent = |step| importance.value(AgentSteps(step));
            format!(" {measure}+{:e} importance {}..{}", priority.offset, exponent(0), exponent(u64::MAX))
        }
    };
    let learning = &agent.learning;
    let bootstrap = if learning.bootstrap == Bootstrap::Double { " double" } else { "" };
    let loss = match learning.objective {
        Objective::Td(TdLoss::Squared) => "squared",
        Objective::Td(TdLoss::Huber) => "huber",
        Objective::Categorical { target: DistributionTarget::Projection, .. } => "projection",
        Objective::Categorical { target: DistributionTarget::NeighbourSpreading, .. } => "spreading",
        Objective::Quantile { .. } => "quantile",
    };
    let optimiser = match agent.optimiser.optimiser {
        Optimiser::Adam(adam) => format!("adam {:e}/{:e}", adam.learning_rate, adam.epsilon),
        Optimiser::RmsProp(rms) => format!("rmsprop {:e}/{:e}/{}", rms.learning_rate, rms.epsilon, rms.decay),
        Optimiser::Sgd { learning_rate } => format!("sgd {learning_rate:e}"),
    };
    let bound = match agent.optimiser.gradient_bound {
        GradientBound::None => String::new(),
        GradientBound::GlobalNorm(norm) => format!(" norm {norm}"),
    };
    format!(
        "{hidden}{activation}{streams}{layers}{output} | {exploration} | {}/{} {sampling}{priorities} | n {}{bootstrap} \
         {loss} batch {} period {} target {} | {optimiser}{bound}",
        replay.capacity,
        replay.warm_up.0,
        learning.n_step,
        learning.batch_size,
        learning.period.0,
        learning.target_period.0
    )
}

#[test]
fn the_familys_presets_have_the_values_of_the_book_and_of_the_papers() {
    let book = "adam 1e-4/1e-8";
    let uniform = "100000/10000 uniform";
    let greedy = "epsilon 1..0.02";
    let every_step = "batch 32 period 1 target 1000";
    let prioritized = "100000/10000 proportional 0.6 loss+1e-5 importance 0.4..1";
    let nature = "1000000/50000 uniform";
    let table = [
        ("pong-n-step", format!("nature 512 | {greedy} | {uniform} | n 4 squared {every_step} | {book}")),
        ("pong-double", format!("nature 512 | {greedy} | {uniform} | n 1 double squared {every_step} | {book}")),
        (
            "pong-noisy",
            format!("nature 512 factorised 0.4 | epsilon 0..0 | {uniform} | n 1 squared {every_step} | {book}"),
        ),
        (
            "pong-noisy-independent",
            format!("nature 512 independent 0.017 | epsilon 0..0 | {uniform} | n 1 squared {every_step} | {book}"),
        ),
        ("pong-prioritized", format!("nature 512 | {greedy} | {prioritized} | n 1 squared {every_step} | {book}")),
        ("pong-dueling", format!("nature 256 dueling | {greedy} | {uniform} | n 1 squared {every_step} | {book}")),
        (
            "pong-c51",
            format!("nature 512 51 atoms -10..10 | {greedy} | {uniform} | n 1 projection {every_step} | {book}"),
        ),
        (
            "pong-combined",
            format!(
                "nature 256 dueling factorised 0.4 | epsilon 0..0 | {prioritized} | n 4 squared {every_step} | {book}"
            ),
        ),
        (
            "pong-fast",
            "convolutional [[5, 5, 32], [5, 5, 64]] [256] 51 atoms -1..1 | epsilon 1..0.01 | 100000/5000 uniform | \
             n 5 double projection batch 32 period 2 target 1000 | adam 2.5e-4/3.125e-4"
                .to_owned(),
        ),
        (
            "dqn",
            format!(
                "nature 512 | epsilon 1..0.1 | {nature} | n 1 huber batch 32 period 4 target 10000 | \
                 rmsprop 2.5e-4/9.765625e-6/0.95"
            ),
        ),
        (
            "dqn-impala",
            format!(
                "impala [16, 32, 32] [256] | epsilon 1..0.1 | {nature} | n 1 huber batch 32 period 4 target 10000 | \
                 rmsprop 2.5e-4/9.765625e-6/0.95"
            ),
        ),
        (
            "double",
            format!(
                "nature 512 | epsilon 1..0.01 | {nature} | n 1 double huber batch 32 period 4 target 30000 | \
                 rmsprop 2.5e-4/9.765625e-6/0.95"
            ),
        ),
        (
            "prioritized",
            "nature 512 | epsilon 1..0.01 | 1000000/50000 proportional 0.6 error+1e-6 importance 0.4..1 | \
             n 1 double huber batch 32 period 4 target 30000 | rmsprop 6.25e-5/6.1035155e-7/0.95"
                .to_owned(),
        ),
        (
            "dueling",
            format!(
                "nature 512 dueling | epsilon 1..0.01 | {nature} | n 1 double huber batch 32 period 4 target 30000 | \
                 rmsprop 6.25e-5/9.765625e-6/0.95 norm 10"
            ),
        ),
        (
            "noisy",
            format!(
                "nature 512 factorised 0.5 | epsilon 0..0 | {nature} | n 1 huber batch 32 period 4 target 10000 | \
                 rmsprop 2.5e-4/9.765625e-6/0.95"
            ),
        ),
        (
            "c51",
            format!(
                "nature 512 51 atoms -10..10 | epsilon 1..0.01 | {nature} | n 1 projection batch 32 period 4 target 10000 | \
                 adam 2.5e-4/3.125e-4 norm 10"
            ),
        ),
        (
            "qr-dqn",
            format!(
                "nature 512 200 quantiles 1 | epsilon 1..0.01 | {nature} | n 1 quantile batch 32 period 4 target 10000 | \
                 adam 5e-5/3.125e-4"
            ),
        ),
        (
            "rainbow",
            "nature 512 dueling factorised 0.5 51 atoms -10..10 | epsilon 0..0 | \
             1000000/20000 proportional 0.5 loss+1e-6 importance 0.4..1 | \
             n 3 double projection batch 32 period 4 target 8000 | adam 6.25e-5/1.5e-4 norm 10"
                .to_owned(),
        ),
        (
            "der",
            "nature 512 dueling factorised 0.5 51 atoms -10..10 | epsilon 1..0.01 | \
             100000/1600 proportional 0.5 loss+1e-6 importance 0.4..1 | \
             n 10 double projection batch 32 period 1 target 2000 | adam 1e-4/1.5e-4 norm 10"
                .to_owned(),
        ),
        (
            "cartpole-c51",
            "mlp [512] 51 atoms 0..100 | epsilon 1..0.02 | 100000/44 uniform | \
             n 3 projection batch 32 period 1 target 300 | adam 1e-4/1e-8"
                .to_owned(),
        ),
        (
            "freeway-ram",
            "mlp [100, 25] selu 51 atoms -10..10 | epsilon 0.2..0.05 | 200/100 copies 5 above 0 | \
             n 1 projection batch 50 period 1 target 25 | sgd 1e-4"
                .to_owned(),
        ),
    ];
    for (name, expected) in table {
        assert_eq!(summary(&preset(name)), expected, "{name}");
    }
}

#[test]
fn importance_exponents_rise_over_the_steps_their_sources_give() {
    for (name, decay) in [("pong-prioritized", 100_000), ("rainbow", 50_000_000), ("prioritized", 50_000_000)] {
        let prioritization = preset(name).agent().replay.prioritization.clone().expect("a prioritized preset");
        assert_eq!(prioritization.importance.value(AgentSteps(decay)), 1.0, "{name}");
        assert!(prioritization.importance.value(AgentSteps(decay - decay / 100)) < 1.0, "{name}");
    }
}

#[test]
fn the_fast_preset_is_for_pong_and_says_so() {
    let config = preset("pong-fast");
    let (kind, training) = (&config.environment().kind, config.training());
    assert_eq!((kind.name(), kind.protocol()), ("pong", "cleanrl with points = \"zero-discount\""));
    assert_eq!((config.environment().count.get(), training.pipeline), (4, false));
    assert_eq!((training.stop_score, training.score_window.get()), (Some(18.0), 100));
    assert_eq!(config.agent().exploration.value(AgentSteps(30_000)), 0.01);
}

#[test]
fn a_score_names_every_departure_from_its_protocol() {
    let protocol = |settings: &[&str]| {
        let overrides: Vec<_> = settings.iter().map(|text| Override::parse(text).unwrap()).collect();
        let config = Config::read(&Source::find("pong").unwrap(), &overrides).unwrap();
        config.environment().kind.protocol().to_owned()
    };
    assert_eq!(protocol(&["environment.protocol=dopamine"]), "dopamine");
    assert_eq!(protocol(&["environment.frame_skip=4"]), "cleanrl");
    assert_eq!(
        protocol(&["environment.frame_limit=none", "environment.stack=1"]),
        "cleanrl with stack = 1, frame_limit = \"none\""
    );
}

/// Every configuration file below a folder: files whose names end in `config.toml`.
fn configurations(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { configurations(&path) } else { vec![path] });
    found.filter(|path| path.to_string_lossy().ends_with("config.toml")).collect()
}

#[test]
fn every_configuration_that_was_ever_recorded_can_be_read() {
    let results = Path::new("assets/results");
    let files = configurations(results);
    assert!(files.len() >= 11, "{files:?}");
    for file in files {
        let read = |path: &Path| Config::read(&Source::read(path).unwrap(), &[]);
        let config = read(&file).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(Config::from_toml("again", &config.to_toml()).unwrap(), config, "{}", file.display());
        // The manifest has the same values.
        let manifest = file.with_file_name("manifest.json");
        let Ok(manifest) = std::fs::read_to_string(manifest) else { continue };
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!(manifest["protocol"], config.environment().kind.protocol(), "{}", file.display());
        assert_eq!(manifest["config"]["replay"]["capacity"], config.agent().replay.capacity, "{}", file.display());
        assert_eq!(manifest["config"]["learning"]["n_step"], config.agent().learning.n_step, "{}", file.display());
    }
}

#[test]
fn every_preset_says_what_it_is_and_where_each_value_comes_from() {
    for preset in prism::presets::ALL {
        assert!(preset.title().len() > 10 && preset.time().len() > 10, "{}", preset.name);
        for line in preset
            .text
            .lines()
            .filter(|line| line.contains(" = "))
            .filter(|line| !["kind =", "base =", "version ="].iter().any(|start| line.starts_with(start)))
        {
            let source = line.split_once('#').map(|(_, comment)| comment);
            // A tag in brackets that the preset's head explains.
            let tag =
                source.and_then(|source| source.split_once('[')?.1.split_once(']')).map(|(tag, _)| format!("[{tag}]"));
            let head = preset.text.split("\n\n").next().unwrap_or_default();
            assert!(
                line.starts_with('#') || tag.is_some_and(|tag| tag == "[ours]" || head.contains(&tag)),
                "{}: no source: {line}",
                preset.name
            );
        }
    }
}
