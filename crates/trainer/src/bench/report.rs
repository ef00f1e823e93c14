//! What was measured, as a value and as a file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use prism_runs::{OutputError, OutputFile};
use serde::{Deserialize, Serialize};

use super::{BenchError, Machine, Task};

/// Number of the file format that [`Report::read`] and [`Report::write`] use.
const FORMAT: u64 = 1;

/// Everything that one benchmark run found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Number of this format.
    pub format: u64,
    /// Program and version.
    pub program: String,
    /// Commit it was built from, if it knows.
    pub commit: Option<String>,
    /// The command line.
    pub command: String,
    /// When it started, by RFC 3339.
    pub date: String,
    /// Where it ran.
    pub machine: Machine,
    /// Versions of what the program is made of.
    pub versions: BTreeMap<String, String>,
    /// Devices of the networks.
    pub devices: Vec<DeviceDescription>,
    /// Pieces of work that were to be measured; not in older files.
    #[serde(default)]
    pub planned: usize,
    /// Pieces of work that it got to, whether or not they could be measured; fewer than planned when it was interrupted.
    #[serde(default)]
    pub tried: usize,
    /// Times, in the order in which they were taken.
    pub measurements: Vec<Measurement>,
}

/// A device by its name, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceDescription {
    /// What `--device` calls it.
    pub name: String,
    /// Adapter, driver and memory, as far as they are known.
    pub description: String,
}

/// What one piece of work took on one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The kind of work.
    pub task: Task,
    /// What it was done to: an agent, a way of sampling, a game.
    pub subject: String,
    /// Batch size, or number of environments.
    pub batch: usize,
    /// Device of the networks, `cpu` where no network takes part.
    pub device: String,
    /// Median over rounds, in seconds per batch, for environments and training per agent step.
    pub median: f64,
    /// Lower quartile.
    pub low: f64,
    /// Upper quartile.
    pub high: f64,
    /// Rounds that these are of.
    pub rounds: usize,
    /// Seconds before the first round: building, checking, compiling and tuning kernels, warming up.
    pub preparation: Option<f64>,
    /// Bytes held after the last round: by the device's own allocator where it tells, else by the whole process.
    pub memory_bytes: Option<u64>,
}

impl Measurement {
    /// Whether both are of the same work on a device of the same name.
    pub(crate) fn is_of_same_work(&self, other: &Self) -> bool {
        (self.task, &self.subject, self.batch, &self.device) == (other.task, &other.subject, other.batch, &other.device)
    }

    /// Observations, transitions or agent steps in a second, for a time of this measurement.
    pub(crate) fn rate(&self, time: f64) -> f64 {
        let items = if self.task.counts_agent_steps() { 1 } else { self.batch };
        items as f64 / time
    }
}

/// What every version of the format has.
#[derive(Deserialize)]
struct Versioned {
    format: u64,
}

impl Report {
    /// A report of this process, which starts now and has measured nothing yet.
    pub(super) fn start(
        machine: Machine,
        versions: BTreeMap<String, String>,
        devices: Vec<DeviceDescription>,
        planned: usize,
    ) -> Self {
        Self {
            format: FORMAT,
            program: format!("prism {}", env!("CARGO_PKG_VERSION")),
            commit: Some(env!("PRISM_COMMIT").to_owned()).filter(|commit| commit != "unknown"),
            command: command(),
            date: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            machine,
            versions,
            devices,
            planned,
            tried: 0,
            measurements: Vec::new(),
        }
    }

    /// Whether it was interrupted before it had got to all its work.
    pub fn is_incomplete(&self) -> bool {
        self.tried < self.planned
    }

    /// Reads what [`Report::write`] wrote.
    ///
    /// # Errors
    /// [`BenchError::Read`], [`BenchError::NotAReport`], [`BenchError::Format`].
    pub fn read(path: &Path) -> Result<Self, BenchError> {
        let text = fs::read_to_string(path).map_err(|source| BenchError::Read { path: path.to_owned(), source })?;
        let malformed = |source| BenchError::NotAReport { path: path.to_owned(), source };
        let Versioned { format } = serde_json::from_str(&text).map_err(malformed)?;
        if format != FORMAT {
            return Err(BenchError::Format { path: path.to_owned(), found: format, known: FORMAT });
        }
        serde_json::from_str(&text).map_err(malformed)
    }

    /// Writes it to `path` as JSON, over a file that is there.
    ///
    /// # Errors
    /// Those of [`OutputFile::new`] for the extension `json`, and of [`OutputFile::write`].
    pub fn write(&self, path: &Path) -> Result<(), OutputError> {
        let mut text = serde_json::to_string_pretty(self).expect("a report is plain data with string keys");
        text.push('\n');
        OutputFile::new(path, "json")?.write(text.as_bytes())
    }
}

/// The command line, with the name of the program instead of the way to it, and a mark where it is no Unicode.
fn command() -> String {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(program) = arguments.first_mut()
        && let Some(name) = Path::new(&program).file_name()
    {
        *program = name.to_owned();
    }
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    arguments.join(" ")
}

#[cfg(test)]
pub(crate) mod examples {
    use super::*;

    /// A measurement of 1 second with quartiles of a twentieth to both sides.
    pub(crate) fn measurement(task: Task, subject: &str, batch: usize, device: &str) -> Measurement {
        Measurement {
            task,
            subject: subject.to_owned(),
            batch,
            device: device.to_owned(),
            median: 1.0,
            low: 0.95,
            high: 1.05,
            rounds: 9,
            preparation: Some(2.5),
            memory_bytes: None,
        }
    }

    /// A report of these measurements.
    pub(crate) fn report(measurements: Vec<Measurement>) -> Report {
        let machine =
            Machine { cpu: "Abacus 3".to_owned(), threads: 2, memory_bytes: Some(8 << 30), os: "Clay 1".to_owned() };
        let versions = BTreeMap::from([("burn".to_owned(), "0.22.1".to_owned())]);
        let devices = vec![DeviceDescription { name: "flex".to_owned(), description: "the processor".to_owned() }];
        let count = measurements.len();
        Report { measurements, tried: count, ..Report::start(machine, versions, devices, count) }
    }
}

#[cfg(test)]
mod tests {
    use super::examples::{measurement, report};
    use super::*;

    #[test]
    fn a_report_comes_back_from_its_file_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench.json");
        let mut written = report(vec![measurement(Task::EndToEnd, "pong", 1, "flex")]);
        written.measurements[0].median = 0.1 + 0.2;
        written.commit = None;
        written.write(&path).unwrap();
        assert_eq!(Report::read(&path).unwrap(), written);
        let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(json["format"], 1);
        assert_eq!(json["measurements"][0]["task"], "end-to-end");
        for absent in [&json["commit"], &json["measurements"][0]["memory_bytes"]] {
            assert!(absent.is_null());
        }
        assert!(json.as_object().unwrap().contains_key("commit"), "what is not known is null, not left out");
        assert!(json["measurements"][0].as_object().unwrap().contains_key("memory_bytes"));
    }

    #[test]
    fn files_that_are_no_reports_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench.json");
        assert!(matches!(Report::read(&path), Err(BenchError::Read { .. })));
        for (text, expected) in [
            ("{\"format\": 2, \"tasks\": []}", "format 2"),
            ("{\"episodes\": 3}", "missing field `format`"),
            ("{\"format\": 1}", "missing field `program`"),
            ("episode,score", "expected value"),
        ] {
            fs::write(&path, text).unwrap();
            let error = Report::read(&path).unwrap_err();
            let message = format!("{:#}", anyhow::Error::from(error));
            assert!(message.contains(expected) && message.contains("bench.json"), "{message}");
        }
    }
}
