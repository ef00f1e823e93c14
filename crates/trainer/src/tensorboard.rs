//! Event files as TensorBoard reads them: records framed with masked checksums, each a protocol buffer.
//!
//! The format is TensorFlow's `TFRecord` and the messages `Event` and `Summary`, of which scalars need the few fields
//! below. The crates that write such files were last released years ago, so these hundred lines take their place.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;

/// `tensorflow.Event`; field numbers are the format.
#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

/// `tensorflow.Summary`.
#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<SummaryValue>,
}

/// `tensorflow.Summary.Value` that holds one scalar.
#[derive(Clone, PartialEq, Message)]
struct SummaryValue {
    #[prost(string, tag = "1")]
    tag: String,
    /// A `oneof` in the original: optional here so that a zero is written as well.
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

/// Writes one event file.
#[derive(Debug)]
pub struct EventWriter {
    file: BufWriter<File>,
}

impl EventWriter {
    /// Starts an event file in `folder`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(folder: &Path) -> io::Result<Self> {
        let seconds = now();
        // TensorBoard recognises event files by this name.
        let path = folder.join(format!("events.out.tfevents.{:010}.prism", seconds as u64));
        let mut writer = Self { file: BufWriter::new(File::create_new(path)?) };
        writer.event(Event {
            wall_time: seconds,
            step: 0,
            file_version: Some("brain.Event:2".to_owned()),
            summary: None,
        })?;
        writer.flush()?;
        Ok(writer)
    }

    /// Adds one point at `step` to each of the named curves.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn scalars(&mut self, step: u64, scalars: &[(&str, f64)]) -> io::Result<()> {
        let value = scalars
            .iter()
            .map(|&(tag, value)| SummaryValue { tag: tag.to_owned(), simple_value: Some(value as f32) })
            .collect();
        let step = i64::try_from(step).expect("a run has fewer than 2^63 steps");
        self.event(Event { wall_time: now(), step, file_version: None, summary: Some(Summary { value }) })
    }

    /// Hands everything to the operating system.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn event(&mut self, event: Event) -> io::Result<()> {
        write_record(&mut self.file, &event.encode_to_vec())
    }
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

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits a file into records, checking every checksum.
    fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut records = Vec::new();
        while !bytes.is_empty() {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            assert_eq!(bytes[8..12], masked_checksum(&bytes[..8]).to_le_bytes());
            let data = &bytes[12..12 + length];
            assert_eq!(bytes[12 + length..16 + length], masked_checksum(data).to_le_bytes());
            records.push(data.to_vec());
            bytes = &bytes[16 + length..];
        }
        records
    }

    #[test]
    fn a_file_begins_with_the_record_that_readers_look_for() {
        // Length 24 and its masked checksum as TensorBoard 2.21's masked_crc32c in Python computes it; then the fields
        // of a version event: wall time (tag 1, double) and version (tag 3, string).
        let folder = tempfile::tempdir().unwrap();
        drop(EventWriter::create(folder.path()).unwrap());
        let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(&bytes[..12], b"\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22");
        assert_eq!(bytes[12], 0x09);
        assert_eq!(&bytes[21..36], b"\x1a\x0dbrain.Event:2");
    }

    #[test]
    fn scalars_come_back_with_step_tag_and_value() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path()).unwrap();
        writer.scalars(4000, &[("train/loss", 0.0), ("train/epsilon", 0.25)]).unwrap();
        drop(writer);
        let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let records = records(&std::fs::read(path).unwrap());
        assert_eq!(records.len(), 2);
        let event = Event::decode(records[1].as_slice()).unwrap();
        let values: Vec<_> = event.summary.unwrap().value;
        assert_eq!(event.step, 4000);
        assert_eq!(values.len(), 2);
        assert_eq!((values[0].tag.as_str(), values[0].simple_value), ("train/loss", Some(0.0)));
        assert_eq!((values[1].tag.as_str(), values[1].simple_value), ("train/epsilon", Some(0.25)));
    }
}
