//! One line that says how far something has come, redrawn in place on a terminal that can do that.

use std::time::Duration;

use console::Term;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Columns of the bar itself.
const BAR_WIDTH: usize = 20;
/// Columns of the time that a line shows, with the two spaces behind it.
const TIME_WIDTH: usize = 10;
/// Time between redraws of a line that shows the time.
const TICK_PERIOD: Duration = Duration::from_millis(500);

/// A bar and a few words on standard error, as many as the terminal has room for. Nothing is drawn where standard error is no
/// terminal, or one that cannot redraw a line.
#[derive(Debug)]
pub struct ProgressLine {
    bar: ProgressBar,
    shows_time: bool,
    drawn: bool,
}

/// A part of the line.
#[derive(Clone, Debug)]
pub struct Part {
    /// Rank of its usefulness, from 0; the least useful parts are left out first.
    pub rank: usize,
    /// What it says.
    pub text: String,
}

impl Part {
    /// A part of this rank.
    pub fn new(rank: usize, text: impl Into<String>) -> Self {
        Self { rank, text: text.into() }
    }
}

impl ProgressLine {
    /// The line of something that has `total` steps.
    pub fn new(total: u64) -> Self {
        // indicatif asks whether it is a terminal; `TERM` is missing or `dumb` where it cannot redraw a line.
        let draws = Term::stderr().is_term() && !console::is_dumb();
        Self::on(if draws { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }, total)
    }

    fn on(target: ProgressDrawTarget, total: u64) -> Self {
        Self { bar: ProgressBar::with_draw_target(Some(total), target), shows_time: false, drawn: false }
    }

    /// A line that is drawn nowhere.
    #[cfg(test)]
    pub(crate) fn hidden() -> Self {
        Self::on(ProgressDrawTarget::hidden(), 1)
    }

    /// The same with the time since its beginning before everything else.
    #[must_use]
    pub fn with_time(mut self) -> Self {
        self.shows_time = true;
        self.bar.enable_steady_tick(TICK_PERIOD);
        self
    }

    /// Whether anything is drawn.
    pub fn draws(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// Draws the bar at step `position`, then as many of `parts` as there is room for, two spaces between them.
    pub fn draw(&mut self, position: u64, parts: &[Part]) {
        self.bar.set_position(position);
        if !self.drawn {
            // What was done before the first line, in another process perhaps, says nothing about the speed.
            self.drawn = true;
            self.bar.reset_eta();
        }
        // Some terminals wrap when the last column is written.
        let columns = usize::from(Term::stderr().size().1).saturating_sub(1);
        let time = if self.shows_time { "{elapsed_precise}  " } else { "" };
        let (bar, line) = fit(parts, columns.saturating_sub(if self.shows_time { TIME_WIDTH } else { 0 }));
        let template = format!("{time}{}{{msg}}", if bar { "{bar:20}  " } else { "" });
        self.bar.set_style(ProgressStyle::with_template(&template).expect("the template is valid"));
        self.bar.set_message(line);
    }

    /// The part that says how much time is left.
    pub fn time_left(&self, rank: usize) -> Part {
        Part::new(rank, format!("eta {:#}", HumanDuration(self.bar.eta())))
    }

    /// Prints something above the line.
    pub fn above(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Takes the line away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Rank of the bar itself among the parts.
const BAR_RANK: usize = 6;

/// Whether the bar fits into so many columns, and the most useful parts that do, two spaces between them.
fn fit(parts: &[Part], columns: usize) -> (bool, String) {
    let mut by_use: Vec<(usize, usize)> = parts.iter().map(|part| (part.rank, part.text.chars().count() + 2)).collect();
    by_use.push((BAR_RANK, BAR_WIDTH + 2));
    by_use.sort_unstable();
    // The first part has no spaces before it.
    let mut room = columns + 2;
    let mut least_useful = None;
    for (rank, width) in by_use {
        let Some(left) = room.checked_sub(width) else { break };
        room = left;
        least_useful = Some(rank);
    }
    let fits = |rank| least_useful.is_some_and(|least| rank <= least);
    let line: Vec<&str> = parts.iter().filter(|part| fits(part.rank)).map(|part| part.text.as_str()).collect();
    (fits(BAR_RANK), line.join("  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_cut_to_the_width_and_keeps_what_is_most_useful() {
        let parts = [
            (0, "25%"),
            (5, "1,000 frames"),
            (3, "50 steps/s"),
            (4, "last -20.0"),
            (1, "mean of 100 -19.5"),
            (8, "epsilon 0.500"),
            (7, "loss 0.0123"),
            (2, "eta 3m"),
        ]
        .map(|(rank, text)| Part::new(rank, text));
        assert_eq!(fit(&parts, 39), (false, "25%  mean of 100 -19.5  eta 3m".to_owned()));
        let most = "25%  1,000 frames  50 steps/s  last -20.0  mean of 100 -19.5  eta 3m";
        assert_eq!(fit(&parts, 99), (true, most.to_owned()));
        let (bar, line) = fit(&parts, 200);
        assert!(bar && line.contains("epsilon 0.500  loss 0.0123"), "{line}");
        for columns in 0..200 {
            let (bar, line) = fit(&parts, columns);
            assert!(if bar { BAR_WIDTH + 2 } else { 0 } + line.len() <= columns, "{columns}: {line}");
        }
    }
}
