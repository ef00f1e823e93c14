//! How far a benchmark has come.

use std::io::{self, Write};

use prism_runs::{Part, ProgressLine};

use super::case::Case;

/// A line that is redrawn on standard error where it can be, else a line for each case.
#[derive(Debug)]
pub(super) struct Progress {
    line: ProgressLine,
    cases: usize,
    measured: usize,
}

impl Progress {
    pub(super) fn new(cases: usize) -> Self {
        Self { line: ProgressLine::new(cases as u64).with_time(), cases, measured: 0 }
    }

    pub(super) fn begin(&mut self, case: Case) {
        let (number, cases) = (self.measured + 1, self.cases);
        let case = format!("{} {} {}", case.task().name(), case.subject(), case.batch());
        if self.line.draws() {
            self.line.draw(self.measured as u64, &[Part::new(0, format!("{number}/{cases}")), Part::new(1, case)]);
        } else {
            // Nobody may be listening, which is no reason to stop.
            let _ = writeln!(io::stderr(), "{number}/{cases} {case}");
        }
    }

    pub(super) fn end(&mut self) {
        self.measured += 1;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.line.clear();
    }
}
