//! The progress line, and the speeds in it.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use prism_environment::{AgentSteps, Frames};

use crate::records::{Progress, Shown};

/// Speeds are taken over at least this long, so that they neither jump nor divide by nearly nothing.
const RATE_PERIOD: Duration = Duration::from_secs(1);
/// Redraws of the bar.
const DRAW_PERIOD: Duration = Duration::from_millis(100);
/// Progress lines where there is no terminal to draw on.
const PLAIN_PERIOD: Duration = Duration::from_secs(10);

/// What is counted against time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) agent_steps: AgentSteps,
    pub(crate) frames: Frames,
    pub(crate) updates: u64,
}

/// Counts per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rates {
    pub(crate) agent_steps: f64,
    pub(crate) frames: f64,
    pub(crate) updates: f64,
}

impl Rates {
    fn between(earlier: Counts, later: Counts, time: Duration) -> Self {
        let seconds = time.as_secs_f64();
        let rate = |earlier: u64, later: u64| if seconds > 0.0 { (later - earlier) as f64 / seconds } else { 0.0 };
        Self {
            agent_steps: rate(earlier.agent_steps.0, later.agent_steps.0),
            frames: rate(earlier.frames.0, later.frames.0),
            updates: rate(earlier.updates, later.updates),
        }
    }
}

/// Measures speeds.
#[derive(Debug)]
pub(crate) struct Meter {
    start: Instant,
    mark: (Instant, Counts),
    rates: Option<Rates>,
}

impl Meter {
    pub(crate) fn start() -> Self {
        let now = Instant::now();
        Self { start: now, mark: (now, Counts::default()), rates: None }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Speeds of the last second or so.
    pub(crate) fn rates(&mut self, counts: Counts) -> Rates {
        let (marked, earlier) = self.mark;
        let time = marked.elapsed();
        if time >= RATE_PERIOD {
            self.rates = Some(Rates::between(earlier, counts, time));
            self.mark = (Instant::now(), counts);
        }
        self.rates.unwrap_or_else(|| self.overall(counts))
    }

    /// Speeds since the start.
    pub(crate) fn overall(&self, counts: Counts) -> Rates {
        Rates::between(Counts::default(), counts, self.elapsed())
    }
}

/// The screen: lines on standard output, a bar on standard error when that is a terminal.
#[derive(Debug)]
pub(crate) struct Display {
    bar: ProgressBar,
    limit: AgentSteps,
    drawn: Instant,
    period: Duration,
}

impl Display {
    pub(crate) fn new(limit: AgentSteps) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style =
            ProgressStyle::with_template("{bar:20} {percent}% {msg}  eta {eta}").expect("the template is valid");
        let bar = ProgressBar::with_draw_target(Some(limit.0), target).with_style(style);
        Self { bar, limit, drawn: Instant::now(), period: if terminal { DRAW_PERIOD } else { PLAIN_PERIOD } }
    }

    /// Prints a line above the bar.
    pub(crate) fn line(&self, line: &str) {
        // The log file is the record: a reader that has gone away (`| head`) must not end a training run.
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stdout(), "{line}");
        });
    }

    /// Draws the progress, if it is time to.
    pub(crate) fn show(&mut self, at: &Progress, rates: Rates, shown: &Shown, window: usize) {
        if self.drawn.elapsed() < self.period {
            return;
        }
        self.drawn = Instant::now();
        let message = message(at, rates, shown, window);
        if self.bar.is_hidden() {
            let percent = 100 * at.agent_steps.0 / self.limit.0;
            self.line(&format!("{percent}% {message}"));
        } else {
            self.bar.set_position(at.agent_steps.0);
            self.bar.set_message(message);
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn message(at: &Progress, rates: Rates, shown: &Shown, window: usize) -> String {
    let score = |score: Option<f64>| score.map_or_else(|| "-".to_owned(), |score| format!("{score:.1}"));
    format!(
        "{} frames  {:.0} steps/s  last {}  mean of {window} {}  epsilon {:.3}  loss {}",
        indicatif::HumanCount(at.frames.0),
        rates.agent_steps,
        score(shown.last_score),
        score(shown.mean_score),
        at.epsilon,
        shown.loss.map_or_else(|| "-".to_owned(), |loss| format!("{loss:.4}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_counts_over_time() {
        let earlier = Counts { agent_steps: AgentSteps(100), frames: Frames(400), updates: 10 };
        let later = Counts { agent_steps: AgentSteps(300), frames: Frames(1200), updates: 60 };
        let rates = Rates::between(earlier, later, Duration::from_secs(2));
        assert_eq!(rates, Rates { agent_steps: 100.0, frames: 400.0, updates: 25.0 });
    }

    #[test]
    fn the_progress_line_names_what_is_not_known_yet() {
        let at = Progress { agent_steps: AgentSteps(250), frames: Frames(1000), updates: 0, epsilon: 0.5 };
        let shown = Shown { last_score: Some(-20.0), ..Shown::default() };
        let message = message(&at, Rates::default(), &shown, 100);
        assert_eq!(message, "1,000 frames  0 steps/s  last -20.0  mean of 100 -  epsilon 0.500  loss -");
    }
}
