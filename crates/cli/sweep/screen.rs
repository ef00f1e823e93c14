//! A sweep on the screen: a table that is redrawn on a terminal, lines where that cannot be.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::mem::Discriminant;
use std::time::{Duration, Instant};

use console::Term;
use indicatif::HumanCount;
use prism::RunProgress;

use super::job::{Job, State};

/// Time between two tables on a terminal.
const DRAW_PERIOD: Duration = Duration::from_millis(1000);
/// Time between two lines of a run where nothing can be redrawn.
const PLAIN_PERIOD: Duration = Duration::from_secs(60);
/// Rows of a terminal that are left to what is not the table.
const SPARE_ROWS: usize = 4;

/// Shows the runs of a sweep.
pub struct Screen {
    /// Where tables can be redrawn.
    terminal: Option<Term>,
    /// Lines of the table that is on the terminal.
    drawn: usize,
    shown_at: Option<Instant>,
    /// What each run was when it was last shown.
    states: Vec<Discriminant<State>>,
}

impl Screen {
    /// One that shows nothing yet.
    pub fn new() -> Self {
        let terminal = Term::stderr();
        let redraws = terminal.is_term() && !console::is_dumb();
        Self { terminal: redraws.then_some(terminal), drawn: 0, shown_at: None, states: Vec::new() }
    }

    /// Shows how the runs stand, if it is time to.
    pub fn show(&mut self, jobs: &mut [Job<'_>], output: &mut impl Write) {
        let states: Vec<_> = jobs.iter().map(|job| std::mem::discriminant(&job.state)).collect();
        let changed: Vec<bool> =
            states.iter().enumerate().map(|(index, state)| self.states.get(index) != Some(state)).collect();
        self.states = states;
        let period = if self.terminal.is_some() { DRAW_PERIOD } else { PLAIN_PERIOD };
        let due = self.shown_at.is_none_or(|shown| shown.elapsed() >= period);
        if !due && !changed.contains(&true) {
            return;
        }
        let goes_on = |job: &Job<'_>| matches!(job.state, State::Running(_) | State::Elsewhere(_));
        for (job, changed) in jobs.iter_mut().zip(&changed) {
            if (due && goes_on(job)) || *changed {
                job.progress = RunProgress::of(&job.run.folder);
            }
        }
        if due {
            self.shown_at = Some(Instant::now());
        }
        if self.terminal.is_some() {
            self.draw(&table(jobs, self.rows()));
            return;
        }
        for (job, changed) in jobs.iter().zip(changed) {
            // That a run waits is news for nobody.
            if (due && goes_on(job)) || (changed && !matches!(job.state, State::Waiting)) {
                // A reader that has gone away (`| head`) must not end a sweep.
                let _ = writeln!(output, "{}", cells(job).join("  ").trim_end());
            }
        }
        let _ = output.flush();
    }

    /// Leaves the table where it is, because something else was printed below it.
    pub fn leave(&mut self) {
        self.drawn = 0;
    }

    /// Says what became of the runs.
    pub fn finish(mut self, jobs: &mut [Job<'_>], output: &mut impl Write) -> io::Result<()> {
        self.draw(&[]);
        jobs.iter_mut().for_each(|job| job.progress = RunProgress::of(&job.run.folder));
        for line in table(jobs, usize::MAX) {
            writeln!(output, "{line}")?;
        }
        for job in jobs.iter() {
            if let State::Failed(reason) = &job.state {
                writeln!(output, "{} failed: {reason}", job.run.name)?;
            }
        }
        if jobs.iter().any(|job| !matches!(job.state, State::Ended)) {
            writeln!(output, "the same command goes on with what has not ended")?;
        }
        Ok(())
    }

    /// How many runs have room on the terminal.
    fn rows(&self) -> usize {
        let rows = self.terminal.as_ref().map_or(usize::MAX, |terminal| usize::from(terminal.size().0));
        rows.saturating_sub(SPARE_ROWS).max(1)
    }

    /// Draws lines over those of the last table.
    fn draw(&mut self, lines: &[String]) {
        let Some(terminal) = &self.terminal else { return };
        // Some terminals wrap when the last column is written.
        let columns = usize::from(terminal.size().1).saturating_sub(1);
        let mut text = String::new();
        if self.drawn > 0 {
            let _ = write!(text, "\x1b[{}A", self.drawn);
        }
        for line in lines {
            text.extend(line.chars().take(columns));
            text.push_str("\x1b[K\n");
        }
        text.push_str("\x1b[J");
        // A terminal that has gone away is no reason to stop.
        let _ = terminal.write_str(&text);
        self.drawn = lines.len();
    }
}

/// A line for each run, `rows` at most, those that go on before others; names of the columns above and numbers below.
fn table(jobs: &[Job<'_>], rows: usize) -> Vec<String> {
    let rank = |job: &Job<'_>| match job.state {
        State::Running(_) | State::Elsewhere(_) => 0,
        State::Failed(_) | State::Stopped => 1,
        State::Waiting => 2,
        State::Ended => 3,
    };
    let mut shown: Vec<usize> = (0..jobs.len()).collect();
    if jobs.len() > rows {
        shown.sort_by_key(|&index| rank(&jobs[index]));
        shown.truncate(rows);
        shown.sort_unstable();
    }
    let names = ["run", "state", "agent steps", "mean score", "steps/s"].map(str::to_owned);
    let lines: Vec<[String; 5]> = [names].into_iter().chain(shown.iter().map(|&index| columns(&jobs[index]))).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut table: Vec<String> = lines
        .iter()
        .map(|[run, state, steps, score, speed]| {
            let [a, b, c, d, e] = widths;
            format!("{run:<a$}  {state:<b$}  {steps:>c$}  {score:>d$}  {speed:>e$}")
        })
        .collect();
    table.push(counts(jobs));
    table
}

/// How many runs are in which state.
fn counts(jobs: &[Job<'_>]) -> String {
    let mut counts: Vec<(&str, usize)> =
        ["running", "elsewhere", "waiting", "stopped", "failed", "ended"].map(|state| (state, 0)).to_vec();
    for job in jobs {
        if let Some((_, count)) = counts.iter_mut().find(|(state, _)| *state == word(&job.state)) {
            *count += 1;
        }
    }
    let counts = counts.iter().filter(|(_, count)| *count > 0).map(|(state, count)| format!("{count} {state}"));
    format!("{} runs: {}", jobs.len(), counts.collect::<Vec<_>>().join(", "))
}

fn word(state: &State) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Running(_) => "running",
        State::Elsewhere(_) => "elsewhere",
        State::Ended => "ended",
        State::Stopped => "stopped",
        State::Failed(_) => "failed",
    }
}

/// Name, state, agent steps, mean score and speed of a run.
fn columns(job: &Job<'_>) -> [String; 5] {
    let limit = job.run.config.training().limit.0;
    let RunProgress { agent_steps, mean_score, agent_steps_per_second } = job.progress;
    let steps = format!("{} / {}", HumanCount(agent_steps), HumanCount(limit));
    let score = mean_score.map_or_else(|| "-".to_owned(), shown);
    let speed = agent_steps_per_second.map_or_else(|| "-".to_owned(), |speed| format!("{speed:.0}"));
    [job.run.name.clone(), word(&job.state).to_owned(), steps, score, speed]
}

/// A mean score: those of some games are between 0 and 1, those of others in the thousands.
fn shown(score: f64) -> String {
    if score.abs() < 10.0 { format!("{score:.2}") } else { format!("{score:.1}") }
}

/// The same in words, for a line of its own.
fn cells(job: &Job<'_>) -> Vec<String> {
    let [name, state, steps, score, speed] = columns(job);
    match &job.state {
        State::Failed(reason) => vec![name, format!("{state}: {reason}")],
        _ => {
            vec![name, state, format!("{steps} agent steps"), format!("mean score {score}"), format!("{speed} steps/s")]
        }
    }
}
