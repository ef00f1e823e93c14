//! Curves, configuration and hyperparameters for TensorBoard.

mod messages;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use prost::Message;

use self::messages::{
    Experiment, HParam, HParamsData, MetricInfo, MetricName, SessionEnd, SessionStart, Status, Summary, SummaryValue,
};
use crate::clock::Moment;
use crate::events::{Ending, Event, RunHeader};
use crate::file::AppendedFile;
use crate::folder::RunFolder;
use crate::manifest::leaves;
use crate::position::Position;
use crate::sink::{FilePositions, RecordError, Sink};
use crate::statistics::Statistics;

/// TensorBoard recognises event files by this in their names.
const FILE_MARK: &str = "events.out.tfevents.";
/// The curves that hyperparameters are compared by.
const METRICS: [&str; 2] = ["episode/mean_score", "evaluation/mean"];
/// Columns of `train.csv` that are the run's position, which is the horizontal axis of every curve.
const PLACE: [&str; 3] = ["updates", "agent_steps", "frames"];

/// Writes the event file of a run: a curve for each number in its tables, its speeds, and its configuration as text and
/// as hyperparameters.
#[derive(Debug)]
pub struct TensorBoard {
    file: BufWriter<AppendedFile>,
    diagnostics: Vec<String>,
}

impl TensorBoard {
    /// Starts the event file of a run that begins at `moment`.
    ///
    /// # Errors
    /// When there is one, or it cannot be made.
    pub fn create(folder: &RunFolder, header: &RunHeader, moment: &Moment) -> Result<Self, RecordError> {
        let name = format!("{FILE_MARK}{:010}.prism", moment.unix_seconds as u64);
        let mut sink = Self::of(AppendedFile::create(folder.path().join(name))?, header);
        sink.write(&messages::Event {
            wall_time: moment.unix_seconds,
            step: 0,
            file_version: Some("brain.Event:2".to_owned()),
            summary: None,
        })?;
        sink.flush()?;
        Ok(sink)
    }

    /// Continues the event file of a run.
    ///
    /// # Errors
    /// When there is none, or it cannot be written.
    pub fn open(folder: &RunFolder, header: &RunHeader) -> Result<Self, RecordError> {
        let path = event_file(folder).map_err(|source| RecordError::open(&folder.path().join(FILE_MARK), source))?;
        Ok(Self::of(AppendedFile::open(path)?, header))
    }

    fn of(file: AppendedFile, header: &RunHeader) -> Self {
        Self { file: BufWriter::new(file), diagnostics: header.diagnostics.clone() }
    }

    /// The configuration, once as the text of its file and once as hyperparameters.
    fn configuration(&mut self, header: &RunHeader, moment: &Moment) -> Result<(), RecordError> {
        let experiment = Experiment {
            hparam_infos: hyperparameters(header).iter().map(|(name, value)| value.info(name)).collect(),
            metric_infos: METRICS.map(|tag| MetricInfo { name: Some(MetricName { tag: tag.to_owned() }) }).to_vec(),
        };
        let session = SessionStart {
            hparams: hyperparameters(header).into_iter().map(|(name, value)| (name, value.value())).collect(),
            start_time_secs: moment.unix_seconds,
        };
        let values = vec![
            SummaryValue::text("config", &markdown(&header.manifest.config_text)),
            SummaryValue::hparams("experiment", HParamsData::Experiment(experiment)),
            SummaryValue::hparams("session_start_info", HParamsData::Start(session)),
        ];
        self.summary(0, values, moment)?;
        self.flush()
    }

    /// How the run ended, by which TensorBoard colours its hyperparameters.
    fn end(&mut self, summary: &crate::events::Summary, moment: &Moment) -> Result<(), RecordError> {
        let status = match summary.ending {
            Ending::Solved | Ending::Limit => Status::Success,
            Ending::Interrupted | Ending::Terminated => Status::Unknown,
            Ending::Failed { .. } => Status::Failure,
        };
        let end = SessionEnd { status: status.into(), end_time_secs: moment.unix_seconds };
        let value = SummaryValue::hparams("session_end_info", HParamsData::End(end));
        self.summary(summary.at.agent_steps.0, vec![value], moment)?;
        self.flush()
    }

    /// Adds one point to each of the named curves.
    fn scalars(&mut self, at: &Position, scalars: &[(&str, f64)], moment: &Moment) -> Result<(), RecordError> {
        let values = scalars.iter().map(|&(tag, value)| SummaryValue::scalar(tag, value)).collect();
        self.summary(at.agent_steps.0, values, moment)
    }

    fn summary(&mut self, step: u64, value: Vec<SummaryValue>, moment: &Moment) -> Result<(), RecordError> {
        let step = i64::try_from(step).expect("a run has fewer than 2^63 steps");
        let summary = Some(Summary { value });
        self.write(&messages::Event { wall_time: moment.unix_seconds, step, file_version: None, summary })
    }

    fn write(&mut self, event: &messages::Event) -> Result<(), RecordError> {
        let written = write_record(&mut self.file, &event.encode_to_vec());
        written.map_err(|source| RecordError::write(self.file.get_ref().path(), source))
    }

    /// Writes everything that is buffered to the file.
    fn flush(&mut self) -> Result<(), RecordError> {
        self.file.flush().map_err(|source| RecordError::write(self.file.get_ref().path(), source))
    }
}

impl Sink for TensorBoard {
    fn take(&mut self, event: &Event, moment: &Moment) -> Result<(), RecordError> {
        let rates = &moment.rates;
        match event {
            Event::Started(header) => self.configuration(header, moment),
            Event::Episode(record) => {
                let scalars = [
                    ("episode/score", record.game.score),
                    ("episode/mean_score", record.mean_score),
                    ("episode/steps", record.game.steps.0 as f64),
                    ("episode/epsilon", record.at.epsilon),
                    ("speed/frames_per_second", rates.frames),
                ];
                self.scalars(&record.at, &scalars, moment)
            }
            Event::Update(record) => {
                let columns = record.columns(&self.diagnostics);
                let columns = columns.into_iter().filter(|(name, _)| !PLACE.contains(name));
                let mut values: Vec<SummaryValue> =
                    columns.map(|(name, value)| SummaryValue::scalar(&format!("train/{name}"), value.into())).collect();
                values.push(SummaryValue::scalar("speed/updates_per_second", rates.updates));
                values.push(SummaryValue::scalar("speed/agent_steps_per_second", rates.agent_steps));
                self.summary(record.at.agent_steps.0, values, moment)
            }
            Event::Evaluation(record) => {
                let statistics = Statistics::of(&record.scores);
                let scalars = [("evaluation/mean", statistics.mean), ("evaluation/median", statistics.median)];
                self.scalars(&record.at, &scalars, moment)
            }
            Event::Timing(_) => self.flush(),
            Event::Ended(summary) => self.end(summary, moment),
            Event::Note(_) | Event::Distributions(_) | Event::Progress(_) | Event::Estimate(_) => Ok(()),
        }
    }

    fn position(&mut self) -> Result<FilePositions, RecordError> {
        self.flush()?;
        let mut position = FilePositions::default();
        self.file.get_ref().add_to(&mut position)?;
        Ok(position)
    }

    fn rewind(&mut self, position: &FilePositions) -> Result<(), RecordError> {
        self.flush()?;
        self.file.get_ref().rewind(position)
    }
}

/// The newest event file in `folder`.
fn event_file(folder: &RunFolder) -> io::Result<PathBuf> {
    let mut newest = None;
    for entry in fs::read_dir(folder.path())? {
        let name = entry?.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(FILE_MARK)) {
            // Names contain the time at which the file was started.
            newest = newest.max(Some(name));
        }
    }
    newest.map(|name| folder.path().join(name)).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Every setting by its dotted key, with seed and device.
fn hyperparameters(header: &RunHeader) -> BTreeMap<String, HParam> {
    let mut all: BTreeMap<String, HParam> =
        leaves(&header.manifest.config).into_iter().map(|(key, value)| (key, HParam::from(&value))).collect();
    all.insert("seed".to_owned(), HParam::Number(header.manifest.seed.0 as f64));
    all.insert("device".to_owned(), HParam::Text(header.manifest.device.clone()));
    all
}

/// TensorBoard shows text as Markdown, in which a line indented by four spaces is shown as it is.
fn markdown(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// One `TFRecord`: length, checksum of the length, data, checksum of the data, all little-endian.
fn write_record(output: &mut impl Write, data: &[u8]) -> io::Result<()> {
    let length = (data.len() as u64).to_le_bytes();
    output.write_all(&length)?;
    output.write_all(&masked_checksum(&length).to_le_bytes())?;
    output.write_all(data)?;
    output.write_all(&masked_checksum(data).to_le_bytes())
}

/// CRC-32C, rotated and offset so that the checksum of data that contains checksums stays good.
fn masked_checksum(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::moment;
    use crate::events::tests::{events, header};

    /// Splits a file into events, checking every checksum.
    fn events_of(mut bytes: &[u8]) -> Vec<messages::Event> {
        let mut events = Vec::new();
        while !bytes.is_empty() {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            assert_eq!(bytes[8..12], masked_checksum(&bytes[..8]).to_le_bytes());
            let data = &bytes[12..12 + length];
            assert_eq!(bytes[12 + length..16 + length], masked_checksum(data).to_le_bytes());
            events.push(messages::Event::decode(data).unwrap());
            bytes = &bytes[16 + length..];
        }
        events
    }

    /// What an event file holds after these events.
    fn written(events: &[Event]) -> Vec<u8> {
        let parent = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(&parent.path().join("run"), &header().manifest).unwrap();
        let mut sink = TensorBoard::create(&folder, &header(), &moment(0)).unwrap();
        for event in events {
            sink.take(event, &moment(1)).unwrap();
        }
        sink.flush().unwrap();
        fs::read(event_file(&folder).unwrap()).unwrap()
    }

    #[test]
    fn a_file_begins_with_the_record_that_readers_look_for() {
        // Length 24 and its masked checksum as TensorBoard 2.21's masked_crc32c in Python computes it; then the fields
        // of a version event: wall time (tag 1, double) and version (tag 3, string).
        let bytes = written(&[]);
        assert_eq!(&bytes[..12], b"\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22");
        assert_eq!(bytes[12], 0x09);
        assert_eq!(&bytes[21..36], b"\x1a\x0dbrain.Event:2");
    }

    #[test]
    fn scalars_come_back_with_step_tag_and_value() {
        let events = events_of(&written(&events(18)[1..3]));
        let points = |event: &messages::Event| -> Vec<(String, f32)> {
            let values = event.summary.clone().unwrap().value;
            values.into_iter().map(|value| (value.tag, value.simple_value.unwrap())).collect()
        };
        assert_eq!((events.len(), events[1].step, events[2].step), (3, 18, 18));
        let (episode, update) = (points(&events[1]), points(&events[2]));
        assert_eq!(episode[0], ("episode/score".to_owned(), -1.0));
        assert_eq!(episode[4], ("speed/frames_per_second".to_owned(), 200.0));
        let tags: Vec<&str> = update.iter().map(|(tag, _)| tag.as_str()).collect();
        assert_eq!(
            tags,
            [
                "train/loss",
                "train/mean_q",
                "train/gradient_norm",
                "train/epsilon",
                "train/replay",
                "train/best_q_value",
                "speed/updates_per_second",
                "speed/agent_steps_per_second"
            ]
        );
        assert_eq!((update[0].1, update[4].1, update[5].1, update[6].1), (0.5, 8.0, 0.75, 25.0));
    }

    #[test]
    fn the_configuration_is_text_and_hyperparameters_with_seed_and_device() {
        let bytes = written(&[Event::Started(header())]);
        let events = events_of(&bytes);
        let tags: Vec<String> = events[1].summary.clone().unwrap().value.into_iter().map(|value| value.tag).collect();
        assert_eq!(tags, ["config", "_hparams_/experiment", "_hparams_/session_start_info"]);
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("    [training]\n    score_window = 100\n"), "{text}");
        let all = hyperparameters(&header());
        assert_eq!(all["replay.capacity"], HParam::Number(20_000.0));
        assert_eq!(all["environment.kind"], HParam::Text("catch".to_owned()));
        assert_eq!((&all["seed"], &all["device"]), (&HParam::Number(7.0), &HParam::Text("flex".to_owned())));
    }

    #[test]
    fn the_text_of_the_configuration_is_not_formatted() {
        assert_eq!(markdown("[replay]\ncapacity = 1\n"), "    [replay]\n    capacity = 1\n");
    }
}
