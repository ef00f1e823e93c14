//! The presets that every build carries.

/// A configuration that is part of the program.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// What `prism train` calls it.
    pub name: &'static str,
    /// The TOML text, with a source for each value.
    pub text: &'static str,
}

impl Preset {
    /// The text's first comment line: what the preset is.
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches('#').trim()
    }
}

macro_rules! preset {
    ($name:literal) => {
        Preset { name: $name, text: include_str!(concat!("../../../assets/presets/", $name, ".toml")) }
    };
}

/// All presets, in the order in which they are listed.
pub const ALL: &[Preset] = &[
    preset!("pong"),
    preset!("pong-n-step"),
    preset!("pong-double"),
    preset!("pong-noisy"),
    preset!("pong-noisy-independent"),
    preset!("pong-prioritized"),
    preset!("pong-dueling"),
    preset!("pong-c51"),
    preset!("pong-combined"),
    preset!("pong-fast"),
    preset!("breakout-small"),
    preset!("breakout"),
    preset!("invaders"),
    preset!("dqn"),
    preset!("double"),
    preset!("prioritized"),
    preset!("dueling"),
    preset!("noisy"),
    preset!("c51"),
    preset!("rainbow"),
    preset!("der"),
    preset!("dqn-impala"),
    preset!("cartpole"),
    preset!("cartpole-c51"),
    preset!("freeway-ram"),
    preset!("catch"),
];

/// The preset called `name`.
pub fn find(name: &str) -> Option<&'static Preset> {
    ALL.iter().find(|preset| preset.name == name)
}
