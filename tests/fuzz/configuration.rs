//! Configurations: TOML, and settings as `--set` has them.

use std::path::Path;

use prism::{Config, Override, Source};

use super::{Answer, Target, corpus, words_of};

const WORDS: [&str; 24] = [
    "version = 2\n",
    "version = 1\n",
    "preset = \"catch\"\n",
    "[environment]\n",
    "[[environment]]\n",
    "kind = \"chain\"\n",
    "kind = \"atari\"\n",
    "kind = \"impala\"\n",
    "game = \"pong\"\n",
    "sampling = \"proportional\"\n",
    "loss = \"cross-entropy\"\n",
    "layers = \"noisy-factorised\"\n",
    "hidden = []\n",
    "convolutions = [[8, 4, 32]]\n",
    "\"none\"",
    "true",
    "1979-05-27T07:32:00Z",
    "{ a = 1 }",
    "[[[[[[[[[[[[[[[[",
    "\"\"\"",
    "'",
    "\\u0000",
    "\u{feff}",
    "a.b.c.d = 1\n",
];

fn presets() -> Vec<Vec<u8>> {
    corpus::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/presets"))
}

#[test]
fn configurations() {
    let seeds = presets();
    Target { name: "configurations", seeds, words: &WORDS, room: 64 << 20, inputs: 2_000 }.run(|input| {
        let read = |text: &str| Config::from_toml("fuzz", text).map_err(|error| words_of(&error));
        let config = read(&String::from_utf8_lossy(input))?;
        // What is written of a configuration is that configuration.
        let whole = config.to_toml();
        assert_eq!(read(&whole).map(|config| config.to_toml()), Ok(whole));
        Ok(())
    });
}

#[test]
fn settings() {
    let seeds = ["replay.capacity=200", "network.hidden=[12, 9]", "environment.game=pong", "training.stop_score=none"];
    let source = Source::find("catch").expect("a preset");
    let seeds = seeds.map(|text| text.as_bytes().to_vec()).to_vec();
    Target { name: "settings", seeds, words: &WORDS, room: 64 << 20, inputs: 1_000 }.run(|input| -> Answer {
        let setting = Override::parse(&String::from_utf8_lossy(input)).map_err(|error| words_of(&error))?;
        // Whether it fits this preset is another matter.
        let _ = Config::read(&source, &[setting]);
        Ok(())
    });
}
