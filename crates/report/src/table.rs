//! CSV files of runs, those that are still being written included.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::error::ReportError;

/// Columns of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    path: PathBuf,
    names: Vec<String>,
    /// `[column][row]`; NaN where a cell is empty.
    columns: Vec<Vec<f64>>,
}

impl Table {
    /// Reads the complete lines of the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read or holds anything but numbers below its names.
    pub(crate) fn read(path: &Path) -> Result<Self, ReportError> {
        let text = complete_lines(path)?;
        let malformed = |reason: String| ReportError::Malformed { path: path.to_owned(), reason };
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names: Vec<String> =
            reader.headers().map_err(|error| malformed(error.to_string()))?.iter().map(str::to_owned).collect();
        let mut columns = vec![Vec::new(); names.len()];
        for row in reader.records() {
            let row = row.map_err(|error| malformed(error.to_string()))?;
            for ((cell, name), column) in row.iter().zip(&names).zip(&mut columns) {
                column.push(match cell.parse() {
                    Ok(value) => value,
                    Err(_) if cell.is_empty() => f64::NAN,
                    Err(_) => {
                        let line = row.position().map_or(0, csv::Position::line);
                        return Err(malformed(format!("line {line} has `{cell}` as {name} instead of a number")));
                    }
                });
            }
        }
        Ok(Self { path: path.to_owned(), names, columns })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Names and values of all columns, in the order of the file.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&str, &[f64])> {
        self.names.iter().map(String::as_str).zip(self.columns.iter().map(Vec::as_slice))
    }

    /// The values of the column `name`.
    ///
    /// # Errors
    /// When there is no such column.
    pub(crate) fn column(&self, name: &str) -> Result<&[f64], ReportError> {
        self.columns().find(|(found, _)| *found == name).map(|(_, values)| values).ok_or_else(|| {
            ReportError::Malformed { path: self.path.clone(), reason: format!("it has no column `{name}`") }
        })
    }
}

/// The text of the file at `path`, or of the compressed file beside it whose name ends in `.gz`, up to its last line break:
/// a run may be in the middle of the line behind it.
pub(crate) fn complete_lines(path: &Path) -> Result<String, ReportError> {
    let mut text = read(path).map_err(|source| ReportError::Read { path: path.to_owned(), source })?;
    text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
    Ok(text)
}

fn read(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            let mut compressed = path.as_os_str().to_owned();
            compressed.push(".gz");
            let mut text = String::new();
            // What is missing is the file that was asked for.
            let file = fs::File::open(compressed).map_err(|_| missing)?;
            GzDecoder::new(file).read_to_string(&mut text)?;
            Ok(text)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read_text(text: &str) -> Result<Table, ReportError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.csv");
        std::fs::write(&path, text).unwrap();
        Table::read(&path)
    }

    #[test]
    fn the_line_that_is_being_written_is_left_out() {
        let table = read_text("updates,loss\n1,0.5\n2,0.25\n3,0.1").unwrap();
        assert_eq!(table.column("loss").unwrap(), [0.5, 0.25]);
        assert!(read_text("updates,lo").unwrap().column("updates").is_err());
    }

    #[test]
    fn empty_cells_are_no_numbers_and_words_are_refused_with_their_line() {
        let table = read_text("updates,loss\n1,\n2,inf\n").unwrap();
        assert!(table.column("loss").unwrap()[0].is_nan());
        assert_eq!(table.column("loss").unwrap()[1], f64::INFINITY);
        let message = read_text("updates,loss\n1,0\n2,much\n").unwrap_err().to_string();
        assert!(message.contains("line 3 has `much` as loss"), "{message}");
        let message = read_text("updates,loss\n1,0,7\n").unwrap_err().to_string();
        assert!(message.contains("line: 2") || message.contains("line 2"), "{message}");
    }

    #[test]
    fn a_compressed_file_stands_in_for_one_that_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.csv");
        let file = fs::File::create(folder.path().join("train.csv.gz")).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::default());
        encoder.write_all(b"updates,loss\n1,0.5\n2,0.25\n").unwrap();
        encoder.finish().unwrap();
        assert_eq!(Table::read(&path).unwrap().column("loss").unwrap(), [0.5, 0.25]);
        fs::write(&path, "updates,loss\n1,7\n").unwrap();
        assert_eq!(Table::read(&path).unwrap().column("loss").unwrap(), [7.0], "the file itself comes first");
        let message = Table::read(&folder.path().join("timing.csv")).unwrap_err().to_string();
        assert!(message.ends_with("timing.csv"), "{message}");
    }

    #[test]
    fn a_missing_column_is_named() {
        let message = read_text("updates,loss\n1,0\n").unwrap().column("mean_q").unwrap_err().to_string();
        assert!(message.contains("train.csv: it has no column `mean_q`"), "{message}");
    }
}
