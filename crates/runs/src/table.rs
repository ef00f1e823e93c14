//! Reading the CSV files of runs, complete, still being written or compressed.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::read_error::ReadError;

/// Columns of numbers.
#[derive(Clone, Debug)]
pub struct NumberTable {
    path: PathBuf,
    names: Vec<String>,
    /// `[column][row]`; NaN where a cell is empty.
    columns: Vec<Vec<f64>>,
}

impl NumberTable {
    /// Reads the complete lines of the file at `path`, or of its compressed form beside it, whose name ends in `.gz`.
    ///
    /// # Errors
    /// When it cannot be read or has a cell that is neither empty nor a number.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let text = complete_lines(path)?;
        let malformed = |error: csv::Error| ReadError::csv(path, &error);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names: Vec<String> = reader.headers().map_err(malformed)?.iter().map(str::to_owned).collect();
        let mut columns = vec![Vec::new(); names.len()];
        for row in reader.records() {
            let row = row.map_err(malformed)?;
            for ((cell, name), column) in row.iter().zip(&names).zip(&mut columns) {
                column.push(number(cell, name).map_err(|reason| ReadError::malformed(path, line(&row), reason))?);
            }
        }
        Ok(Self { path: path.to_owned(), names, columns })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names and values of all columns, in the order of the file. A cell that is empty is NaN.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &[f64])> {
        self.names.iter().map(String::as_str).zip(self.columns.iter().map(Vec::as_slice))
    }

    /// The values of the column `name`.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn column(&self, name: &str) -> Result<&[f64], ReadError> {
        let found = self.columns().find(|(found, _)| *found == name).map(|(_, values)| values);
        found.ok_or_else(|| ReadError::malformed(&self.path, None, format!("it has no column `{name}`")))
    }
}

/// The number in a cell of the column `name`, NaN where it is empty.
pub(crate) fn number(cell: &str, name: &str) -> Result<f64, String> {
    match cell.parse() {
        Ok(value) => Ok(value),
        Err(_) if cell.is_empty() => Ok(f64::NAN),
        Err(_) => Err(format!("it has `{cell}` as {name} instead of a number")),
    }
}

/// The line in which a row begins, from 1.
pub(crate) fn line(row: &csv::StringRecord) -> Option<u64> {
    row.position().map(csv::Position::line)
}

/// The text of the file at `path`, or of its compressed form beside it, up to its last line break: a run may still be
/// writing the line after it.
///
/// # Errors
/// When neither can be read or the text is not Unicode.
pub fn complete_lines(path: &Path) -> Result<String, ReadError> {
    let mut text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && compressed(path).exists() => {
            let path = compressed(path);
            let mut text = String::new();
            unpack(&path, &mut text).map_err(|source| ReadError::read(&path, source))?;
            text
        }
        read => read.map_err(|source| ReadError::read(path, source))?,
    };
    text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
    Ok(text)
}

/// Unpacks a table, as long as it is one: a small file must not become more than there is memory.
fn unpack(path: &Path, text: &mut String) -> io::Result<()> {
    /// Tables of runs become half or a third of their size; one of nothing but line breaks becomes a thousandth.
    const MOST: u64 = 80;
    let file = fs::File::open(path)?;
    let room = (16 << 20) + MOST * file.metadata()?.len();
    if MultiGzDecoder::new(file).take(room + 1).read_to_string(text)? as u64 > room {
        let reason = format!("it unpacks to more than {MOST} times its size, as no table of a run does");
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(())
}

/// Whether there is a file at `path`, or its compressed form beside it.
pub(crate) fn exists(path: &Path) -> bool {
    path.exists() || compressed(path).exists()
}

fn compressed(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".gz");
    name.into()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn read(text: &str) -> Result<NumberTable, ReadError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.csv");
        fs::write(&path, text).unwrap();
        NumberTable::read(&path)
    }

    #[test]
    fn the_line_that_is_being_written_is_left_out() {
        let table = read("updates,loss\n1,0.5\n2,0.25\n3,0.1").unwrap();
        assert_eq!(table.column("loss").unwrap(), [0.5, 0.25]);
        assert!(read("updates,lo").unwrap().column("updates").is_err());
    }

    #[test]
    fn empty_cells_are_no_numbers_and_words_are_refused_with_their_line() {
        let table = read("updates,loss\n1,\n2,inf\n").unwrap();
        assert!(table.column("loss").unwrap()[0].is_nan());
        assert_eq!(table.column("loss").unwrap()[1], f64::INFINITY);
        let message = read("updates,loss\n1,0\n2,much\n").unwrap_err().to_string();
        assert!(message.contains("train.csv, line 3: it has `much` as loss"), "{message}");
        let message = read("updates,loss\n1,0,7\n").unwrap_err().to_string();
        assert!(message.contains("train.csv, line 2: it has 3 cells instead of 2"), "{message}");
    }

    #[test]
    fn a_missing_column_is_named() {
        let message = read("updates,loss\n1,0\n").unwrap().column("mean_q").unwrap_err().to_string();
        assert!(message.contains("train.csv: it has no column `mean_q`"), "{message}");
    }

    #[test]
    fn a_compressed_table_is_read_where_the_plain_one_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.csv");
        let file = fs::File::create(folder.path().join("train.csv.gz")).unwrap();
        let mut encoder = GzEncoder::new(file, Compression::default());
        encoder.write_all(b"updates,loss\n1,0.5\n").unwrap();
        encoder.finish().unwrap();
        assert_eq!(NumberTable::read(&path).unwrap().column("loss").unwrap(), [0.5]);
        fs::write(&path, "updates,loss\n1,0.25\n").unwrap();
        assert_eq!(NumberTable::read(&path).unwrap().column("loss").unwrap(), [0.25]);
        fs::remove_file(&path).unwrap();
        // A small file that would be a very large table.
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        (0..64).for_each(|_| encoder.write_all(&[b'\n'; 1 << 20]).unwrap());
        fs::write(folder.path().join("train.csv.gz"), encoder.finish().unwrap()).unwrap();
        let error = NumberTable::read(&path).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("more than 80 times its size"), "{source}");
        fs::write(folder.path().join("train.csv.gz"), "no archive").unwrap();
        let error = NumberTable::read(&path).unwrap_err();
        assert!(matches!(error, ReadError::Read { path, .. } if path.ends_with("train.csv.gz")));
    }
}
