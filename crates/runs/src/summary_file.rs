//! `summary.json`: how a run ended.

use std::fs;
use std::io;
use std::path::PathBuf;

use prism_environment::{AgentSteps, Frames};
use serde::Serialize;

use crate::clock::Moment;
use crate::events::{Ending, Event, RunHeader, Summary};
use crate::file::{json, replace};
use crate::folder::RunFolder;
use crate::names::SUMMARY;
use crate::sink::{FilePositions, RecordError, Sink};

/// Writes how a run ended into its `summary.json`.
#[derive(Debug)]
pub struct SummaryFile {
    path: PathBuf,
    header: RunHeader,
}

/// What the file holds.
#[derive(Serialize)]
struct Contents<'a> {
    ending: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    environment: &'a str,
    protocol: &'a str,
    episodes: u64,
    updates: u64,
    agent_steps: AgentSteps,
    frames: Frames,
    mean_score: Option<f64>,
    score_window: usize,
    best_score: Option<f64>,
    elapsed_seconds: f64,
    agent_steps_per_second: f64,
    frames_per_second: f64,
    updates_per_second: f64,
}

impl SummaryFile {
    /// The summary of a run that has not ended.
    pub fn new(folder: &RunFolder, header: &RunHeader) -> Self {
        Self { path: folder.path().join(SUMMARY), header: header.clone() }
    }

    fn contents<'a>(&'a self, summary: &'a Summary) -> Contents<'a> {
        let Summary { ending, episodes, mean_score, best_score, at, elapsed, rates } = summary;
        let (ending, reason) = match ending {
            Ending::Solved => ("solved", None),
            Ending::Limit => ("limit", None),
            Ending::Interrupted => ("interrupted", None),
            Ending::Terminated => ("terminated", None),
            Ending::Failed { reason } => ("failed", Some(reason.as_str())),
        };
        Contents {
            ending,
            reason,
            environment: &self.header.manifest.environment,
            protocol: &self.header.manifest.protocol,
            episodes: *episodes,
            updates: at.updates,
            agent_steps: at.agent_steps,
            frames: at.frames,
            mean_score: *mean_score,
            score_window: self.header.score_window,
            best_score: *best_score,
            elapsed_seconds: elapsed.as_secs_f64(),
            agent_steps_per_second: rates.agent_steps,
            frames_per_second: rates.frames,
            updates_per_second: rates.updates,
        }
    }
}

impl Sink for SummaryFile {
    fn take(&mut self, event: &Event, _: &Moment) -> Result<(), RecordError> {
        let Event::Ended(summary) = event else { return Ok(()) };
        let text = json(&self.contents(summary));
        replace(&self.path, text.as_bytes()).map_err(|source| RecordError::write(&self.path, source))
    }

    /// Removes the file: a run that is continued has not ended.
    fn rewind(&mut self, _: &FilePositions) -> Result<(), RecordError> {
        match fs::remove_file(&self.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(RecordError::write(&self.path, source)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Rates;
    use crate::clock::tests::moment;
    use crate::events::tests::{header, position};

    fn summary(ending: Ending) -> Summary {
        Summary {
            ending,
            episodes: 3,
            mean_score: Some(-1.0),
            best_score: None,
            at: position(27),
            elapsed: Duration::from_secs(9),
            rates: Rates { agent_steps: 3.0, frames: 12.0, updates: 1.5 },
        }
    }

    #[test]
    fn every_ending_is_written_with_its_reason() {
        let parent = tempfile::tempdir().unwrap();
        let header = header();
        let folder = RunFolder::create(&parent.path().join("run"), &header.manifest).unwrap();
        let mut sink = SummaryFile::new(&folder, &header);
        let mut written = |ending| -> serde_json::Value {
            sink.take(&Event::Ended(summary(ending)), &moment(9)).unwrap();
            serde_json::from_slice(&fs::read(folder.path().join("summary.json")).unwrap()).unwrap()
        };
        for (ending, name) in [
            (Ending::Solved, "solved"),
            (Ending::Limit, "limit"),
            (Ending::Interrupted, "interrupted"),
            (Ending::Terminated, "terminated"),
        ] {
            let contents = written(ending);
            assert_eq!(contents["ending"], name);
            assert!(contents.get("reason").is_none());
        }
        let contents = written(Ending::Failed { reason: "a loss is NaN".to_owned() });
        assert_eq!((&contents["ending"], &contents["reason"]), (&"failed".into(), &"a loss is NaN".into()));
        assert_eq!((&contents["protocol"], &contents["score_window"]), (&"catch 10x5".into(), &100.into()));
        assert_eq!((&contents["agent_steps"], &contents["frames_per_second"]), (&27.into(), &12.0.into()));
        assert!(contents["best_score"].is_null());
    }

    #[test]
    fn a_run_that_goes_on_has_no_summary() {
        let parent = tempfile::tempdir().unwrap();
        let header = header();
        let folder = RunFolder::create(&parent.path().join("run"), &header.manifest).unwrap();
        let mut sink = SummaryFile::new(&folder, &header);
        sink.rewind(&FilePositions::default()).unwrap();
        sink.take(&Event::Ended(summary(Ending::Interrupted)), &moment(9)).unwrap();
        sink.rewind(&FilePositions::default()).unwrap();
        assert!(!folder.path().join("summary.json").exists());
    }
}
