//! Environments of a program's own, trained through the library.

use std::path::PathBuf;

use prism::{Config, Ending, Environments, Event, Place, RecordError, Run, RunErrorKind, Sink, Value};
use prism_environment::{
    Element, Environment, EnvironmentError, EnvironmentSpec, Game, ObservationSpec, Seed, TimeStep,
};

use crate::support::assert_says;

/// Games of ten steps, of which the first is won; what is wrong with it is done in its second game.
struct Faulty {
    spec: EnvironmentSpec,
    fault: Fault,
    game: u8,
    step: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Reward,
    Stack,
    Panic,
    Own,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        let observation = ObservationSpec { stack: 2, frame: vec![1], element: Element::U8 };
        let actions = vec!["left".to_owned(), "right".to_owned()];
        Self { spec: EnvironmentSpec { name: "faulty".to_owned(), observation, actions }, fault, game: 0, step: 0 }
    }
}

impl Environment for Faulty {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        (self.game, self.step) = (self.game.saturating_add(1), 1);
        observation.copy_from_slice(&[0, 1]);
        Ok(TimeStep::first(0))
    }

    fn step(&mut self, _action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        self.step += 1;
        observation.copy_from_slice(&[self.step - 1, self.step]);
        let mut reward = if self.game == 1 { 1.0 } else { 0.0 };
        match self.fault {
            _ if self.game == 1 => {}
            Fault::None => {}
            Fault::Reward => reward = f32::NAN,
            Fault::Stack => observation[0] = 77,
            Fault::Panic => panic!("the walls fall"),
            Fault::Own => return Err(EnvironmentError::own("the board is unplugged")),
        }
        Ok(TimeStep::after_action(reward, if self.step == 10 { Game::Over } else { Game::Running }))
    }
}

fn config(steps: i64) -> Config {
    let settings = [
        ("environment.kind", Value::from("own")),
        ("environment.name", Value::from("faulty")),
        ("training.agent_steps", Value::from(steps)),
        ("training.score_window", Value::from(1)),
        ("run.device", Value::from("flex")),
    ];
    Config::preset("catch").expect("a preset").with_all(settings).expect("they fit")
}

fn faulty(fault: Fault) -> Environments {
    Environments::own(move |_seed| Ok(Faulty::new(fault)))
}

#[test]
fn a_fault_of_the_environment_ends_the_run_with_its_reason_and_the_weights() {
    for (fault, parts) in [
        (Fault::Reward, ["faulty does not do what an environment must", "reward is NaN"]),
        (Fault::Stack, ["an observation of 2 frames", "not the previous one shifted by one frame"]),
        (Fault::Panic, ["environment 0 panicked", "the walls fall"]),
        (Fault::Own, ["environment 0", "the board is unplugged"]),
    ] {
        for pipeline in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let config = config(500).with("training.pipeline", pipeline).expect("it fits");
            let run =
                Run::new(&config, faulty(fault), Place::At(folder.path().join("run"))).expect("nothing is wrong yet");
            let path = run.folder().path().to_owned();
            let error = run.go().expect_err("the environment fails");
            assert_eq!(error.kind(), RunErrorKind::Outside);
            assert_says(&error.reason(), &parts);
            let summary = std::fs::read_to_string(path.join("summary.json")).expect("a summary");
            assert_says(&summary, &["\"failed\"", parts[1]]);
            // Those of the game that was won.
            assert!(path.join("weights/best.safetensors").is_file(), "{fault:?}");
        }
    }
}

#[test]
fn a_run_is_not_made_of_other_environments_than_its_configuration_says() {
    let catch = Config::preset("catch").expect("a preset");
    let place = || Place::At(PathBuf::from("never-made"));
    let refusal = |config: &Config, environments| {
        let error = Run::new(config, environments, place()).expect_err("they differ");
        assert_eq!(error.kind(), RunErrorKind::Usage);
        error.reason()
    };
    assert_says(&refusal(&catch, faulty(Fault::None)), &["the program's own", "the configuration says catch"]);
    let catches = Environments::of(catch.environment(), None).expect("it needs no file");
    assert_says(&refusal(&config(500), catches), &["these environments are catch", "says faulty"]);
    assert!(!PathBuf::from("never-made").exists());
}

#[test]
fn a_device_without_a_name_is_refused() {
    let error = config(500).with_run(Seed(1), " ").expect_err("it has no name").to_string();
    assert_says(&error, &["run.device = \" \"", "the name of a device"]);
}

/// Takes the folder of weights away when the run has gone on for a while.
struct Vandal(PathBuf);

impl Sink for Vandal {
    fn take(&mut self, event: &Event, _: &prism::Moment) -> Result<(), RecordError> {
        if let Event::Progress(at) = event
            && at.agent_steps.0 >= 400
            && self.0.exists()
        {
            std::fs::remove_dir_all(&self.0).expect("it can be removed");
        }
        Ok(())
    }
}

#[test]
fn a_run_whose_last_weights_cannot_be_written_says_so_in_its_summary() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = Run::new(&config(500), faulty(Fault::None), Place::At(folder.path().join("run"))).expect("it can begin");
    let path = run.folder().path().to_owned();
    let run = run.with_sink(Box::new(Vandal(path.join("weights")))).expect("it takes note");
    let error = run.go().expect_err("there is nowhere to write").reason();
    assert_says(&error, &["cannot write", "safetensors"]);
    let summary = std::fs::read_to_string(path.join("summary.json")).expect("a summary");
    assert_says(&summary, &["\"failed\"", "cannot write"]);
}

#[test]
fn a_listener_hears_the_whole_run_from_its_start() {
    struct Listener(std::sync::mpsc::Sender<Event>);
    impl Sink for Listener {
        fn take(&mut self, event: &Event, _: &prism::Moment) -> Result<(), RecordError> {
            // Outside of rayon's pool each small operation of learning would wake a thread.
            let in_pool = rayon::current_thread_index().is_some();
            assert!(in_pool || !matches!(event, Event::Episode(_)));
            self.0.send(event.clone()).expect("somebody listens");
            Ok(())
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let run = Run::new(&config(500), faulty(Fault::None), Place::At(folder.path().join("run"))).expect("it can begin");
    let (sender, events) = std::sync::mpsc::channel();
    let summary = run.with_sink(Box::new(Listener(sender))).and_then(Run::go).expect("it ends by itself");
    assert_eq!(summary.ending, Ending::Limit);
    let events: Vec<Event> = events.iter().collect();
    assert!(matches!(&events[0], Event::Started(header) if header.limit.0 == 500));
    let lines: Vec<&str> = events
        .iter()
        .filter_map(|event| if let Event::Note(line) = event { Some(line.as_str()) } else { None })
        .collect();
    let log = std::fs::read_to_string(folder.path().join("run/log.txt")).expect("a log");
    assert_eq!(lines, log.lines().collect::<Vec<_>>());
    let games = events.iter().filter(|event| matches!(event, Event::Episode(_))).count() as u64;
    assert_eq!(games, summary.episodes);
}
