//! How far a benchmark has come.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::case::Case;

/// Redraws of the bar, which shows the time.
const DRAW_PERIOD: Duration = Duration::from_millis(500);

/// A bar on standard error where that is a terminal, else a line for each case.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new(cases: usize) -> Self {
        let terminal = io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style =
            ProgressStyle::with_template("{bar:20} {pos}/{len} {elapsed}  {msg}").expect("the template is valid");
        let bar = ProgressBar::with_draw_target(Some(cases as u64), target).with_style(style);
        bar.enable_steady_tick(DRAW_PERIOD);
        Self { bar }
    }

    pub(super) fn begin(&self, case: Case) {
        let message = format!("{} {} {}", case.task().name(), case.subject(), case.batch());
        if self.bar.is_hidden() {
            let (number, cases) = (self.bar.position() + 1, self.bar.length().unwrap_or_default());
            // Nobody may be listening, which is no reason to stop.
            let _ = writeln!(io::stderr(), "{number}/{cases} {message}");
        } else {
            self.bar.set_message(message);
        }
    }

    pub(super) fn end(&self) {
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
