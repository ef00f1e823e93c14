//! The journal of a run: it passes every event to the sinks that record it.

use std::fmt;
use std::time::Duration;

use prism_environment::AgentSteps;
use serde::{Deserialize, Serialize};

use crate::clock::{Meter, Moment};
use crate::events::{Ending, Estimate, Event, RunHeader, Summary};
use crate::folder::RunFolder;
use crate::log::Log;
use crate::narrator::Narrator;
use crate::position::Position;
use crate::sink::{FilePositions, RecordError, Sink};
use crate::summary_file::SummaryFile;
use crate::tables::{Tables, append_evaluations, later_evaluations};
use crate::tensorboard::TensorBoard;

/// How often speeds are written down.
const TIMING_PERIOD: Duration = Duration::from_secs(10);
/// How long updates are made before the time that the run will take is estimated.
const ESTIMATE_AFTER: Duration = Duration::from_secs(10);

/// Passes the events of a run to its sinks.
pub struct Journal {
    header: RunHeader,
    sinks: Vec<Box<dyn Sink>>,
    /// What a sink that is added takes first: [`Event::Started`], and the notes so far while `fresh`.
    opening: Vec<Event>,
    /// Whether nothing but notes has been recorded.
    fresh: bool,
    narrator: Narrator,
    meter: Meter,
    totals: Totals,
    /// When speeds were last written down.
    timed: Duration,
    estimate: EstimateStage,
    ended: bool,
}

/// What a run has still to record for the agent steps that it has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owed {
    /// Nothing.
    Nothing,
    /// An evaluation, which has not been made or was cut short.
    Evaluation,
}

/// The state of a journal that a later process needs to continue it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalPosition {
    owed: Owed,
    files: FilePositions,
    elapsed: Duration,
    timed: Duration,
    totals: Totals,
}

impl JournalPosition {
    /// What the run owed.
    pub fn owed(&self) -> Owed {
        self.owed
    }

    /// What contradicts a run that is at `at`, if anything does.
    ///
    /// # Errors
    /// The contradiction, in words.
    pub fn check(&self, at: &Position) -> Result<(), String> {
        /// A hundred years: sums of such times do not overflow.
        const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        let Self { elapsed, timed, totals, .. } = self;
        if timed > elapsed || *elapsed > LONGEST {
            return Err(format!("its speeds were written down after {timed:?} of {elapsed:?}"));
        }
        let counts = |at: &Position| (at.agent_steps, at.frames, at.updates);
        if counts(&totals.at) != counts(at) {
            return Err(format!("its records are at {:?}, and it is at {at:?}", totals.at));
        }
        Ok(())
    }
}

/// Totals over a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Totals {
    episodes: u64,
    evaluations: u64,
    mean_score: Option<f64>,
    best_score: Option<f64>,
    at: Position,
}

/// How far the estimate of a run's time has come.
#[derive(Clone, Copy, Debug)]
enum EstimateStage {
    /// The run has made no more than the `updates` it had when this journal began: its speed will change with the next.
    WarmUp {
        updates: u64,
    },
    /// Updates are being made since this time and position.
    Measuring {
        since: Duration,
        from: Position,
    },
    Told,
}

impl Journal {
    /// Starts the files of a run, with tables, event file, log and summary as sinks, and records that it begins.
    ///
    /// # Errors
    /// When a file is there already or cannot be written.
    pub fn create(folder: &RunFolder, header: RunHeader) -> Result<Self, RecordError> {
        let meter = Meter::start(Duration::ZERO, Position::default());
        let sinks: Vec<Box<dyn Sink>> = vec![
            Box::new(Tables::create(folder, &header)?),
            Box::new(TensorBoard::create(folder, &header, &meter.moment())?),
            Box::new(Log::create(folder)?),
            Box::new(SummaryFile::new(folder, &header)),
        ];
        let mut journal = Self::of(folder, header, sinks, meter, Totals::default(), Duration::ZERO);
        journal.record(Event::Started(journal.header.clone()))?;
        Ok(journal)
    }

    /// Continues the files of a run from `position`: what was written after it is removed, but for evaluations that other
    /// programs made of the run as it was at `position` or before.
    ///
    /// # Errors
    /// When a file is missing, cannot be written or is shorter than at `position`.
    pub fn resume(folder: &RunFolder, header: RunHeader, position: &JournalPosition) -> Result<Self, RecordError> {
        let JournalPosition { owed, files, elapsed, timed, totals } = position;
        // The run's own are those of later agent steps, and of these where that one is owed.
        let own_from = match owed {
            Owed::Nothing => totals.at.agent_steps + AgentSteps(1),
            Owed::Evaluation => totals.at.agent_steps,
        };
        let of_others = later_evaluations(folder, files, own_from)?;
        let mut sinks: Vec<Box<dyn Sink>> = vec![
            Box::new(Tables::open(folder, &header)?),
            Box::new(TensorBoard::open(folder, &header)?),
            Box::new(Log::open(folder)?),
            Box::new(SummaryFile::new(folder, &header)),
        ];
        sinks.iter_mut().try_for_each(|sink| sink.rewind(files))?;
        append_evaluations(folder, of_others)?;
        let meter = Meter::start(*elapsed, totals.at);
        let mut journal = Self::of(folder, header, sinks, meter, totals.clone(), *timed);
        journal.note(format!("goes on at {}; records in {}", totals.at.agent_steps, folder.path().display()))?;
        Ok(journal)
    }

    fn of(
        folder: &RunFolder,
        header: RunHeader,
        sinks: Vec<Box<dyn Sink>>,
        meter: Meter,
        totals: Totals,
        timed: Duration,
    ) -> Self {
        let narrator = Narrator::new(folder, &header, totals.evaluations);
        let estimate = EstimateStage::WarmUp { updates: totals.at.updates };
        let opening = vec![Event::Started(header.clone())];
        Self { header, sinks, opening, fresh: true, narrator, meter, totals, timed, estimate, ended: false }
    }

    /// Adds a sink, which takes every event from now on. Before them it takes [`Event::Started`], and the notes that were
    /// made before anything happened in the run, if nothing has.
    ///
    /// # Errors
    /// When the sink cannot record the beginning.
    pub fn add(&mut self, mut sink: Box<dyn Sink>) -> Result<(), RecordError> {
        let moment = self.meter.moment();
        self.opening.iter().try_for_each(|event| sink.take(event, &moment))?;
        self.sinks.push(sink);
        Ok(())
    }

    /// Records `event`. [`Event::Progress`] belongs after every call that plays: sinks decide how often they show it.
    ///
    /// # Errors
    /// When a sink cannot write; the others have taken the event nevertheless.
    pub fn record(&mut self, event: Event) -> Result<(), RecordError> {
        if let Event::Progress(at) = &event {
            self.meter.measure(self.meter.elapsed(), at);
        }
        self.totals.count(&event);
        let moment = self.meter.moment();
        let mut outcome = self.tell(&event, &moment);
        if let Event::Progress(at) = event {
            if moment.elapsed - self.timed >= TIMING_PERIOD {
                self.timed = moment.elapsed;
                outcome = outcome.and(self.give(&Event::Timing(at), &moment));
            }
            if let Some(estimate) = self.estimate.advance(&at, moment.elapsed, &self.header) {
                outcome = outcome.and(self.tell(&Event::Estimate(estimate), &moment));
            }
        }
        outcome
    }

    /// Shows and logs a line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&mut self, line: impl Into<String>) -> Result<(), RecordError> {
        self.record(Event::Note(line.into()))
    }

    /// The state to continue from, where the run owes `owed`. Everything recorded so far is on the disk when this returns.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn position(&mut self, owed: Owed) -> Result<JournalPosition, RecordError> {
        // A line that is held back until its second ends would be lost.
        if let Some(line) = self.narrator.held_back() {
            self.note(line)?;
        }
        let mut files = FilePositions::default();
        for sink in &mut self.sinks {
            files.extend(sink.position()?);
        }
        let (elapsed, timed, totals) = (self.meter.elapsed(), self.timed, self.totals.clone());
        Ok(JournalPosition { owed, files, elapsed, timed, totals })
    }

    /// Records how the run ended at `at` and completes every file. A journal that is dropped without it records that the
    /// run failed.
    ///
    /// # Errors
    /// When a sink cannot write; the others have taken the event nevertheless.
    pub fn finish(mut self, ending: Ending, at: Position) -> Result<Summary, RecordError> {
        self.totals.at = at;
        self.end(ending)
    }

    fn end(&mut self, ending: Ending) -> Result<Summary, RecordError> {
        self.ended = true;
        let Totals { episodes, mean_score, best_score, at, .. } = self.totals;
        let (elapsed, rates) = (self.meter.elapsed(), self.meter.overall(&at));
        let summary = Summary { ending, episodes, mean_score, best_score, at, elapsed, rates };
        self.record(Event::Ended(summary.clone()))?;
        Ok(summary)
    }

    /// Passes an event to the sinks, with the lines about it.
    fn tell(&mut self, event: &Event, moment: &Moment) -> Result<(), RecordError> {
        let lines = self.narrator.lines(event, moment);
        let mut outcome = self.give(event, moment);
        for line in lines {
            outcome = outcome.and(self.give(&Event::Note(line), moment));
        }
        outcome
    }

    /// Passes an event to every sink, also after a failure of one; returns the first failure.
    fn give(&mut self, event: &Event, moment: &Moment) -> Result<(), RecordError> {
        match event {
            Event::Started(_) => {}
            Event::Note(_) if self.fresh => self.opening.push(event.clone()),
            _ => {
                self.fresh = false;
                self.opening.truncate(1);
            }
        }
        let mut outcome = Ok(());
        for sink in &mut self.sinks {
            outcome = outcome.and(sink.take(event, moment));
        }
        outcome
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if !self.ended {
            let reason = if std::thread::panicking() {
                "the program has a bug and panicked"
            } else {
                "the run was given up before its end"
            };
            // The caller that gave it up has an error of its own to report.
            let _ = self.end(Ending::Failed { reason: reason.to_owned() });
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sinks = self.sinks.len();
        f.debug_struct("Journal").field("totals", &self.totals).field("sinks", &sinks).finish_non_exhaustive()
    }
}

impl Totals {
    fn count(&mut self, event: &Event) {
        match event {
            Event::Episode(record) => {
                self.episodes = record.game.number;
                self.mean_score = Some(record.mean_score);
                self.best_score = Some(self.best_score.map_or(record.game.score, |best| best.max(record.game.score)));
                self.at = record.at;
            }
            Event::Evaluation(_) => self.evaluations += 1,
            Event::Progress(at) => self.at = *at,
            _ => {}
        }
    }
}

impl EstimateStage {
    /// Advances with the run's position; returns the estimate when it can be made.
    fn advance(&mut self, at: &Position, now: Duration, header: &RunHeader) -> Option<Estimate> {
        match *self {
            Self::WarmUp { updates } => {
                if at.updates > updates {
                    *self = Self::Measuring { since: now, from: *at };
                }
                None
            }
            Self::Measuring { since, from } => {
                let seconds = now.checked_sub(since).filter(|time| *time >= ESTIMATE_AFTER)?.as_secs_f64();
                *self = Self::Told;
                let agent_steps_per_second = (at.agent_steps.0 - from.agent_steps.0) as f64 / seconds;
                let left = header.limit.0.saturating_sub(at.agent_steps.0) as f64;
                // At a speed of 0 the time is infinite.
                let remaining = Duration::try_from_secs_f64(left / agent_steps_per_second).ok()?;
                Some(Estimate { remaining, agent_steps_per_second })
            }
            Self::Told => None,
        }
    }
}

#[cfg(test)]
mod tests;
