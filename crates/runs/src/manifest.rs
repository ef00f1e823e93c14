//! What was run, where and when: `manifest.json`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use prism_environment::Seed;
use serde::Serialize;

/// What identifies a run beside its configuration.
#[derive(Clone, Debug)]
pub struct RunIdentity {
    /// Preset, or stem of the configuration file.
    pub name: String,
    /// Environment or game.
    pub environment: String,
    /// Protocol of the scores.
    pub protocol: String,
    /// Seed of every random stream.
    pub seed: Seed,
    /// Device of the networks.
    pub device: String,
    /// MD5 of the game's ROM in hexadecimal; none where the environment has no ROM.
    pub rom: Option<String>,
    /// Names of the actions, by index; empty where they have none.
    pub actions: Vec<String>,
    /// The command line. U+FFFD replaces what is not Unicode.
    pub command: Vec<OsString>,
    /// Version of the program.
    pub version: String,
    /// Commit it was built from, `-dirty` where the sources differed from it.
    pub commit: String,
}

/// What `manifest.json` holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Manifest {
    /// Version of the program.
    pub version: String,
    /// Commit it was built from, `-dirty` where the sources differed from it.
    pub commit: String,
    /// Preset, or stem of the configuration file.
    pub name: String,
    /// Environment or game.
    pub environment: String,
    /// Protocol of the scores.
    pub protocol: String,
    /// Seed of every random stream.
    pub seed: Seed,
    /// Device of the networks.
    pub device: String,
    /// MD5 of the game's ROM in hexadecimal; none where the environment has no ROM.
    pub rom: Option<String>,
    /// Names of the actions, by index; empty where they have none.
    pub actions: Vec<String>,
    /// The command line.
    pub command: Vec<String>,
    /// When it started, in UTC.
    pub started: String,
    /// Where it ran.
    pub machine: Machine,
    /// The configuration, under the names that its file uses.
    pub config: toml::Table,
    /// The configuration as the file has it, comments included.
    #[serde(skip)]
    pub(crate) config_text: String,
}

/// Where a run ran.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Machine {
    /// Operating system.
    pub system: &'static str,
    /// Processor architecture.
    pub architecture: &'static str,
    /// Of the processor's features those that choose how numbers are computed, such as `avx2`.
    pub features: Vec<&'static str>,
    /// Processor cores this process may use.
    pub cores: usize,
}

impl Machine {
    /// This machine.
    fn this() -> Self {
        Self {
            system: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            features: features(),
            // If the system does not tell, there is at least one core.
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// Features by which the layers' kernels, and those of the matrix products below them, are chosen.
#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    [
        ("fma", is_x86_feature_detected!("fma")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512dq", is_x86_feature_detected!("avx512dq")),
        ("avx512vl", is_x86_feature_detected!("avx512vl")),
    ]
    .into_iter()
    .filter_map(|(name, there)| there.then_some(name))
    .collect()
}

/// Features by which the layers' kernels are chosen.
#[cfg(not(target_arch = "x86_64"))]
fn features() -> Vec<&'static str> {
    if cfg!(target_feature = "neon") { vec!["neon"] } else { Vec::new() }
}

impl Manifest {
    /// The manifest of a run of this process that starts now, with its configuration as TOML.
    ///
    /// # Errors
    /// When the configuration is not TOML.
    pub fn new(identity: RunIdentity, config: String) -> Result<Self, toml::de::Error> {
        let RunIdentity { name, environment, protocol, seed, device, rom, actions, command, version, commit } =
            identity;
        Ok(Self {
            version,
            commit,
            name,
            environment,
            protocol,
            seed,
            device,
            rom,
            actions,
            command: command.iter().map(|argument| unicode(argument)).collect(),
            started: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            machine: Machine::this(),
            config: config.parse()?,
            config_text: config,
        })
    }
}

/// The text, with U+FFFD for what is not Unicode.
fn unicode(text: &OsStr) -> String {
    text.to_string_lossy().into_owned()
}

/// Every value of a configuration by its dotted key.
pub(crate) fn leaves(table: &toml::Table) -> BTreeMap<String, toml::Value> {
    let mut leaves = BTreeMap::new();
    for (key, value) in table {
        match value.as_table() {
            Some(section) => {
                let inside = self::leaves(section).into_iter();
                leaves.extend(inside.map(|(inner, value)| (format!("{key}.{inner}"), value)));
            }
            None => {
                leaves.insert(key.clone(), value.clone());
            }
        }
    }
    leaves
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What identifies a run of Catch with seed 7.
    pub(crate) fn identity() -> RunIdentity {
        RunIdentity {
            name: "catch".to_owned(),
            environment: "catch".to_owned(),
            protocol: "catch 10x5".to_owned(),
            seed: Seed(7),
            device: "flex".to_owned(),
            rom: None,
            actions: ["left", "stay", "right"].map(str::to_owned).to_vec(),
            command: ["prism", "train", "catch"].map(OsString::from).to_vec(),
            version: "0.1.0".to_owned(),
            commit: "0123456789ab".to_owned(),
        }
    }

    pub(crate) const CONFIG: &str = "[environment]\nkind = \"catch\"\n\n[replay]\ncapacity = 20000\nwarm_up = 500\n\n\
        [training]\nscore_window = 100\nstop_score = 0.95\n";

    /// The manifest of that run.
    pub(crate) fn manifest() -> Manifest {
        Manifest::new(identity(), CONFIG.to_owned()).unwrap()
    }

    #[test]
    fn the_configuration_stands_in_it_under_the_names_of_its_file() {
        let manifest = serde_json::to_value(manifest()).unwrap();
        assert_eq!(manifest["config"]["replay"]["capacity"], 20_000);
        assert_eq!(manifest["config"]["training"]["stop_score"], 0.95);
        assert_eq!((&manifest["seed"], &manifest["device"]), (&7.into(), &"flex".into()));
        assert_eq!((&manifest["command"][2], &manifest["actions"][1]), (&"catch".into(), &"stay".into()));
        assert!(manifest.get("config_text").is_none());
    }

    #[test]
    fn a_configuration_that_is_no_toml_is_refused() {
        let error = Manifest::new(identity(), "[replay".to_owned()).unwrap_err();
        assert_eq!(error.span().unwrap().start, 7, "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn an_argument_that_is_no_unicode_is_written_with_a_mark() {
        use std::os::unix::ffi::OsStringExt;
        let command = vec!["--out".into(), OsString::from_vec(b"r\xff".to_vec())];
        let manifest = Manifest::new(RunIdentity { command, ..identity() }, String::new()).unwrap();
        assert_eq!(serde_json::to_value(manifest).unwrap()["command"][1], "r\u{fffd}");
    }
}
