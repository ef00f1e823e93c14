//! The screen: lines on standard output, and a progress bar on standard error where the terminal can draw one.

use std::io::Write;
use std::time::Duration;

use console::Term;
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use prism_environment::AgentSteps;

use crate::clock::Moment;
use crate::events::{Event, RunHeader};
use crate::position::Position;
use crate::sink::{RecordError, Sink};

/// Time between redraws of the bar.
const DRAW_PERIOD: Duration = Duration::from_millis(100);
/// Time between progress lines where no bar can be drawn.
const PLAIN_PERIOD: Duration = Duration::from_secs(10);
/// Columns of the bar itself.
const BAR_WIDTH: usize = 20;

/// Shows the progress of a run in a terminal.
#[derive(Debug)]
pub struct Screen {
    progress: ProgressDisplay,
    limit: AgentSteps,
    window: usize,
    /// When progress was last shown, since the start of the run.
    shown_at: Duration,
    last: LastShown,
}

/// How progress is shown.
#[derive(Debug)]
enum ProgressDisplay {
    /// A bar that is redrawn in place.
    Bar(ScreenBar),
    /// A line every [`PLAIN_PERIOD`].
    Lines,
}

/// What standard error can draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Terminal {
    /// A terminal that can redraw a line.
    Drawing,
    /// A terminal that cannot, or does not say what it is: `TERM` is `dumb` or missing.
    Dumb,
    /// A file or a pipe.
    None,
}

impl Terminal {
    /// What standard error is.
    fn of_standard_error() -> Self {
        match (Term::stderr().is_term(), console::is_dumb()) {
            (true, false) => Self::Drawing,
            (true, true) => Self::Dumb,
            (false, _) => Self::None,
        }
    }
}

/// The last values that the progress line shows.
#[derive(Clone, Copy, Debug, Default)]
struct LastShown {
    score: Option<f64>,
    mean_score: Option<f64>,
    loss: Option<f64>,
}

impl Screen {
    /// The screen of a run at the position `at`.
    pub fn new(header: &RunHeader, at: &Position) -> Self {
        Self::on(Terminal::of_standard_error(), header, at)
    }

    fn on(terminal: Terminal, header: &RunHeader, at: &Position) -> Self {
        let progress = match terminal {
            Terminal::Drawing => ProgressDisplay::Bar(ScreenBar::new(header.limit, at)),
            Terminal::Dumb | Terminal::None => ProgressDisplay::Lines,
        };
        let (limit, window) = (header.limit, header.score_window);
        Self { progress, limit, window, shown_at: Duration::ZERO, last: LastShown::default() }
    }

    /// Draws the progress on the bar, or returns it as a line, if it is time to.
    fn progress(&mut self, at: &Position, moment: &Moment) -> Option<String> {
        let period = match self.progress {
            ProgressDisplay::Bar(_) => DRAW_PERIOD,
            ProgressDisplay::Lines => PLAIN_PERIOD,
        };
        if moment.elapsed < self.shown_at + period {
            return None;
        }
        self.shown_at = moment.elapsed;
        let mut parts = parts(at, self.limit, moment, self.window, &self.last);
        match &mut self.progress {
            ProgressDisplay::Bar(bar) => {
                bar.draw(at, &mut parts);
                None
            }
            ProgressDisplay::Lines => Some(parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join("  ")),
        }
    }

    /// Prints a line, above the bar if there is one.
    fn line(&self, line: &str) {
        // The log file is the record: a reader that has gone away (`| head`) must not end a training run.
        let print = || {
            let _ = writeln!(std::io::stdout(), "{line}");
        };
        match &self.progress {
            ProgressDisplay::Bar(bar) => bar.bar.suspend(print),
            ProgressDisplay::Lines => print(),
        }
    }
}

impl Sink for Screen {
    fn take(&mut self, event: &Event, moment: &Moment) -> Result<(), RecordError> {
        match event {
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
            Event::Ended(_) => {
                if let ProgressDisplay::Bar(bar) = &self.progress {
                    bar.bar.finish_and_clear();
                }
            }
            Event::Started(_)
            | Event::Evaluation(_)
            | Event::Distributions(_)
            | Event::Timing(_)
            | Event::Estimate(_) => {}
        }
        Ok(())
    }
}

/// A bar followed by the progress line.
#[derive(Debug)]
struct ScreenBar {
    bar: ProgressBar,
}

impl ScreenBar {
    fn new(limit: AgentSteps, at: &Position) -> Self {
        let bar = ProgressBar::with_draw_target(Some(limit.0), ProgressDrawTarget::stderr());
        bar.set_position(at.agent_steps.0);
        bar.reset_eta();
        Self { bar }
    }

    /// Draws `parts` and the remaining time, as far as the terminal has room for them.
    fn draw(&mut self, at: &Position, parts: &mut Vec<Part>) {
        self.bar.set_position(at.agent_steps.0);
        parts.push(Part::new(2, format!("eta {:#}", HumanDuration(self.bar.eta()))));
        // Some terminals wrap when the last column is written.
        let columns = usize::from(Term::stderr().size().1).saturating_sub(1);
        let (template, line) = fit(parts, columns);
        self.bar.set_style(ProgressStyle::with_template(template).expect("the template is valid"));
        self.bar.set_message(line);
    }
}

/// A part of the progress line.
#[derive(Clone, Debug)]
struct Part {
    /// Rank of its usefulness, from 0; the least useful parts are left out first.
    rank: usize,
    text: String,
}

impl Part {
    fn new(rank: usize, text: String) -> Self {
        Self { rank, text }
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

/// Rank of the bar itself among the parts.
const BAR_RANK: usize = 6;

/// The template and the line of the most useful parts that fit into so many columns, two spaces between them.
fn fit(parts: &[Part], columns: usize) -> (&'static str, String) {
    let mut by_use: Vec<(usize, usize)> = parts.iter().map(|part| (part.rank, part.text.chars().count() + 2)).collect();
    by_use.push((BAR_RANK, BAR_WIDTH + 2));
    by_use.sort_unstable();
    // The first part has no spaces before it.
    let mut room = columns + 2;
    let mut least_useful = 0;
    for (rank, width) in by_use {
        let Some(left) = room.checked_sub(width) else { break };
        room = left;
        least_useful = rank;
    }
    let line: Vec<&str> =
        parts.iter().filter(|part| part.rank <= least_useful).map(|part| part.text.as_str()).collect();
    let template = if least_useful >= BAR_RANK { "{bar:20}  {msg}" } else { "{msg}" };
    (template, line.join("  "))
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
    fn the_line_is_cut_to_the_width_and_keeps_what_is_most_useful() {
        let last = LastShown { score: Some(-20.0), mean_score: Some(-19.5), loss: Some(0.0123) };
        let mut parts = parts(&at(), AgentSteps(1000), &moment(1), 100, &last);
        parts.push(Part::new(2, "eta 3m".to_owned()));
        assert_eq!(fit(&parts, 39), ("{msg}", "25%  mean of 100 -19.5  eta 3m".to_owned()));
        let (template, line) = fit(&parts, 99);
        assert_eq!(
            (template, line.as_str()),
            ("{bar:20}  {msg}", "25%  1,000 frames  50 steps/s  last -20.0  mean of 100 -19.5  eta 3m")
        );
        let (template, line) = fit(&parts, 200);
        assert_eq!(template, "{bar:20}  {msg}");
        assert!(line.contains("epsilon 0.500  loss 0.0123"), "{line}");
        for columns in 0..200 {
            let (template, line) = fit(&parts, columns);
            let bar = if template.starts_with("{bar") { BAR_WIDTH + 2 } else { 0 };
            assert!(columns < 3 || bar + line.len() <= columns, "{columns}: {line}");
        }
    }

    #[test]
    fn without_a_bar_there_is_a_line_every_ten_seconds() {
        for terminal in [Terminal::Dumb, Terminal::None] {
            let mut screen = Screen::on(terminal, &header(), &Position::default());
            let lines = (0..600).filter_map(|tenth| {
                let elapsed = Duration::from_millis(100 * tenth);
                screen.progress(&position(tenth), &Moment { elapsed, ..moment(0) })
            });
            assert_eq!(lines.count(), 5, "in a minute on {terminal:?}");
        }
    }
}
