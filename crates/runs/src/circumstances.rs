//! Under what a run ran: all that its numbers may depend on beside its configuration.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::names::MANIFEST;
use crate::read_error::ReadError;

/// Under what a run, or the part of it since it last went on, ran. None of what older versions did not write down.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Circumstances {
    /// Agent steps at which it went on under these; none from its beginning.
    pub agent_steps: Option<u64>,
    /// Version of the program.
    pub version: Option<String>,
    /// Commit that the program was built from.
    pub commit: Option<String>,
    /// Device of the networks.
    pub device: Option<String>,
    /// MD5 of the game's ROM, where there is one.
    rom: Option<String>,
    machine: RecordedMachine,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct RecordedMachine {
    system: Option<String>,
    architecture: Option<String>,
    features: Option<Vec<String>>,
    cores: Option<usize>,
}

/// Something that was another then than now, or was not written down then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Agent steps at which the run had gone on under what was then; none from its beginning.
    pub resumed_at: Option<u64>,
    /// What it is.
    pub what: &'static str,
    /// What it was then; none where the run does not say.
    pub then: Option<String>,
    /// What it is now.
    pub now: String,
}

impl Circumstances {
    /// Those of the run in the folder at `path`: from its beginning, then of each time that it went on.
    ///
    /// # Errors
    /// When its manifest cannot be read or does not have the form that runs write.
    pub fn of(path: &Path) -> Result<Vec<Self>, ReadError> {
        #[derive(Deserialize)]
        struct Manifest {
            #[serde(flatten)]
            first: Circumstances,
            #[serde(default)]
            resumed: Vec<Circumstances>,
        }
        let path = path.join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(|source| ReadError::read(&path, source))?;
        let Manifest { first, resumed } = serde_json::from_str(&text)
            .map_err(|error| ReadError::malformed(&path, Some(error.line() as u64), error.to_string()))?;
        Ok([first].into_iter().chain(resumed).collect())
    }

    /// In what `self`, which was then, differs from `now`.
    pub fn differences(&self, now: &Self) -> Vec<Difference> {
        let [then, now] = [self, now].map(Self::listed);
        let differing = then.into_iter().zip(now).filter(|((_, then), (_, now))| then != now);
        let resumed_at = self.agent_steps;
        let unknown = || "not recorded".to_owned();
        differing
            .map(|((what, then), (_, now))| Difference { resumed_at, what, then, now: now.unwrap_or_else(unknown) })
            .collect()
    }

    fn listed(&self) -> [(&'static str, Option<String>); 8] {
        let features = self.machine.features.as_ref().map(|features| match features.as_slice() {
            [] => "none".to_owned(),
            features => features.join(" "),
        });
        [
            ("version", self.version.clone()),
            ("commit", self.commit.clone()),
            ("device", self.device.clone()),
            ("MD5 of the ROM", self.rom.clone()),
            ("operating system", self.machine.system.clone()),
            ("processor architecture", self.machine.architecture.clone()),
            ("processor features", features),
            ("processor cores", self.machine.cores.map(|cores| cores.to_string())),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::RunFolder;
    use crate::manifest::Manifest;
    use crate::manifest::tests::manifest;
    use crate::position::Position;

    fn of(folder: &Path) -> Vec<Circumstances> {
        Circumstances::of(folder).unwrap()
    }

    #[test]
    fn what_has_changed_is_said_and_what_has_not_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("run");
        let rom = |md5: &str| Some(md5.to_owned());
        let folder = RunFolder::create(&path, &Manifest { rom: rom("60e0"), ..manifest() }).unwrap();
        let same = of(&path).remove(0);
        assert_eq!(same.differences(&same), []);
        let other = Manifest { rom: rom("70e0"), device: "cuda:0".to_owned(), ..manifest() };
        folder.go_on(&other, &Position::default()).unwrap();
        let [first, resumed] = <[_; 2]>::try_from(of(&path)).unwrap();
        assert_eq!((first.agent_steps, resumed.agent_steps), (None, Some(0)));
        let difference = |what, then: &str, now: &str| Difference {
            resumed_at: None,
            what,
            then: Some(then.to_owned()),
            now: now.to_owned(),
        };
        let expected = [difference("device", "flex", "cuda:0"), difference("MD5 of the ROM", "60e0", "70e0")];
        assert_eq!(first.differences(&resumed), expected);
    }

    #[test]
    fn what_an_older_version_did_not_write_down_is_not_known() {
        let parent = tempfile::tempdir().unwrap();
        let text = r#"{"version": "0.1.0", "commit": "a", "device": "flex", "machine": {"cores": 2}}"#;
        fs::write(parent.path().join("manifest.json"), text).unwrap();
        let old = of(parent.path()).remove(0);
        let path = parent.path().join("run");
        RunFolder::create(&path, &Manifest { rom: Some("60e0".to_owned()), ..manifest() }).unwrap();
        let differences = old.differences(&of(&path)[0]);
        let unknown: Vec<_> = differences.iter().filter(|difference| difference.then.is_none()).collect();
        let whats: Vec<_> = unknown.iter().map(|difference| difference.what).collect();
        let expected = ["MD5 of the ROM", "operating system", "processor architecture", "processor features"];
        assert_eq!(whats, expected);
    }
}
