//! CSV files of runs, those that are still being written included.

use std::path::{Path, PathBuf};

use super::PlotError;

/// Columns of numbers.
#[derive(Clone, Debug)]
pub(super) struct Table {
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
    pub(super) fn read(path: &Path) -> Result<Self, PlotError> {
        let text = complete_lines(path)?;
        let malformed = |reason: String| PlotError::Malformed { path: path.to_owned(), reason };
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

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Names and values of all columns, in the order of the file.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&str, &[f64])> {
        self.names.iter().map(String::as_str).zip(self.columns.iter().map(Vec::as_slice))
    }

    /// The values of the column `name`.
    ///
    /// # Errors
    /// When there is no such column.
    pub(super) fn column(&self, name: &str) -> Result<&[f64], PlotError> {
        self.columns().find(|(found, _)| *found == name).map(|(_, values)| values).ok_or_else(|| PlotError::Malformed {
            path: self.path.clone(),
            reason: format!("it has no column `{name}`"),
        })
    }
}

/// The text of the file at `path` up to its last line break: a run may be in the middle of the line behind it.
pub(super) fn complete_lines(path: &Path) -> Result<String, PlotError> {
    let mut text = std::fs::read_to_string(path).map_err(|source| PlotError::Read { path: path.to_owned(), source })?;
    text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Table, PlotError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.csv");
        std::fs::write(&path, text).unwrap();
        Table::read(&path)
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
        assert!(message.contains("line 3 has `much` as loss"), "{message}");
        let message = read("updates,loss\n1,0,7\n").unwrap_err().to_string();
        assert!(message.contains("line: 2") || message.contains("line 2"), "{message}");
    }

    #[test]
    fn a_missing_column_is_named() {
        let message = read("updates,loss\n1,0\n").unwrap().column("mean_q").unwrap_err().to_string();
        assert!(message.contains("train.csv: it has no column `mean_q`"), "{message}");
    }
}
