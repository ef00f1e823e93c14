//! The tables of a run, in CSV.
//!
//! `episodes.csv`, `train.csv`, `evaluations.csv` and `distributions.csv` hold nothing that depends on the clock: equal
//! seeds on one machine give equal files. Speeds are in `timing.csv`.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use prism_environment::{AgentSteps, Frames};
use serde::Serialize;

use crate::clock::Moment;
use crate::events::{EvaluationRecord, Event, RunHeader, UpdateRecord, Value};
use crate::file::AppendedFile;
use crate::folder::RunFolder;
use crate::names::{DISTRIBUTIONS, EPISODES, EVALUATIONS, TIMING, TRAIN};
use crate::position::Position;
use crate::rows::{DistributionRow, EpisodeRow, EvaluationRow, TimingRow};
use crate::sink::{FilePositions, RecordError, Sink};

/// Writes the tables of a run.
#[derive(Debug)]
pub struct Tables {
    episodes: CsvFile,
    train: CsvFile,
    evaluations: CsvFile,
    timing: CsvFile,
    /// Created with its first row: most networks have no distributions.
    distributions: Option<CsvFile>,
    distributions_path: PathBuf,
    protocol: String,
    diagnostics: Vec<String>,
}

impl Tables {
    /// Starts the tables of a run.
    ///
    /// # Errors
    /// When there is one, or it cannot be made.
    pub fn create(folder: &RunFolder, header: &RunHeader) -> Result<Self, RecordError> {
        let path = |name: &str| folder.path().join(name);
        Ok(Self {
            episodes: CsvFile::create(path(EPISODES), &names::<EpisodeRow>())?,
            train: CsvFile::create(path(TRAIN), &train_names(&header.diagnostics))?,
            evaluations: CsvFile::create(path(EVALUATIONS), &names::<EvaluationRow>())?,
            timing: CsvFile::create(path(TIMING), &names::<TimingRow>())?,
            distributions: None,
            distributions_path: path(DISTRIBUTIONS),
            protocol: header.manifest.protocol.clone(),
            diagnostics: header.diagnostics.clone(),
        })
    }

    /// Continues the tables of a run.
    ///
    /// # Errors
    /// When one is missing, cannot be written or has other columns.
    pub fn open(folder: &RunFolder, header: &RunHeader) -> Result<Self, RecordError> {
        let path = |name: &str| folder.path().join(name);
        let distributions_path = path(DISTRIBUTIONS);
        let has_distributions = distributions_path.exists();
        let distributions =
            has_distributions.then(|| CsvFile::open(distributions_path.clone(), &names::<DistributionRow>()));
        Ok(Self {
            episodes: CsvFile::open(path(EPISODES), &names::<EpisodeRow>())?,
            train: CsvFile::open(path(TRAIN), &train_names(&header.diagnostics))?,
            evaluations: CsvFile::open(path(EVALUATIONS), &names::<EvaluationRow>())?,
            timing: CsvFile::open(path(TIMING), &names::<TimingRow>())?,
            distributions: distributions.transpose()?,
            distributions_path,
            protocol: header.manifest.protocol.clone(),
            diagnostics: header.diagnostics.clone(),
        })
    }

    fn files(&self) -> impl Iterator<Item = &CsvFile> {
        [&self.episodes, &self.train, &self.evaluations, &self.timing].into_iter().chain(&self.distributions)
    }

    fn distributions(&mut self, rows: &[DistributionRow]) -> Result<(), RecordError> {
        let file = match &mut self.distributions {
            Some(file) => file,
            none => none.insert(CsvFile::create(self.distributions_path.clone(), &names::<DistributionRow>())?),
        };
        file.rows(rows)
    }
}

impl Sink for Tables {
    fn take(&mut self, event: &Event, moment: &Moment) -> Result<(), RecordError> {
        match event {
            Event::Episode(record) => self.episodes.rows(&[EpisodeRow::from(record)]),
            Event::Update(record) => {
                let values = record.columns(&self.diagnostics).into_iter().map(|(_, value)| value);
                self.train.rows(&[values.collect::<Vec<Value>>()])
            }
            Event::Evaluation(record) => self.evaluations.evaluation(&self.protocol, record).map(|_| ()),
            Event::Distributions(record) => self.distributions(&DistributionRow::of(record)),
            Event::Timing(at) => self.timing.rows(&[TimingRow::of(moment.elapsed.as_secs_f64(), at, &moment.rates)]),
            Event::Ended(summary) => {
                self.timing.rows(&[TimingRow::of(summary.elapsed.as_secs_f64(), &summary.at, &summary.rates)])
            }
            Event::Started(_) | Event::Note(_) | Event::Progress(_) | Event::Estimate(_) => Ok(()),
        }
    }

    fn position(&mut self) -> Result<FilePositions, RecordError> {
        let mut position = FilePositions::default();
        self.files().try_for_each(|file| file.file.add_to(&mut position))?;
        Ok(position)
    }

    fn rewind(&mut self, position: &FilePositions) -> Result<(), RecordError> {
        if self.distributions.is_some() && position.bytes(DISTRIBUTIONS).is_none() {
            self.distributions = None;
            let removed = fs::remove_file(&self.distributions_path);
            removed.map_err(|source| RecordError::write(&self.distributions_path, source))?;
        }
        self.files().try_for_each(|file| file.file.rewind(position))
    }
}

/// Adds an evaluation to the `evaluations.csv` of a run, also of one that is still running, and returns its number there.
///
/// # Errors
/// When the file cannot be read or written, or is not a table of evaluations.
///
/// # Panics
/// When no game was played.
pub fn append_evaluation(folder: &RunFolder, protocol: &str, record: &EvaluationRecord) -> Result<u64, RecordError> {
    let path = folder.path().join(EVALUATIONS);
    let names = names::<EvaluationRow>();
    let mut file = if path.exists() { CsvFile::open(path, &names)? } else { CsvFile::create(path, &names)? };
    file.evaluation(protocol, record)
}

/// The evaluations that were added to the `evaluations.csv` of a run after it had the length in `position`, of weights from before
/// `own_from`: those that `prism eval` made, which the run does not make again when it goes on from there.
pub(crate) fn later_evaluations(
    folder: &RunFolder,
    position: &FilePositions,
    own_from: AgentSteps,
) -> Result<Vec<EvaluationRow>, RecordError> {
    let path = folder.path().join(EVALUATIONS);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(|source| RecordError::write(&path, source))?,
    };
    let later = text.get(position.bytes(EVALUATIONS).unwrap_or(0) as usize..).unwrap_or_default();
    let rows = csv::ReaderBuilder::new().has_headers(false).from_reader(later).into_deserialize::<EvaluationRow>();
    // A row that was cut short goes with what is removed.
    Ok(rows.flatten().filter(|row| row.agent_steps < own_from.0).collect())
}

/// Adds evaluations to the `evaluations.csv` of a run, under the numbers that follow there.
pub(crate) fn append_evaluations(folder: &RunFolder, rows: Vec<EvaluationRow>) -> Result<(), RecordError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut file = CsvFile::open(folder.path().join(EVALUATIONS), &names::<EvaluationRow>())?;
    let first = last_evaluation(file.file.path())? + 1;
    let rows: Vec<EvaluationRow> =
        (first..).zip(rows).map(|(evaluation, row)| EvaluationRow { evaluation, ..row }).collect();
    file.rows(&rows)
}

/// A CSV file, complete after every row.
#[derive(Debug)]
struct CsvFile {
    file: AppendedFile,
}

impl CsvFile {
    /// Starts a file with the names of its columns.
    fn create(path: PathBuf, names: &[String]) -> Result<Self, RecordError> {
        let mut file = Self { file: AppendedFile::create(path)? };
        file.rows(&[names])?;
        Ok(file)
    }

    /// Continues a file that has these columns.
    fn open(path: PathBuf, names: &[String]) -> Result<Self, RecordError> {
        let expected = csv_lines(&[names]);
        let mut line = Vec::new();
        let read = fs::File::open(&path).and_then(|file| BufReader::new(file).read_until(b'\n', &mut line));
        read.map_err(|source| RecordError::open(&path, source))?;
        if line != expected {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            return Err(RecordError::Foreign { path, line });
        }
        Ok(Self { file: AppendedFile::open(path)? })
    }

    /// Adds rows in one write.
    fn rows(&mut self, rows: &[impl Serialize]) -> Result<(), RecordError> {
        let lines = csv_lines(rows);
        self.file.write_all(&lines).map_err(|source| RecordError::write(self.file.path(), source))
    }

    /// Adds an evaluation under the next number in the file, where other processes may have added some, and returns that
    /// number.
    fn evaluation(&mut self, protocol: &str, record: &EvaluationRecord) -> Result<u64, RecordError> {
        let number = last_evaluation(self.file.path())? + 1;
        self.rows(&[EvaluationRow::of(number, protocol, record)])?;
        Ok(number)
    }
}

/// Number of the last evaluation in the file at `path`, 0 where there is none.
fn last_evaluation(path: &Path) -> Result<u64, RecordError> {
    let failed = |error: csv::Error| RecordError::write(path, io::Error::from(error));
    let mut last = 0;
    for row in csv::Reader::from_path(path).map_err(failed)?.records() {
        let row = row.map_err(failed)?;
        let number = row.get(0).unwrap_or_default();
        last = number.parse().map_err(|_| RecordError::Foreign {
            path: path.to_owned(),
            line: row.iter().collect::<Vec<_>>().join(","),
        })?;
    }
    Ok(last)
}

/// `rows` as lines of CSV.
fn csv_lines(rows: &[impl Serialize]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).expect("a row is plain data");
    }
    writer.into_inner().expect("a row is written to memory")
}

/// Names of the columns of `Row`.
fn names<Row: Default + Serialize>() -> Vec<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.serialize(Row::default()).expect("a row is plain data");
    let lines = writer.into_inner().expect("a row is written to memory");
    let first = lines.split(|&byte| byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(first).split(',').map(str::to_owned).collect()
}

/// Names of the columns of `train.csv`.
fn train_names(diagnostics: &[String]) -> Vec<String> {
    let at = Position { agent_steps: AgentSteps(0), frames: Frames(0), updates: 0, epsilon: 0.0 };
    let diagnosed = vec![0.0; diagnostics.len()];
    let blank = UpdateRecord { loss: 0.0, mean_q: 0.0, gradient_norm: 0.0, replay: 0, diagnostics: diagnosed, at };
    blank.columns(diagnostics).into_iter().map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::moment;
    use crate::events::tests::{events, header, position};

    fn new_folder(parent: &Path) -> RunFolder {
        RunFolder::create(&parent.join("run"), &header().manifest).unwrap()
    }

    fn read(folder: &RunFolder, name: &str) -> String {
        fs::read_to_string(folder.path().join(name)).unwrap()
    }

    #[test]
    fn rows_hold_what_was_recorded_and_nothing_of_the_clock() {
        let parent = tempfile::tempdir().unwrap();
        let folder = new_folder(parent.path());
        let mut tables = Tables::create(&folder, &header()).unwrap();
        assert!(!folder.path().join(DISTRIBUTIONS).exists());
        events(9).iter().for_each(|event| tables.take(event, &moment(1)).unwrap());
        assert_eq!(
            read(&folder, EPISODES),
            "episode,environment,agent_steps,frames,score,mean_score,episode_steps,episode_frames,epsilon\n\
             1,0,9,36,-1.0,-0.5,9,36,0.30000000000000004\n"
        );
        assert_eq!(
            read(&folder, TRAIN),
            "updates,agent_steps,frames,loss,mean_q,gradient_norm,epsilon,replay,best_q_value\n\
             4,9,36,0.5,0.125,2.0,0.30000000000000004,8,0.75\n"
        );
        assert_eq!(
            read(&folder, EVALUATIONS),
            "evaluation,agent_steps,frames,updates,protocol,epsilon,episodes,mean,median,standard_deviation,minimum,\
             maximum,scores\n1,9,36,4,catch 10x5,0.0,2,0.0,0.0,1.4142135623730951,-1.0,1.0,1 -1\n"
        );
        // q: -2 * 0.25 + 4 * 0.75 = 2.5.
        assert_eq!(
            read(&folder, DISTRIBUTIONS),
            "update,observation,action,atom,probability,q\n\
             4,3,0,-2.0,0.25,2.5\n4,3,0,4.0,0.75,2.5\n4,3,1,-2.0,1.0,-2.0\n4,3,1,4.0,0.0,-2.0\n"
        );
        assert_eq!(
            read(&folder, TIMING),
            "elapsed_seconds,agent_steps,frames,updates,agent_steps_per_second,frames_per_second,updates_per_second\n\
             1.0,9,36,4,50.0,200.0,25.0\n"
        );
    }

    #[test]
    fn numbers_that_are_not_finite_are_written_as_well() {
        let parent = tempfile::tempdir().unwrap();
        let folder = new_folder(parent.path());
        let mut tables = Tables::create(&folder, &header()).unwrap();
        let diagnostics = vec![f64::NAN];
        let record = UpdateRecord {
            loss: 1e300,
            mean_q: f64::NEG_INFINITY,
            gradient_norm: f64::INFINITY,
            replay: 0,
            diagnostics,
            at: position(2),
        };
        tables.take(&Event::Update(record), &moment(1)).unwrap();
        assert_eq!(read(&folder, TRAIN).lines().last(), Some("1,2,8,1e300,-inf,inf,0.30000000000000004,0,NaN"));
    }

    #[test]
    fn records_of_another_run_are_not_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let folder = new_folder(parent.path());
        Tables::create(&folder, &header()).unwrap().take(&events(9)[1], &moment(1)).unwrap();
        let error = Tables::create(&folder, &header()).unwrap_err();
        assert!(matches!(error, RecordError::Write { path, .. } if path.ends_with(EPISODES)));
        assert_eq!(read(&folder, EPISODES).lines().count(), 2);
    }

    #[test]
    fn a_table_with_other_columns_is_not_continued() {
        let parent = tempfile::tempdir().unwrap();
        let folder = new_folder(parent.path());
        drop(Tables::create(&folder, &header()).unwrap());
        let other = RunHeader { diagnostics: Vec::new(), ..header() };
        let error = Tables::open(&folder, &other).unwrap_err();
        assert!(matches!(&error, RecordError::Foreign { path, .. } if path.ends_with(TRAIN)), "{error}");
    }

    #[test]
    fn evaluations_are_numbered_on_whoever_adds_them() {
        let parent = tempfile::tempdir().unwrap();
        let folder = new_folder(parent.path());
        let record = EvaluationRecord { scores: vec![3.0], epsilon: 0.05, at: position(9) };
        // A run of an age that wrote none, or whose file was deleted.
        assert_eq!(append_evaluation(&folder, "catch", &record).unwrap(), 1);
        fs::remove_file(folder.path().join(EVALUATIONS)).unwrap();
        let mut tables = Tables::create(&folder, &header()).unwrap();
        tables.take(&events(9)[3], &moment(1)).unwrap();
        assert_eq!(append_evaluation(&folder, "machado with frame_skip = 3, x", &record).unwrap(), 2);
        tables.take(&events(9)[3], &moment(1)).unwrap();
        let text = read(&folder, EVALUATIONS);
        let rows: Vec<EvaluationRow> =
            csv::Reader::from_reader(text.as_bytes()).deserialize().collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.iter().map(|row| row.evaluation).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(rows[1], EvaluationRow::of(2, "machado with frame_skip = 3, x", &record));
    }

    #[test]
    fn an_evaluation_is_not_added_to_what_is_no_table_of_evaluations() {
        let parent = tempfile::tempdir().unwrap();
        let folder = new_folder(parent.path());
        let record = EvaluationRecord { scores: vec![3.0], epsilon: 0.05, at: position(9) };
        fs::write(folder.path().join(EVALUATIONS), "a,b\n").unwrap();
        let error = append_evaluation(&folder, "catch", &record).unwrap_err();
        assert!(matches!(&error, RecordError::Foreign { line, .. } if line == "a,b"), "{error}");
    }
}
