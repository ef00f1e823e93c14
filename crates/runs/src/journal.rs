//! The journal of a run: it is told what happens and hands it to everything that writes it down.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{Meter, Moment};
use crate::events::{Ending, Estimate, Event, Position, RunHeader, Summary};
use crate::folder::RunFolder;
use crate::log::Log;
use crate::narrator::Narrator;
use crate::screen::Screen;
use crate::sink::{FilePositions, RecordError, Sink};
use crate::summary_file::SummaryFile;
use crate::tables::Tables;
use crate::tensorboard::TensorBoard;

/// How often speeds are written down.
const TIMING_PERIOD: Duration = Duration::from_secs(10);
/// How long updates are made before the time that the run will take is estimated.
const ESTIMATE_AFTER: Duration = Duration::from_secs(10);

/// Hands what happens in a run to its sinks.
pub struct Journal {
    header: RunHeader,
    sinks: Vec<Box<dyn Sink>>,
    narrator: Narrator,
    meter: Meter,
    totals: Totals,
    /// When speeds were last written down.
    timed: Duration,
    estimate: Stage,
    ended: bool,
}

/// Where a journal is: what a later run needs to go on with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalPosition {
    files: FilePositions,
    elapsed: Duration,
    timed: Duration,
    totals: Totals,
}

/// What is said about a run as a whole.
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
enum Stage {
    /// The run has made so many updates since before this journal: its speed will change when it makes more.
    WarmUp {
        updates: u64,
    },
    /// Updates have been made since then and there.
    Measuring {
        since: Duration,
        from: Position,
    },
    Told,
}

impl Journal {
    /// Starts the files of a run, with tables, event file, log, screen and summary as sinks, and says what begins.
    ///
    /// # Errors
    /// When a file is there already or cannot be written.
    pub fn create(folder: &RunFolder, header: RunHeader) -> Result<Self, RecordError> {
        let meter = Meter::start(Duration::ZERO, Position::default());
        let sinks: Vec<Box<dyn Sink>> = vec![
            Box::new(Tables::create(folder, &header)?),
            Box::new(TensorBoard::create(folder, &header, &meter.moment())?),
            Box::new(Log::create(folder)?),
            Box::new(Screen::new(&header, &Position::default())),
            Box::new(SummaryFile::new(folder, &header)),
        ];
        let mut journal = Self::of(folder, header, sinks, meter, Totals::default(), Duration::ZERO);
        journal.record(Event::Started(journal.header.clone()))?;
        Ok(journal)
    }

    /// Goes on with the files of a run from where its journal was at `position`: what was written since is removed.
    ///
    /// # Errors
    /// When a file is missing, cannot be written or has lost what it held.
    pub fn resume(folder: &RunFolder, header: RunHeader, position: &JournalPosition) -> Result<Self, RecordError> {
        let JournalPosition { files, elapsed, timed, totals } = position;
        let mut sinks: Vec<Box<dyn Sink>> = vec![
            Box::new(Tables::open(folder, &header)?),
            Box::new(TensorBoard::open(folder, &header)?),
            Box::new(Log::open(folder)?),
            Box::new(Screen::new(&header, &totals.at)),
            Box::new(SummaryFile::new(folder, &header)),
        ];
        sinks.iter_mut().try_for_each(|sink| sink.rewind(files))?;
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
        let estimate = Stage::WarmUp { updates: totals.at.updates };
        Self { header, sinks, narrator, meter, totals, timed, estimate, ended: false }
    }

    /// Adds a sink, which is told how the run began and from now on everything that happens.
    ///
    /// # Errors
    /// When the sink cannot take note of the beginning.
    pub fn add(&mut self, mut sink: Box<dyn Sink>) -> Result<(), RecordError> {
        sink.take(&Event::Started(self.header.clone()), &self.meter.moment())?;
        self.sinks.push(sink);
        Ok(())
    }

    /// Takes note of `event`. [`Event::Progress`] belongs behind every agent step: the journal decides what is shown of it.
    ///
    /// # Errors
    /// When a sink cannot write; the others have been told all the same.
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

    /// Where the journal is. Everything up to here is safely on the disk.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn position(&mut self) -> Result<JournalPosition, RecordError> {
        // A line that waits for its second to end would be lost.
        if let Some(line) = self.narrator.held_back() {
            self.note(line)?;
        }
        let mut files = FilePositions::default();
        for sink in &mut self.sinks {
            files.extend(sink.position()?);
        }
        Ok(JournalPosition { files, elapsed: self.meter.elapsed(), timed: self.timed, totals: self.totals.clone() })
    }

    /// Says how the run ended at `at` and completes every file. A journal that is dropped before says that the run has
    /// failed.
    ///
    /// # Errors
    /// When a sink cannot write; the others have been told all the same.
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

    /// Gives the sinks an event and the lines that it deserves.
    fn tell(&mut self, event: &Event, moment: &Moment) -> Result<(), RecordError> {
        let lines = self.narrator.lines(event, moment);
        let mut outcome = self.give(event, moment);
        for line in lines {
            outcome = outcome.and(self.give(&Event::Note(line), moment));
        }
        outcome
    }

    /// Gives every sink an event, also where one before fails; the first failure is the outcome.
    fn give(&mut self, event: &Event, moment: &Moment) -> Result<(), RecordError> {
        self.sinks.iter_mut().fold(Ok(()), |outcome, sink| outcome.and(sink.take(event, moment)))
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
            // Whoever gave it up has an error of their own to tell.
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

impl Stage {
    /// Takes note of where the run stands; gives the estimate when it is time for it.
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
                // At no speed at all there is no end to tell.
                let remaining = Duration::try_from_secs_f64(left / agent_steps_per_second).ok()?;
                Some(Estimate { remaining, agent_steps_per_second })
            }
            Self::Told => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::clock::tests::moment;
    use crate::events::tests::{episode, events, header, position};

    fn new_folder(parent: &Path, name: &str) -> RunFolder {
        RunFolder::create(&parent.join(name), &header().manifest).unwrap()
    }

    fn summary(folder: &RunFolder) -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.path().join("summary.json")).unwrap()).unwrap()
    }

    fn text(folder: &RunFolder, name: &str) -> String {
        fs::read_to_string(folder.path().join(name)).unwrap()
    }

    /// Every file directly in the folder of a run, by name.
    fn files(folder: &RunFolder) -> BTreeMap<String, Vec<u8>> {
        let paths = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let files = paths.filter(|path| path.is_file());
        files.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())).collect()
    }

    /// Makes the sinks of a new run, or opens those of one that goes on.
    type Make = fn(&RunFolder, bool) -> Box<dyn Sink>;

    const FILE_SINKS: [Make; 3] = [
        |folder, new| {
            Box::new(if new { Tables::create(folder, &header()) } else { Tables::open(folder, &header()) }.unwrap())
        },
        |folder, new| {
            let sink = if new {
                TensorBoard::create(folder, &header(), &moment(0))
            } else {
                TensorBoard::open(folder, &header())
            };
            Box::new(sink.unwrap())
        },
        |folder, new| Box::new(if new { Log::create(folder) } else { Log::open(folder) }.unwrap()),
    ];

    fn give(sink: &mut dyn Sink, agent_steps: u64) {
        for event in events(agent_steps) {
            sink.take(&event, &moment(agent_steps)).unwrap();
        }
    }

    #[test]
    fn a_file_that_was_rewound_and_continued_equals_one_written_in_one_go() {
        for make in FILE_SINKS {
            let parent = tempfile::tempdir().unwrap();
            let whole = new_folder(parent.path(), "whole");
            let mut sink = make(&whole, true);
            [18, 36, 54].into_iter().for_each(|steps| give(sink.as_mut(), steps));
            drop(sink);

            let parts = new_folder(parent.path(), "parts");
            let mut sink = make(&parts, true);
            let start = sink.position().unwrap();
            give(sink.as_mut(), 18);
            let position = sink.position().unwrap();
            give(sink.as_mut(), 999);
            // Within one process, and by a later one that finds the files longer than they were.
            sink.rewind(&position).unwrap();
            give(sink.as_mut(), 36);
            let position = sink.position().unwrap();
            give(sink.as_mut(), 999);
            drop(sink);
            let mut sink = make(&parts, false);
            sink.rewind(&position).unwrap();
            give(sink.as_mut(), 54);
            sink.position().unwrap();
            assert!(files(&whole) == files(&parts), "{:?}", position);

            // Back to before distributions had a file.
            sink.rewind(&start).unwrap();
            [18, 36, 54].into_iter().for_each(|steps| give(sink.as_mut(), steps));
            drop(sink);
            assert!(files(&whole) == files(&parts), "{:?}", start);
        }
    }

    #[test]
    fn a_file_that_has_lost_what_it_held_is_not_continued() {
        for make in FILE_SINKS {
            let parent = tempfile::tempdir().unwrap();
            let folder = new_folder(parent.path(), "run");
            let mut sink = make(&folder, true);
            give(sink.as_mut(), 18);
            let position = sink.position().unwrap();
            sink.rewind(&FilePositions::default()).unwrap();
            let error = sink.rewind(&position).unwrap_err();
            assert!(matches!(&error, RecordError::Shorter { found: 0, .. }), "{error}");
        }
    }

    #[test]
    fn a_journal_that_goes_on_leaves_the_tables_of_one_that_was_never_interrupted() {
        let parent = tempfile::tempdir().unwrap();
        let tables = ["episodes.csv", "train.csv", "evaluations.csv", "distributions.csv"];
        let whole = new_folder(parent.path(), "whole");
        let mut journal = Journal::create(&whole, header()).unwrap();
        events(18).into_iter().chain(events(36)).for_each(|event| journal.record(event).unwrap());
        let expected = journal.finish(Ending::Limit, position(36)).unwrap();

        let parts = new_folder(parent.path(), "parts");
        let mut journal = Journal::create(&parts, header()).unwrap();
        events(18).into_iter().for_each(|event| journal.record(event).unwrap());
        let at = serde_json::to_string(&journal.position().unwrap()).unwrap();
        events(27).into_iter().for_each(|event| journal.record(event).unwrap());
        journal.finish(Ending::Interrupted, position(27)).unwrap();
        let at: JournalPosition = serde_json::from_str(&at).unwrap();
        let mut journal = Journal::resume(&parts, header(), &at).unwrap();
        assert!(!parts.path().join("summary.json").exists());
        events(36).into_iter().for_each(|event| journal.record(event).unwrap());
        let summary = journal.finish(Ending::Limit, position(36)).unwrap();
        for name in tables {
            assert_eq!(text(&parts, name), text(&whole, name), "{name}");
        }
        assert_eq!((summary.episodes, summary.best_score), (expected.episodes, expected.best_score));
        let log = text(&parts, "log.txt");
        assert!(log.contains("goes on at 18 agent steps") && !log.contains("interrupted"), "{log}");
        assert!(log.contains("evaluation 2 at 36"), "{log}");
    }

    #[test]
    fn the_log_holds_every_line_and_each_score_its_protocol() {
        let parent = tempfile::tempdir().unwrap();
        let folder = new_folder(parent.path(), "run");
        let mut journal = Journal::create(&folder, header()).unwrap();
        events(9).into_iter().for_each(|event| journal.record(event).unwrap());
        journal.finish(Ending::Limit, position(9)).unwrap();
        let log = text(&folder, "log.txt");
        let parts = [
            "catch (protocol catch 10x5)",
            "seed 7",
            "a note at 9",
            "episode 1  score -1 ",
            "evaluation 1",
            "reached the limit in",
        ];
        for part in parts {
            assert!(log.contains(part), "`{part}` is not in {log}");
        }
        let summary = summary(&folder);
        assert_eq!((&summary["ending"], &summary["mean_score"]), (&"limit".into(), &(-0.5).into()));
        assert_eq!((&summary["best_score"], &summary["agent_steps"]), (&(-1.0).into(), &9.into()));
        assert_eq!(text(&folder, "timing.csv").lines().count(), 3, "one given, one at the end");
    }

    #[test]
    fn the_newest_game_has_a_line_where_others_had_none() {
        let parent = tempfile::tempdir().unwrap();
        let folder = new_folder(parent.path(), "run");
        let mut journal = Journal::create(&folder, header()).unwrap();
        (1..=100).for_each(|number| journal.record(episode(number, 0.0)).unwrap());
        journal.finish(Ending::Limit, position(900)).unwrap();
        let log = text(&folder, "log.txt");
        assert!(log.contains("episode 100  ") && !log.contains("episode 50  "), "{log}");
    }

    #[test]
    fn a_run_that_is_given_up_or_panics_has_a_summary_that_says_so() {
        let parent = tempfile::tempdir().unwrap();
        let folder = new_folder(parent.path(), "given-up");
        let mut journal = Journal::create(&folder, header()).unwrap();
        journal.record(Event::Progress(position(9))).unwrap();
        drop(journal);
        assert_eq!((&summary(&folder)["ending"], &summary(&folder)["agent_steps"]), (&"failed".into(), &9.into()));
        assert_eq!(summary(&folder)["reason"], "the run was given up before its end");

        let folder = new_folder(parent.path(), "panics");
        let journal = Journal::create(&folder, header()).unwrap();
        let panicked = std::thread::spawn(move || {
            let _journal = journal;
            panic!("as a bug would");
        });
        panicked.join().unwrap_err();
        assert!(summary(&folder)["reason"].as_str().unwrap().contains("panicked"));
    }

    /// A sink that remembers, and fails where it is told to.
    struct Listener {
        heard: Arc<Mutex<Vec<Event>>>,
        fails: bool,
    }

    impl Sink for Listener {
        fn take(&mut self, event: &Event, _: &Moment) -> Result<(), RecordError> {
            self.heard.lock().unwrap().push(event.clone());
            match event {
                Event::Note(_) if self.fails => {
                    Err(RecordError::write(Path::new("page"), std::io::ErrorKind::StorageFull.into()))
                }
                _ => Ok(()),
            }
        }
    }

    #[test]
    fn whoever_joins_is_told_how_the_run_began_and_what_happens_then() {
        let parent = tempfile::tempdir().unwrap();
        let folder = new_folder(parent.path(), "run");
        let mut journal = Journal::create(&folder, header()).unwrap();
        journal.note("before").unwrap();
        let heard = Arc::default();
        journal.add(Box::new(Listener { heard: Arc::clone(&heard), fails: false })).unwrap();
        journal.note("after").unwrap();
        journal.record(episode(1, 3.0)).unwrap();
        journal.finish(Ending::Solved, position(9)).unwrap();
        let heard = heard.lock().unwrap();
        assert_eq!(heard[..3], [Event::Started(header()), Event::Note("after".to_owned()), episode(1, 3.0)]);
        assert!(matches!(&heard[3], Event::Note(line) if line.starts_with("episode 1  score 3")));
        assert!(matches!(&heard[4], Event::Ended(summary) if summary.ending == Ending::Solved));
    }

    #[test]
    fn a_sink_that_fails_is_reported_and_keeps_nothing_from_the_others() {
        let parent = tempfile::tempdir().unwrap();
        let folder = new_folder(parent.path(), "run");
        let mut journal = Journal::create(&folder, header()).unwrap();
        journal.sinks.insert(0, Box::new(Listener { heard: Arc::default(), fails: true }));
        let error = journal.record(episode(1, 3.0)).unwrap_err();
        assert!(matches!(error, RecordError::Write { path, .. } if path == Path::new("page")));
        journal.finish(Ending::Limit, position(9)).unwrap_err();
        assert_eq!(text(&folder, "episodes.csv").lines().count(), 2);
        assert!(text(&folder, "log.txt").contains("episode 1"));
        assert_eq!(summary(&folder)["ending"], "limit");
    }

    #[test]
    fn the_time_is_estimated_from_the_speed_of_learning_and_not_of_the_warm_up() {
        let mut stage = Stage::WarmUp { updates: 0 };
        let header = header();
        let mut advance = |seconds, agent_steps, updates| {
            let at = Position { updates, ..position(agent_steps) };
            stage.advance(&at, Duration::from_secs(seconds), &header)
        };
        assert_eq!(advance(20, 500, 0), None, "the warm-up");
        assert_eq!(advance(21, 510, 1), None);
        assert_eq!(advance(30, 555, 40), None);
        // From 510 to 560 in ten seconds: 5 a second, and 440 to go.
        let expected = Estimate { remaining: Duration::from_secs(88), agent_steps_per_second: 5.0 };
        assert_eq!(advance(31, 560, 45), Some(expected));
        assert_eq!(advance(99, 600, 90), None, "once");
    }
}
