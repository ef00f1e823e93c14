//! Each preset against a table typed in by hand from `spec/algorithms.md`, section 3.

use prism::{Config, EnvironmentKind, Override, Source};
use prism_algorithms::{GradientBound, TdLoss};
use prism_environment::AgentSteps;
use prism_model::{Adam, Torso};

fn preset(name: &str) -> Config {
    Config::read(&Source::find(name).unwrap(), &[]).unwrap_or_else(|error| panic!("{name}: {error}"))
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
        assert!(matches!(config.environment.kind, EnvironmentKind::Atari { .. }), "{name}");
        assert_eq!(config.environment.kind.name(), game, "{name}");
        assert_eq!(config.environment.kind.protocol(), "cleanrl", "{name}");
        assert_eq!(config.environment.kind.frame_skip(), 4, "{name}");
        assert_eq!(config.environment.count.get(), 1, "{name}");
        assert_eq!(config.network, Torso::Nature { hidden: 512 }, "{name}");
        assert_eq!(config.training.stop_score, Some(stop_score), "{name}");
        assert_eq!(config.training.score_window.get(), 100, "{name}");
        assert_eq!(config.replay.capacity, capacity, "{name}");
        assert_eq!(config.replay.warm_up, AgentSteps(warm_up), "{name}");
        assert_eq!(config.learning.target_period, AgentSteps(target_period), "{name}");
        assert_eq!(config.learning.period, AgentSteps(1), "{name}");
        assert_eq!(config.learning.gamma, 0.99, "{name}");
        assert_eq!(config.learning.n_step, 1, "{name}");
        assert_eq!(config.learning.batch_size, batch_size, "{name}");
        assert_eq!(config.learner.loss, TdLoss::Squared, "{name}");
        assert_eq!(config.exploration.value(AgentSteps(0)), 1.0, "{name}");
        assert_eq!(config.exploration.value(AgentSteps(decay)), epsilon, "{name}");
        assert!(config.exploration.value(AgentSteps(decay - 1)) > epsilon, "{name}");
        let adam = Adam { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
        assert_eq!(config.learner.optimiser, adam, "{name}");
        assert_eq!(config.learner.gradient_bound, GradientBound::None, "{name}");
    }
}

#[test]
fn a_score_names_every_departure_from_its_protocol() {
    let protocol = |settings: &[&str]| {
        let overrides: Vec<_> = settings.iter().map(|text| Override::parse(text).unwrap()).collect();
        let config = Config::read(&Source::find("pong").unwrap(), &overrides).unwrap();
        config.environment.kind.protocol().to_owned()
    };
    assert_eq!(protocol(&["environment.protocol=dopamine"]), "dopamine");
    assert_eq!(protocol(&["environment.frame_skip=4"]), "cleanrl");
    assert_eq!(
        protocol(&["environment.frame_limit=none", "environment.stack=1"]),
        "cleanrl with stack = 1, frame_limit = \"none\""
    );
}

#[test]
fn every_preset_survives_being_written_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    for preset in prism::presets::ALL {
        let config = self::preset(preset.name);
        let path = folder.path().join(format!("{}.toml", preset.name));
        std::fs::write(&path, config.to_toml()).unwrap();
        let again = Config::read(&Source::read(&path).unwrap(), &[]).unwrap();
        assert_eq!(format!("{config:?}"), format!("{again:?}"), "{}", preset.name);
    }
}

#[test]
fn every_preset_says_what_it_is_and_where_each_value_comes_from() {
    for preset in prism::presets::ALL {
        assert!(preset.title().len() > 10, "{}", preset.name);
        for line in preset.text.lines().filter(|line| line.contains(" = ") && !line.starts_with("kind =")) {
            let source = line.split_once('#').map(|(_, comment)| comment);
            let named = ["[book]", "[nature]", "[ours]", "[gymnasium]"];
            assert!(
                line.starts_with('#') || source.is_some_and(|source| named.iter().any(|name| source.contains(name))),
                "{}: no source: {line}",
                preset.name
            );
        }
    }
}
