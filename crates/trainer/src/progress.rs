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
    mark: (Duration, Counts),
    rates: Rates,
}

impl Meter {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now(), mark: Default::default(), rates: Rates::default() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Takes the speeds at the time `now` since the start, by when the run has come to `counts`; both only ever grow.
    pub(crate) fn measure(&mut self, now: Duration, counts: Counts) {
        let (marked, earlier) = self.mark;
        if now - marked >= RATE_PERIOD {
            self.rates = Rates::between(earlier, counts, now - marked);
            self.mark = (now, counts);
        } else if marked.is_zero() {
            self.rates = Rates::between(earlier, counts, now);
        }
    }

    /// Speeds of the last second or so, as last measured.
    pub(crate) fn rates(&self) -> Rates {
        self.rates
    }

    /// Speeds since the start.
    pub(crate) fn overall(&self, counts: Counts) -> Rates {
        Rates::between(Counts::default(), counts, self.elapsed())
    }
}

/// Which lines about games that have ended are shown: each one, unless more than [`Self::MOST`] end within a second;
/// then only the newest of every second, until they become fewer again.
///
/// Games of Breakout played at random, 144 agent steps long, come to so many at 4,300 agent steps a second, games of Catch
/// at 270.
#[derive(Debug, Default)]
pub(crate) struct EpisodeLines {
    /// When the current second began, since the start of the run.
    second: Duration,
    /// Lines offered in it.
    offered: usize,
    /// Whether there were too many in the second before.
    crowded: bool,
    /// The newest line, if it was not shown.
    held: Option<String>,
}

impl EpisodeLines {
    /// The most lines in a second.
    const MOST: usize = 30;

    /// Takes the line of a game that ended at the time `now` since the start; gives it back if it is to be shown.
    pub(crate) fn offer(&mut self, now: Duration, line: String) -> Option<String> {
        let begins_second = self.begin_second(now);
        self.offered += 1;
        if begins_second || (!self.crowded && self.offered <= Self::MOST) {
            self.held = None;
            Some(line)
        } else {
            self.held = Some(line);
            None
        }
    }

    /// The newest line, if it was held back and its second is over.
    pub(crate) fn overdue(&mut self, now: Duration) -> Option<String> {
        if self.held.is_some() && self.begin_second(now) { self.held.take() } else { None }
    }

    /// The newest line, if it was held back.
    pub(crate) fn newest(&mut self) -> Option<String> {
        self.held.take()
    }

    /// Begins the next second if the current one is over; says whether it did.
    fn begin_second(&mut self, now: Duration) -> bool {
        if now - self.second < Duration::from_secs(1) {
            return false;
        }
        self.crowded = self.offered > Self::MOST;
        self.second = now;
        self.offered = 0;
        true
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
    fn speeds_are_those_of_the_last_second() {
        let counts = |steps| Counts { agent_steps: AgentSteps(steps), frames: Frames(4 * steps), updates: 0 };
        let mut meter = Meter::start();
        let mut measure = |milliseconds, steps| {
            meter.measure(Duration::from_millis(milliseconds), counts(steps));
            meter.rates().agent_steps
        };
        assert_eq!(measure(500, 100), 200.0, "since the start, as long as that is less than a second");
        assert_eq!(measure(1000, 300), 300.0);
        assert_eq!(measure(1900, 1000), 300.0, "the next second is not over");
        assert_eq!(measure(3000, 1300), 500.0);
    }

    /// Offers a line at each of these milliseconds, as a run does, and gives the numbers of those that are shown.
    fn shown(lines: &mut EpisodeLines, times: impl Iterator<Item = u64>) -> Vec<usize> {
        let mut shown = Vec::new();
        for (number, time) in times.enumerate() {
            let now = Duration::from_millis(time);
            shown.extend(lines.overdue(now));
            shown.extend(lines.offer(now, number.to_string()));
        }
        shown.into_iter().map(|line| line.parse().unwrap()).collect()
    }

    #[test]
    fn as_many_games_as_atari_ends_get_a_line_each() {
        // Thirty a second, evenly and all at once.
        let evenly = (0..300).map(|number| number * 100 / 3);
        assert_eq!(shown(&mut EpisodeLines::default(), evenly).len(), 300);
        let at_once = (0..300).map(|number| 2000 * (number / 30));
        assert_eq!(shown(&mut EpisodeLines::default(), at_once).len(), 300);
    }

    #[test]
    fn games_that_flood_the_screen_get_a_line_each_second_until_they_grow_longer() {
        let mut lines = EpisodeLines::default();
        // Five seconds with 500 games each, then ten with one.
        let times = (0..2500).map(|number| number * 2).chain((5..15).map(|second| second * 1000));
        let mut expected: Vec<usize> = (0..30).collect();
        expected.extend([499, 999, 1499, 1999, 2499]);
        expected.extend(2500..2510);
        assert_eq!(shown(&mut lines, times), expected);
        assert_eq!(lines.newest(), None, "the newest was shown");
    }

    #[test]
    fn the_newest_line_is_shown_even_if_no_game_follows_it() {
        let mut lines = EpisodeLines::default();
        assert_eq!(shown(&mut lines, 0..100).len(), 30);
        assert_eq!(lines.overdue(Duration::from_millis(999)), None, "a newer one may still come");
        assert_eq!(lines.overdue(Duration::from_millis(1000)).as_deref(), Some("99"));
        assert_eq!(lines.overdue(Duration::from_millis(9000)), None, "once is enough");
        assert_eq!(shown(&mut lines, 9000..9100).len(), 30);
        assert_eq!(lines.newest().as_deref(), Some("99"), "the run ends within the second");
    }

    #[test]
    fn the_progress_line_names_what_is_not_known_yet() {
        let at = Progress { agent_steps: AgentSteps(250), frames: Frames(1000), updates: 0, epsilon: 0.5 };
        let shown = Shown { last_score: Some(-20.0), ..Shown::default() };
        let message = message(&at, Rates::default(), &shown, 100);
        assert_eq!(message, "1,000 frames  0 steps/s  last -20.0  mean of 100 -  epsilon 0.500  loss -");
    }
}
