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

/// Makes a sink of a new run, or opens that of a continued one.
type Make = fn(&RunFolder, bool) -> Box<dyn Sink>;

const FILE_SINKS: [Make; 3] = [
    |folder, new| {
        Box::new(if new { Tables::create(folder, &header()) } else { Tables::open(folder, &header()) }.unwrap())
    },
    |folder, new| {
        let sink =
            if new { TensorBoard::create(folder, &header(), &moment(0)) } else { TensorBoard::open(folder, &header()) };
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
    let at = serde_json::to_string(&journal.position(Owed::Nothing).unwrap()).unwrap();
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

/// A sink that stores events, and fails at notes if `fails`.
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
fn an_added_sink_takes_the_start_its_notes_and_every_later_event() {
    let parent = tempfile::tempdir().unwrap();
    let folder = new_folder(parent.path(), "run");
    let mut journal = Journal::create(&folder, header()).unwrap();
    journal.note("before").unwrap();
    let [early, late] = [(), ()].map(|()| Arc::<Mutex<Vec<Event>>>::default());
    let listener = |heard: &Arc<_>| Box::new(Listener { heard: Arc::clone(heard), fails: false });
    journal.add(listener(&early)).unwrap();
    journal.note("after").unwrap();
    journal.record(episode(1, 3.0)).unwrap();
    journal.add(listener(&late)).unwrap();
    journal.finish(Ending::Solved, position(9)).unwrap();
    let (early, late) = (early.lock().unwrap(), late.lock().unwrap());
    let note = |line: &str| Event::Note(line.to_owned());
    assert_eq!(early[0], Event::Started(header()));
    assert!(matches!(&early[1], Event::Note(line) if line.starts_with("catch (protocol catch 10x5)")));
    assert!(matches!(&early[2], Event::Note(line) if line.starts_with("seed 7")));
    assert_eq!(early[3..6], [note("before"), note("after"), episode(1, 3.0)]);
    assert!(matches!(&early[6], Event::Note(line) if line.starts_with("episode 1  score 3")));
    assert!(matches!(&early[7], Event::Ended(summary) if summary.ending == Ending::Solved));
    // What had happened before is not told again.
    assert_eq!(late[0], Event::Started(header()));
    assert!(matches!(&late[1], Event::Ended(_)));
}

#[test]
fn a_failure_of_a_sink_is_reported_and_the_others_still_take_the_event() {
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
    let mut stage = EstimateStage::WarmUp { updates: 0 };
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
