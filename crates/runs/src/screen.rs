//! The screen: lines on standard output, and a progress line on standard error where the terminal can redraw one.

use std::io::Write;
use std::time::Duration;

use indicatif::HumanCount;
use prism_environment::AgentSteps;

use crate::clock::Moment;
use crate::events::{Event, RunHeader};
use crate::position::Position;
use crate::progress_line::{Part, ProgressLine};
use crate::sink::{RecordError, Sink};

/// Time between redraws of the progress line.
const DRAW_PERIOD: Duration = Duration::from_millis(100);
/// Time between progress lines where none can be redrawn.
const PLAIN_PERIOD: Duration = Duration::from_secs(10);

/// Shows a run in a terminal: a sink to be [added](crate::Journal::add) to its journal.
#[derive(Debug)]
pub struct Screen {
    progress: ProgressLine,
    limit: AgentSteps,
    window: usize,
    /// When progress was last shown, since the start of the run.
    shown_at: Duration,
    last: LastShown,
}

/// The last values that the progress line shows.
#[derive(Clone, Copy, Debug, Default)]
struct LastShown {
    score: Option<f64>,
    mean_score: Option<f64>,
    loss: Option<f64>,
}

impl Default for Screen {
    /// The screen of a run that has yet to start.
    fn default() -> Self {
        let (progress, last) = (ProgressLine::new(0), LastShown::default());
        Self { progress, limit: AgentSteps(0), window: 0, shown_at: Duration::ZERO, last }
    }
}

impl Screen {
    fn start(&mut self, header: &RunHeader) {
        self.progress = ProgressLine::new(header.limit.0);
        self.limit = header.limit;
        self.window = header.score_window;
    }

    /// Redraws the progress line, or returns it where it cannot be redrawn, if it is time to.
    fn progress(&mut self, at: &Position, moment: &Moment) -> Option<String> {
        let draws = self.progress.draws();
        if moment.elapsed < self.shown_at + if draws { DRAW_PERIOD } else { PLAIN_PERIOD } {
            return None;
        }
        self.shown_at = moment.elapsed;
        let mut parts = parts(at, self.limit, moment, self.window, &self.last);
        if draws {
            parts.push(self.progress.time_left(2));
            self.progress.draw(at.agent_steps.0, &parts);
            return None;
        }
        Some(parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join("  "))
    }

    /// Prints a line, above the progress line if there is one.
    fn line(&self, line: &str) {
        // The log file is the record: a reader that has gone away (`| head`) must not end a training run.
        self.progress.above(|| {
            let _ = writeln!(std::io::stdout(), "{line}");
        });
    }
}

impl Sink for Screen {
    fn take(&mut self, event: &Event, moment: &Moment) -> Result<(), RecordError> {
        match event {
            Event::Started(header) => self.start(header),
            Event::Note(line) => self.line(line),
            Event::Episode(record) => {
                self.last.score = Some(record.game.score);
                self.last.mean_score = Some(record.mean_score);
            }
            Event::Update(record) => self.last.loss = Some(record.loss),
            Event::Progress(at) => {
                if let Some(line) = self.progress(at, moment) {
                    self.line(&line);
                }
            }
            Event::Ended(_) => self.progress.clear(),
            Event::Evaluation(_) | Event::Distributions(_) | Event::Timing(_) | Event::Estimate(_) => {}
        }
        Ok(())
    }
}

/// The parts of the progress line in the order in which they are shown.
fn parts(at: &Position, limit: AgentSteps, moment: &Moment, window: usize, last: &LastShown) -> Vec<Part> {
    let score = |score: Option<f64>| score.map_or_else(|| "-".to_owned(), |score| format!("{score:.1}"));
    let loss = last.loss.map_or_else(|| "-".to_owned(), |loss| format!("{loss:.4}"));
    vec![
        Part::new(0, format!("{}%", 100 * at.agent_steps.0 / limit.0.max(1))),
        Part::new(5, format!("{} frames", HumanCount(at.frames.0))),
        Part::new(3, format!("{:.0} steps/s", moment.rates.agent_steps)),
        Part::new(4, format!("last {}", score(last.score))),
        Part::new(1, format!("mean of {window} {}", score(last.mean_score))),
        Part::new(8, format!("epsilon {:.3}", at.epsilon)),
        Part::new(7, format!("loss {loss}")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::moment;
    use crate::events::tests::{header, position};

    fn at() -> Position {
        Position { updates: 0, epsilon: 0.5, ..position(250) }
    }

    #[test]
    fn the_progress_line_names_what_is_not_known_yet() {
        let last = LastShown { score: Some(-20.0), ..LastShown::default() };
        let parts = parts(&at(), AgentSteps(1000), &moment(1), 100, &last);
        let line = parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join("  ");
        assert_eq!(line, "25%  1,000 frames  50 steps/s  last -20.0  mean of 100 -  epsilon 0.500  loss -");
    }

    #[test]
    fn where_no_line_can_be_redrawn_there_is_one_every_ten_seconds() {
        let mut screen = Screen::default();
        screen.start(&header());
        // Tests may be watched in a terminal.
        screen.progress = ProgressLine::hidden();
        let lines = (0..600).filter_map(|tenth| {
            let elapsed = Duration::from_millis(100 * tenth);
            screen.progress(&position(tenth), &Moment { elapsed, ..moment(0) })
        });
        assert_eq!(lines.count(), 5, "in a minute");
    }
}
