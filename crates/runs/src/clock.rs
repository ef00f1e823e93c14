//! When something happened in a run, and how fast the run was then.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::position::Position;

/// Speeds are measured over at least this time, so that they neither jump nor divide by almost 0.
const RATE_PERIOD: Duration = Duration::from_secs(1);

/// Counts per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Agent steps per second.
    pub agent_steps: f64,
    /// Frames per second.
    pub frames: f64,
    /// Updates per second.
    pub updates: f64,
}

impl Rates {
    fn between(earlier: &Position, later: &Position, time: Duration) -> Self {
        let seconds = time.as_secs_f64();
        let rate = |earlier: u64, later: u64| if seconds > 0.0 { (later - earlier) as f64 / seconds } else { 0.0 };
        Self {
            agent_steps: rate(earlier.agent_steps.0, later.agent_steps.0),
            frames: rate(earlier.frames.0, later.frames.0),
            updates: rate(earlier.updates, later.updates),
        }
    }
}

/// When something happened, and how fast the run was then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Time since the start of the run, without the time between a process of the run and the next.
    pub elapsed: Duration,
    /// Seconds since 1970.
    pub unix_seconds: f64,
    /// Speeds over the last second or so.
    pub rates: Rates,
}

/// Measures time and speeds.
#[derive(Debug)]
pub(crate) struct Meter {
    start: Instant,
    /// Time that the run took before this process.
    before: Duration,
    /// When speeds were last measured, and the run's position then.
    mark: (Duration, Position),
    rates: Rates,
}

impl Meter {
    /// Starts to measure a run that has reached `at` in the time `before`.
    pub(crate) fn start(before: Duration, at: Position) -> Self {
        Self { start: Instant::now(), before, mark: (before, at), rates: Rates::default() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.before + self.start.elapsed()
    }

    /// Measures speeds at the time `now` since the start, when the run has reached `at`; both never decrease.
    pub(crate) fn measure(&mut self, now: Duration, at: &Position) {
        let (marked, earlier) = &self.mark;
        if now - *marked >= RATE_PERIOD {
            self.rates = Rates::between(earlier, at, now - *marked);
            self.mark = (now, *at);
        } else if *marked == self.before {
            self.rates = Rates::between(earlier, at, now - *marked);
        }
    }

    /// The current moment.
    pub(crate) fn moment(&self) -> Moment {
        // A clock that was set to before 1970 is wrong, and no reason to stop.
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment { elapsed: self.elapsed(), unix_seconds: unix.as_secs_f64(), rates: self.rates }
    }

    /// Speeds since the start.
    pub(crate) fn overall(&self, at: &Position) -> Rates {
        Rates::between(&Position::default(), at, self.elapsed())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use prism_environment::{AgentSteps, Frames};

    /// The moment `seconds` after the start of a run at a steady speed.
    pub(crate) fn moment(seconds: u64) -> Moment {
        let rates = Rates { agent_steps: 50.0, frames: 200.0, updates: 25.0 };
        Moment { elapsed: Duration::from_secs(seconds), unix_seconds: 1.75e9 + seconds as f64, rates }
    }

    fn counts(agent_steps: u64, frames: u64, updates: u64) -> Position {
        Position { agent_steps: AgentSteps(agent_steps), frames: Frames(frames), updates, epsilon: 0.0 }
    }

    #[test]
    fn rates_are_counts_over_time() {
        let rates = Rates::between(&counts(100, 400, 10), &counts(300, 1200, 60), Duration::from_secs(2));
        assert_eq!(rates, Rates { agent_steps: 100.0, frames: 400.0, updates: 25.0 });
    }

    #[test]
    fn speeds_are_those_of_the_last_second() {
        let mut meter = Meter::start(Duration::ZERO, Position::default());
        let mut measure = |milliseconds, steps| {
            meter.measure(Duration::from_millis(milliseconds), &counts(steps, 4 * steps, 0));
            meter.moment().rates.agent_steps
        };
        assert_eq!(measure(500, 100), 200.0, "since the start, as long as that is less than a second");
        assert_eq!(measure(1000, 300), 300.0);
        assert_eq!(measure(1900, 1000), 300.0, "the next second is not over");
        assert_eq!(measure(3000, 1300), 500.0);
    }

    #[test]
    fn a_run_that_goes_on_counts_from_where_it_stood() {
        let mut meter = Meter::start(Duration::from_secs(100), counts(5000, 0, 0));
        meter.measure(Duration::from_millis(100_500), &counts(5100, 0, 0));
        assert_eq!(meter.moment().rates.agent_steps, 200.0);
        assert!(meter.elapsed() >= Duration::from_secs(100));
        assert!(meter.overall(&counts(6000, 0, 0)).agent_steps <= 60.0);
    }
}
