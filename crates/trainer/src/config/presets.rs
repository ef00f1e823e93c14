//! The presets that every build carries.

/// A configuration that is part of the program.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// What it is called.
    pub name: &'static str,
    /// The TOML text, with a source for each value.
    pub text: &'static str,
}

/// How a preset's second comment line begins, which says how long a run takes.
const TIME: &str = "# time:";

impl Preset {
    /// The text's first comment line: what the preset is.
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches('#').trim()
    }

    /// What it is for and how long a run takes on what.
    pub fn time(&self) -> &'static str {
        self.text.lines().find_map(|line| line.strip_prefix(TIME)).unwrap_or_default().trim()
    }
}

macro_rules! preset {
    ($name:literal) => {
        Preset { name: $name, text: include_str!(concat!("../../../../assets/presets/", $name, ".toml")) }
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
    preset!("qr-dqn"),
    preset!("rainbow"),
    preset!("der"),
    preset!("dqn-impala"),
    preset!("cartpole"),
    preset!("cartpole-c51"),
    preset!("freeway-ram"),
    preset!("catch"),
];

/// The preset called `name`; as with games, capitals do not matter, nor whether words are parted by dashes, underscores or
/// spaces.
pub fn find(name: &str) -> Option<&'static Preset> {
    let plain = name.trim().to_lowercase().replace([' ', '_'], "-");
    ALL.iter().find(|preset| preset.name == plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_found_in_any_case_as_games_are() {
        for name in ["pong-fast", "Pong-Fast", "PONG_FAST", "pong fast"] {
            assert_eq!(find(name).map(|preset| preset.name), Some("pong-fast"), "{name}");
        }
        assert!(find("pongfast").is_none());
    }
}
