//! Helpers for several test modules.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::{Command, Output};
#[cfg(unix)]
use std::thread;
#[cfg(unix)]
use std::time::{Duration, Instant};

use prism::{Config, Environments, Override, Place, Run, Source, Summary};
use prism_environment::Seed;
use serde::Deserialize;

/// A preset with settings in the form of `--set`.
pub fn preset(name: &str, settings: &[&str]) -> Config {
    let overrides: Vec<Override> = settings.iter().map(|text| Override::parse(text).expect("key=value")).collect();
    let source = Source::find(name).expect("the preset exists");
    Config::read(&source, &overrides).expect("the settings fit")
}

/// Trains on the CPU into a new folder until the run ends by itself.
pub fn train_into(folder: &Path, config: &Config, seed: u64) -> Summary {
    let environments = Environments::of(config.environment(), None).expect("the environments can be made");
    let run = Run::new(
        &config.with_run(Seed(seed), "flex").expect("a device is named"),
        environments,
        Place::At(folder.to_owned()),
    );
    run.and_then(Run::go).expect("the run ends by itself")
}

/// The members of the family, from a file that benches/family.sh also reads.
#[derive(Deserialize)]
pub struct Family {
    pub members: BTreeMap<String, Vec<String>>,
    groups: BTreeMap<String, Vec<String>>,
    environments: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Family {
    pub fn read() -> Self {
        toml::from_str(include_str!("../assets/family.toml")).expect("the family is described")
    }

    /// The settings of some groups on Catch.
    pub fn settings(&self, groups: &[String]) -> Vec<&str> {
        let catch = &self.environments["catch"];
        let of = |group: &String| catch.get(group).or(self.groups.get(group)).expect("a group of that name");
        groups.iter().flat_map(of).map(String::as_str).collect()
    }
}

/// The numbers of a weights file, without the texts before them.
pub fn tensors(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).expect("the file is there");
    let (length, rest) = bytes.split_first_chunk().expect("a header");
    rest[u64::from_le_bytes(*length) as usize..].to_vec()
}

/// `prism` with these arguments, in a folder of its own.
pub fn prism(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prism"));
    // Tests open no windows.
    command.args(arguments).current_dir(folder).env_remove("DISPLAY").output().expect("prism starts")
}

/// Runs `prism`, which must refuse: one message, no panic text, nothing left behind. Returns the message.
pub fn refusal(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let message = refusal_in(folder.path(), arguments);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{arguments:?} left {left:?}");
    message
}

/// Like [`refusal`], in a folder that may hold files already.
pub fn refusal_in(folder: &Path, arguments: &[&str]) -> String {
    let output = prism(folder, arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    let code = output.status.code().expect("it exits by itself");
    assert!((1..=2).contains(&code), "{arguments:?} exits with {code}: {message}");
    assert!(message.starts_with("error: "), "{arguments:?}: {message}");
    for panic_text in ["panicked", "RUST_BACKTRACE", "bug in prism"] {
        assert!(!message.contains(panic_text), "{arguments:?}: {message}");
    }
    message
}

/// Like [`refusal`], for a fault of the command line or of a setting, which has its own exit code.
pub fn wrong_usage(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(prism(folder.path(), arguments).status.code(), Some(2), "{arguments:?}");
    refusal(arguments)
}

/// A run of Catch that ends after a few agent steps, as arguments of `prism train`.
pub const TINY_RUN: [&str; 4] = ["train", "catch", "--frames", "700"];

pub fn tiny_run(folder: &Path, name: &str, settings: &[&str]) {
    let mut arguments = TINY_RUN.to_vec();
    arguments.extend(["--out", name]);
    arguments.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    let output = prism(folder, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Checks that a message contains each of these parts.
#[track_caller]
pub fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

/// Waits until `done`, for half a minute at most: a run starts within a second, but other tests share its cores.
#[cfg(unix)]
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited 30 seconds until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A row of a CSV file, by the names of its columns.
pub struct Row(HashMap<String, String>);

impl Row {
    /// The number in a column.
    pub fn number(&self, column: &str) -> f64 {
        let value = self.0.get(column).unwrap_or_else(|| panic!("there is no column {column}"));
        value.parse().unwrap_or_else(|_| panic!("{column} is `{value}`, not a number"))
    }
}

/// Rows of a CSV file. Every row is whole: it has all columns, and its line an end.
pub fn rows(path: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(path).expect("the file is there");
    assert!(text.ends_with('\n'), "{} ends within a row", path.display());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.deserialize().map(|row| Row(row.unwrap_or_else(|error| panic!("{}: {error}", path.display()))));
    rows.collect()
}

/// The files of a run that must not depend on the clock, where it has them.
const RECORDS: [&str; 7] = [
    "config.toml",
    "episodes.csv",
    "train.csv",
    "evaluations.csv",
    "distributions.csv",
    "weights/latest.safetensors",
    "weights/best.safetensors",
];

/// Checks that two runs have the same records: files byte for byte, the curves of TensorBoard but for their times.
#[track_caller]
pub fn assert_same_records(expected: &Path, actual: &Path) {
    for name in RECORDS {
        let [expected, actual] = [expected, actual].map(|folder| std::fs::read(folder.join(name)).ok());
        assert!(expected == actual, "{name} differs");
    }
    let curves = |folder: &Path| -> Vec<(u64, String, u32)> {
        let points = event_points(folder).into_iter().filter(|point| !point.tag.starts_with("speed/"));
        points.map(|point| (point.step, point.tag, point.value.to_bits())).collect()
    };
    assert!(curves(expected) == curves(actual), "the curves of TensorBoard differ");
}

/// One point of a curve in a TensorBoard event file.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Seconds since 1970.
    pub wall_time: f64,
    pub step: u64,
    pub tag: String,
    pub value: f32,
}

/// Points of the one event file in a run's folder, in the order of the file.
///
/// Written from the specifications of the formats (TensorFlow's `TFRecord`, protocol buffers, Castagnoli's CRC) without the
/// project's own code, so that a mistake there is not repeated here.
pub fn event_points(folder: &Path) -> Vec<Point> {
    let names = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let events: Vec<_> = names.filter(|path| path.to_string_lossy().contains(".tfevents.")).collect();
    let [path] = events.as_slice() else { panic!("not one event file but {events:?}") };
    let bytes = std::fs::read(path).expect("the file can be read");
    let mut events = records(&bytes).into_iter().map(fields);
    let version = events.next().expect("a first event");
    assert!(version.iter().any(|(number, field)| (*number, field) == (3, &Field::Bytes(b"brain.Event:2"))));
    events.flat_map(|event| points(&event)).collect()
}

/// Splits a file into the data of its records: length and data, each followed by its checksum.
fn records(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let length = checked(take(&mut bytes, 8), take(&mut bytes, 4));
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
        records.push(checked(take(&mut bytes, length as usize), take(&mut bytes, 4)));
    }
    records
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    bytes.split_off(..count).expect("the file ends within a record")
}

/// The data, if the checksum is its own: the CRC turned right by 15 bits, plus a constant.
fn checked<'a>(data: &'a [u8], checksum: &[u8]) -> &'a [u8] {
    let crc = crc_32c(data);
    let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
    assert_eq!(masked.to_le_bytes(), checksum, "a checksum of the event file is wrong");
    data
}

/// Castagnoli's CRC, a bit at a time.
pub fn crc_32c(data: &[u8]) -> u32 {
    let shift = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !data.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| shift(crc)))
}

/// The value of a field of a protocol buffer, by its wire type.
#[derive(Debug, PartialEq)]
enum Field<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

/// Numbers and values of a message's fields.
fn fields(mut message: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let field = match key & 7 {
            0 => Field::Varint(varint(&mut message)),
            1 => Field::Fixed64(take(&mut message, 8).try_into().expect("eight bytes")),
            2 => {
                let length = varint(&mut message) as usize;
                Field::Bytes(take(&mut message, length))
            }
            5 => Field::Fixed32(take(&mut message, 4).try_into().expect("four bytes")),
            other => panic!("wire type {other} is not in use"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

/// Seven bits a byte, the lowest first; the highest bit of a byte says that another follows.
fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
    }
    panic!("a number in the event file does not end")
}

/// The scalars of an `Event`: wall time in field 1, step in 2, summary in 5, whose field 1 repeats; of each of these the
/// tag in field 1 and the value in 2.
fn points(event: &[(u64, Field<'_>)]) -> Vec<Point> {
    let (mut wall_time, mut step, mut points) = (0.0, 0, Vec::new());
    for (number, field) in event {
        match (number, field) {
            (1, Field::Fixed64(bytes)) => wall_time = f64::from_le_bytes(*bytes),
            (2, Field::Varint(value)) => step = *value,
            (5, Field::Bytes(summary)) => {
                for (number, scalar) in fields(summary) {
                    let (1, Field::Bytes(scalar)) = (number, &scalar) else { panic!("summary field {number}") };
                    let [(1, Field::Bytes(tag)), (2, Field::Fixed32(value))] = fields(scalar)[..] else {
                        // The configuration, which is a tag, a tensor and what it is for.
                        let numbers: Vec<u64> = fields(scalar).iter().map(|(number, _)| *number).collect();
                        assert_eq!(numbers, [1, 8, 9], "neither a scalar nor a tensor: {:?}", fields(scalar));
                        continue;
                    };
                    let tag = String::from_utf8(tag.to_vec()).expect("tags are text");
                    points.push(Point { wall_time, step, tag, value: f32::from_le_bytes(value) });
                }
            }
            other => panic!("unexpected event field {other:?}"),
        }
    }
    // Scalars may come before the fields of their event.
    points.into_iter().map(|point| Point { wall_time, step, ..point }).collect()
}
