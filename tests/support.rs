//! What several test modules need.

use std::path::Path;

use prism::{Config, Interrupt, Override, Source, Summary, TrainOptions};
use prism_environment::Seed;

/// A preset with settings in the form of `--set`.
pub fn preset(name: &str, settings: &[&str]) -> Config {
    let overrides: Vec<Override> = settings.iter().map(|text| Override::parse(text).expect("key=value")).collect();
    let source = Source::find(name).expect("the preset exists");
    Config::read(&source, &overrides).expect("the settings fit")
}

/// Trains on the CPU into a new folder until the run ends by itself.
pub fn train_into(folder: &Path, config: &Config, seed: u64) -> Summary {
    let options = TrainOptions {
        name: "test".to_owned(),
        device: "flex".to_owned(),
        seed: Seed(seed),
        roms: None,
        out: Some(folder.to_owned()),
        interrupt: Interrupt::default(),
    };
    prism::train(config, options).expect("the run ends by itself")
}
