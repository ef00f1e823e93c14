//! How far an evaluation has come.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use prism::{EvaluatedGame, EvaluationLength, Part, ProgressLine};

/// Without a terminal, how often a line says how far the evaluation has come.
const LINE_PERIOD: Duration = Duration::from_secs(10);

/// Shows how far an evaluation has come: a line that is redrawn where it can be, a line now and then elsewhere.
pub struct Progress {
    line: ProgressLine,
    length: EvaluationLength,
    sum: f64,
    told: Instant,
}

impl Progress {
    /// Of an evaluation that has not begun.
    pub fn new(length: EvaluationLength) -> Self {
        let planned = match length {
            EvaluationLength::Games(games) => games.get() as u64,
            EvaluationLength::Phase(steps) => steps.0,
        };
        let mut line = ProgressLine::new(planned).with_time();
        line.draw(0, &[Part::new(0, done(length, 0, 0))]);
        Self { line, length, sum: 0.0, told: Instant::now() }
    }

    /// Shows that a game has ended.
    pub fn show(&mut self, game: EvaluatedGame) {
        self.sum += game.score;
        let mean = format!("mean score {:.2}", self.sum / game.ended as f64);
        let games = done(self.length, game.ended, game.steps.0);
        if self.line.draws() {
            let at = match self.length {
                EvaluationLength::Games(_) => game.ended as u64,
                EvaluationLength::Phase(steps) => game.steps.0.min(steps.0),
            };
            let parts = [Part::new(0, games), Part::new(1, mean), self.line.time_left(2)];
            self.line.draw(at, &parts);
        } else if self.told.elapsed() >= LINE_PERIOD {
            self.told = Instant::now();
            // Nobody may be listening, which is no reason to stop.
            let _ = writeln!(io::stderr(), "{games}, {mean}");
        }
    }

    /// Leaves the line to what comes next.
    pub fn end(self) {
        self.line.clear();
    }
}

fn done(length: EvaluationLength, ended: usize, steps: u64) -> String {
    match length {
        EvaluationLength::Games(planned) => format!("{ended} of {planned} games"),
        EvaluationLength::Phase(planned) => format!("{steps} of {} agent steps", planned.0),
    }
}
