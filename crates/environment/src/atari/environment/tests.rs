use super::*;
use crate::atari::options::RewardTransform;
use crate::atari::palette::Palette;
use crate::atari::protocol::Protocol;
use crate::emulator::interface::BadSnapshot;

/// A console whose game follows a script: one event for each frame after a reset, nothing once they are over.
#[derive(Clone)]
struct Scripted {
    game: &'static str,
    script: Vec<Event>,
    lives_at_start: u32,
    lives: u32,
    frame: u32,
    over: bool,
    seen: std::sync::Arc<std::sync::Mutex<Vec<Action>>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Event {
    Points(i32),
    LoseLife,
    End,
}

impl Scripted {
    fn new(lives: u32, script: &[Event]) -> Self {
        let script = script.to_vec();
        let seen = Default::default();
        Self { game: "pong", script, lives_at_start: lives, lives, frame: 0, over: false, seen }
    }
}

impl Emulator for Scripted {
    fn game(&self) -> &str {
        self.game
    }

    fn screen_size(&self) -> (usize, usize) {
        (2, 2)
    }

    fn palette(&self) -> &'static Palette {
        Palette::NTSC
    }

    fn minimal_actions(&self) -> &[Action] {
        &[Action::Noop, Action::Fire, Action::Up]
    }

    fn reset(&mut self) {
        (self.lives, self.frame, self.over) = (self.lives_at_start, 0, false);
    }

    fn act(&mut self, action: Action) -> i32 {
        assert!(!self.over, "nothing may be done after the end");
        self.seen.lock().unwrap().push(action);
        let event = self.script.get(self.frame as usize).copied().unwrap_or(Event::Points(0));
        self.frame += 1;
        match event {
            Event::Points(points) => points,
            Event::LoseLife => {
                self.lives -= 1;
                0
            }
            Event::End => {
                self.over = true;
                0
            }
        }
    }

    fn game_over(&self) -> bool {
        self.over
    }

    fn lives(&self) -> u32 {
        self.lives
    }

    /// Frame n lights pixel n mod 4, in a colour of its own among the greys.
    fn read_screen(&self, screen: &mut [u8]) {
        screen.fill(0);
        screen[self.frame as usize % 4] = 2 * (1 + self.frame % 7) as u8;
    }

    fn read_ram(&self, ram: &mut [u8; RAM_BYTES]) {
        ram.fill(self.frame as u8);
    }

    fn snapshot(&self) -> Vec<u8> {
        vec![self.frame as u8, self.lives as u8]
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), BadSnapshot> {
        let [frame, lives] = snapshot else { return Err(BadSnapshot { reason: "it is not scripted".into() }) };
        (self.frame, self.lives) = (u32::from(*frame), u32::from(*lives));
        Ok(())
    }
}

fn options() -> AtariOptions {
    AtariOptions {
        view: View::Image { colour: Colour::Grey, height: 2, width: 2 },
        repeat_action_probability: 0.0,
        reward: RewardTransform::Clip,
        stack: 2,
        ..Protocol::Dopamine.options("pong")
    }
}

fn environment(options: AtariOptions, console: Scripted) -> AtariEnvironment {
    let config = AtariConfig::new(options).expect("valid options");
    AtariEnvironment::with_emulator(&config, Box::new(console), Seed(1)).expect("a console of pong")
}

fn start(options: AtariOptions, console: Scripted) -> (AtariEnvironment, Vec<u8>) {
    let mut environment = environment(options, console);
    let mut observation = vec![0; environment.spec().observation.bytes()];
    environment.reset(&mut observation).expect("a start");
    (environment, observation)
}

/// The scripted screen after `frame`, grey.
fn screen(frame: u32) -> [u8; 4] {
    let mut pixels = [0; 4];
    pixels[frame as usize % 4] = Palette::NTSC.grey[2 * (1 + frame as usize % 7)];
    pixels
}

fn pooled(a: u32, b: u32) -> [u8; 4] {
    std::array::from_fn(|pixel| screen(a)[pixel].max(screen(b)[pixel]))
}

#[test]
fn a_step_repeats_the_action_sums_points_and_pools_the_last_two_screens() {
    let script = [Event::Points(1), Event::Points(2), Event::Points(0), Event::Points(4)];
    let console = Scripted::new(3, &script);
    let seen = console.seen.clone();
    let (mut environment, mut observation) = start(options(), console);
    assert_eq!(observation, [[0; 4], screen(0)].concat(), "missing frames are zeros");

    let step = environment.step(2, &mut observation).expect("a step");
    assert_eq!(*seen.lock().unwrap(), [Action::Up; 4]);
    assert_eq!((step.raw_reward, step.reward, step.discount, step.frames), (7.0, 1.0, 1.0, 4));
    assert_eq!((step.step_type, step.game, step.lives), (StepType::Mid, Game::Running, 3));
    assert_eq!(observation, [screen(0), pooled(3, 4)].concat(), "oldest first");
}

#[test]
fn without_pooling_only_the_last_screen_shows() {
    let options = AtariOptions { pooling: Pooling::Last, ..options() };
    let (mut environment, mut observation) = start(options, Scripted::new(3, &[]));
    environment.step(0, &mut observation).expect("a step");
    assert_eq!(observation[4..], screen(4));
}

#[test]
fn a_game_that_ends_within_a_step_stops_there_and_shows_its_last_two_screens() {
    let script = [Event::Points(1), Event::Points(1), Event::End];
    let (mut environment, mut observation) = start(options(), Scripted::new(0, &script));
    let step = environment.step(0, &mut observation).expect("a step");
    assert_eq!((step.step_type, step.game, step.discount), (StepType::Last, Game::Over, 0.0));
    assert_eq!((step.frames, step.raw_reward), (3, 2.0));
    assert_eq!(observation[4..], pooled(2, 3));

    let error = environment.step(0, &mut observation).expect_err("the episode is over");
    assert!(matches!(error, EnvironmentError::NeedsReset { .. }), "{error}");
    assert_eq!(environment.reset(&mut observation).expect("a start").step_type, StepType::First);
    assert_eq!(observation, [[0; 4], screen(0)].concat(), "the stack is cleared");
}

#[test]
fn a_game_whose_end_the_console_misses_is_over_when_no_lives_are_left() {
    let script = [Event::Points(5), Event::LoseLife, Event::Points(7), Event::Points(0)];
    let step = |game: &'static str, life_loss| {
        let options = AtariOptions { game: game.into(), life_loss, ..options() };
        let (mut environment, mut observation) = start(options, Scripted { game, ..Scripted::new(1, &script) });
        environment.step(0, &mut observation).expect("a step")
    };
    for life_loss in [LifeLoss::Ignore, LifeLoss::ZeroDiscount, LifeLoss::EpisodeEnd] {
        let last = step("chopper_command", life_loss);
        assert_eq!((last.step_type, last.game, last.discount, last.lives), (StepType::Last, Game::Over, 0.0, 0));
        assert_eq!((last.frames, last.raw_reward), (2, 5.0));
    }
    let goes_on = step("bank_heist", LifeLoss::Ignore);
    assert_eq!((goes_on.step_type, goes_on.game, goes_on.lives), (StepType::Mid, Game::Running, 0));
    assert_eq!((goes_on.frames, goes_on.raw_reward), (4, 12.0));
}

#[test]
fn a_missed_end_within_the_no_op_start_starts_another_game() {
    let options = AtariOptions { game: "chopper_command".into(), no_op_max: 1, ..options() };
    let console = Scripted { game: "chopper_command", ..Scripted::new(1, &[Event::LoseLife]) };
    let (environment, _) = start(options, console);
    assert_eq!(environment.emulator().lives(), 1);
}

#[test]
fn the_frame_limit_truncates_and_keeps_the_discount() {
    let options = AtariOptions { frame_limit: Some(6), ..options() };
    let (mut environment, mut observation) = start(options, Scripted::new(0, &[]));
    assert_eq!(environment.step(0, &mut observation).expect("a step").game, Game::Running);
    let step = environment.step(0, &mut observation).expect("a step");
    assert_eq!((step.step_type, step.game, step.discount), (StepType::Last, Game::Truncated, 1.0));
    assert_eq!(step.frames, 2);
    environment.step(0, &mut observation).expect_err("the episode is over");
}

#[test]
fn a_lost_life_means_what_the_options_say() {
    let script = [Event::Points(0), Event::LoseLife, Event::Points(5), Event::Points(0)];
    let step = |life_loss| {
        let (mut environment, mut observation) =
            start(AtariOptions { life_loss, ..options() }, Scripted::new(3, &script));
        environment.step(0, &mut observation).expect("a step")
    };
    let ignored = step(LifeLoss::Ignore);
    assert_eq!((ignored.step_type, ignored.discount, ignored.frames), (StepType::Mid, 1.0, 4));
    let zero = step(LifeLoss::ZeroDiscount);
    assert_eq!((zero.step_type, zero.discount, zero.frames, zero.lives), (StepType::Mid, 0.0, 4, 2));
    // Two frames of the step, four that open the next life.
    let end = step(LifeLoss::EpisodeEnd);
    assert_eq!((end.step_type, end.discount, end.frames, end.game), (StepType::Last, 0.0, 6, Game::Running));
}

#[test]
fn points_mean_what_the_options_say() {
    // Points gained, points lost, points that cancel out within a step, and none.
    let (gained, lost) = (Event::Points(2), Event::Points(-2));
    let script = [[gained, Event::Points(0)], [Event::Points(0), lost], [gained, lost], [Event::Points(0); 2]];
    for (points, expected) in [(Points::GoOn, [1.0; 4]), (Points::ZeroDiscount, [0.0, 0.0, 1.0, 1.0])] {
        let options = AtariOptions { frame_skip: 2, points, ..options() };
        let (mut environment, mut observation) = start(options, Scripted::new(3, &script.concat()));
        let discounts = [(); 4].map(|()| {
            let step = environment.step(0, &mut observation).expect("a step");
            assert_eq!((step.step_type, step.game), (StepType::Mid, Game::Running));
            step.discount
        });
        assert_eq!(discounts, expected, "{points:?}");
    }
}

#[test]
fn after_a_lost_life_the_same_game_goes_on() {
    let options = AtariOptions { life_loss: LifeLoss::EpisodeEnd, ..options() };
    let nothing = [Event::Points(0); 4];
    let console = Scripted::new(3, &[&[Event::LoseLife], &nothing[..], &[Event::LoseLife, Event::End]].concat());
    let seen = console.seen.clone();
    let (mut environment, mut observation) = start(options, console);
    let last = environment.step(2, &mut observation).expect("a step");
    assert_eq!((last.step_type, last.game, last.lives), (StepType::Last, Game::Running, 2));
    let first = environment.reset(&mut observation).expect("a new life");
    assert_eq!((first.step_type, first.lives, first.game), (StepType::First, 2, Game::Running));
    assert_eq!(observation, [[0; 4], pooled(4, 5)].concat());
    assert_eq!(*seen.lock().unwrap(), [Action::Up, Action::Noop, Action::Noop, Action::Noop, Action::Noop]);

    let last = environment.step(2, &mut observation).expect("a step");
    assert_eq!((last.step_type, last.game, last.frames), (StepType::Last, Game::Over, 2), "the no-op ended the game");
    let first = environment.reset(&mut observation).expect("a new game");
    assert_eq!((first.lives, first.game), (3, Game::Running));
    assert_eq!(observation, [[0; 4], screen(0)].concat());
}

#[test]
fn a_state_saved_between_two_lives_goes_on_with_the_next() {
    let options = AtariOptions { life_loss: LifeLoss::EpisodeEnd, ..options() };
    let console = Scripted::new(3, &[Event::LoseLife]);
    let (mut saved, mut observation) = start(options, console);
    saved.step(2, &mut observation).expect("a step");
    let (mut loaded, mut other) = start(saved.config().options().clone(), Scripted::new(3, &[]));
    loaded.load_state(&saved.save_state().expect("a state")).expect("the same game");
    let first = saved.reset(&mut observation).expect("a new life");
    assert_eq!(loaded.reset(&mut other).expect("a new life"), first);
    assert_eq!(other, observation);
}

#[test]
fn a_score_has_what_frames_without_an_observation_gave() {
    // A no-op start, then a lost life with points in the agent step that opens the next, then the rest of the game.
    let script = [2, 1].map(Event::Points).into_iter().chain([Event::LoseLife]);
    let script: Vec<Event> = script.chain([7, 0, 0, 1, 3].map(Event::Points)).chain([Event::End]).collect();
    let options =
        AtariOptions { life_loss: LifeLoss::EpisodeEnd, no_op_max: 1, reward: RewardTransform::Raw, ..options() };
    let mut environment = environment(options, Scripted::new(3, &script));
    let mut observation = vec![0; environment.spec().observation.bytes()];
    let steps = [
        environment.reset(&mut observation).expect("a start"),
        environment.step(0, &mut observation).expect("a step"),
        environment.reset(&mut observation).expect("a new life"),
        environment.step(0, &mut observation).expect("a step"),
    ];
    assert_eq!(steps.map(|step| (step.raw_reward, step.frames)), [(2.0, 1), (9.0, 6), (0.0, 0), (3.0, 2)]);
    assert_eq!(steps.map(|step| step.reward), [0.0, 1.0, 0.0, 3.0], "only what was seen is learned from");
    assert_eq!(steps[3].game, Game::Over);
}

#[test]
fn a_reset_within_a_life_starts_a_new_game() {
    let (mut environment, mut observation) = start(options(), Scripted::new(3, &[Event::LoseLife]));
    environment.step(0, &mut observation).expect("a step");
    assert_eq!(environment.reset(&mut observation).expect("a start").lives, 3);
}

#[test]
fn games_start_with_a_drawn_number_of_no_ops_then_fire_then_the_third_action() {
    let options = AtariOptions { fire_reset: FireReset::Press, no_op_max: 5, ..options() };
    let console = Scripted::new(3, &[]);
    let seen = console.seen.clone();
    let mut environment = environment(options, console);
    let mut observation = vec![0; environment.spec().observation.bytes()];
    let mut lengths = std::collections::BTreeSet::new();
    for _ in 0..100 {
        seen.lock().unwrap().clear();
        let first = environment.reset(&mut observation).expect("a start");
        let seen = seen.lock().unwrap();
        let (no_ops, opening) = seen.split_at(seen.len() - 8);
        assert!(no_ops.iter().all(|action| *action == Action::Noop));
        assert_eq!(opening, [[Action::Fire; 4], [Action::Up; 4]].concat());
        assert_eq!(first.frames as usize, seen.len());
        lengths.insert(no_ops.len());
    }
    assert_eq!(lengths, (1..=5).collect());
}

#[test]
fn a_life_is_opened_with_nothing_then_fire_then_the_third_action() {
    let options = AtariOptions { fire_reset: FireReset::Press, life_loss: LifeLoss::EpisodeEnd, ..options() };
    // The first life ends in the first frame that the agent plays.
    let console = Scripted::new(3, &[&[Event::Points(0); 8][..], &[Event::LoseLife]].concat());
    let seen = console.seen.clone();
    let (mut environment, mut observation) = start(options, console);
    environment.step(0, &mut observation).expect("a step");
    let opening = [[Action::Noop; 4], [Action::Fire; 4], [Action::Up; 4]].concat();
    assert_eq!(seen.lock().unwrap()[9..], opening);
    environment.reset(&mut observation).expect("a new life");
    assert_eq!(seen.lock().unwrap().len(), 21, "the next life was opened already");
}

#[test]
fn a_life_that_fire_costs_is_followed_by_nothing_for_an_agent_step() {
    let options = AtariOptions { fire_reset: FireReset::Press, life_loss: LifeLoss::EpisodeEnd, ..options() };
    let console = Scripted::new(3, &[Event::Points(0), Event::LoseLife]);
    let seen = console.seen.clone();
    let (environment, _) = start(options, console);
    let expected = [&[Action::Fire; 2][..], &[Action::Noop; 4], &[Action::Up; 4]].concat();
    assert_eq!(*seen.lock().unwrap(), expected);
    assert_eq!(environment.emulator().lives(), 2);
}

#[test]
fn a_game_that_fire_ends_starts_again() {
    let options = AtariOptions { fire_reset: FireReset::Press, no_op_max: 1, ..options() };
    // Ends in the third frame of FIRE, each time.
    let console = Scripted::new(3, &[Event::Points(9), Event::Points(0), Event::Points(0), Event::End]);
    let seen = console.seen.clone();
    let mut environment = environment(options, console);
    let mut observation = vec![0; environment.spec().observation.bytes()];
    let first = environment.reset(&mut observation).expect("a start");
    let start = |action| [&[Action::Noop][..], &[action; 3]].concat();
    assert_eq!(*seen.lock().unwrap(), [start(Action::Fire), start(Action::Up), vec![Action::Noop]].concat());
    assert_eq!((first.game, first.raw_reward, first.frames), (Game::Running, 9.0, 1), "only what the last start gave");
}

#[test]
fn actions_stick_as_often_as_they_are_told_to() {
    let options = AtariOptions { repeat_action_probability: 0.25, frame_skip: 1, ..options() };
    let console = Scripted::new(3, &[]);
    let seen = console.seen.clone();
    let (mut environment, mut observation) = start(options, console);
    let frames = 20_000;
    for frame in 0..frames {
        environment.step(1 + frame % 2, &mut observation).expect("a step");
    }
    // Actions alternate, so that the console sees another than asked for after an odd number of stuck frames:
    // p (1 - p) (1 + p^2 + p^4 ..) = p / (1 + p) of the time.
    let wrong =
        seen.lock().unwrap().iter().enumerate().filter(|(i, a)| **a != [Action::Fire, Action::Up][i % 2]).count();
    let expected = 0.25 / 1.25 * frames as f64;
    assert!((wrong as f64 - expected).abs() < 0.05 * expected, "{wrong} of {frames}, expected {expected}");
}

#[test]
fn unknown_actions_are_refused_and_the_full_set_has_all() {
    let (mut environment, mut observation) = start(options(), Scripted::new(3, &[]));
    let error = environment.step(3, &mut observation).expect_err("there are three");
    assert!(matches!(error, EnvironmentError::UnknownAction { action: 3, count: 3, .. }), "{error}");
    let full = AtariOptions { actions: ActionSet::Full, ..options() };
    let (environment, _) = start(full, Scripted::new(3, &[]));
    assert_eq!(environment.spec().actions.len(), 18);
    assert_eq!(environment.spec().actions[10], "UPFIRE");
}

#[test]
fn ram_is_stacked_like_images() {
    let options = AtariOptions { view: View::Ram, ..options() };
    let (mut environment, mut observation) = start(options, Scripted::new(3, &[]));
    environment.step(0, &mut observation).expect("a step");
    environment.step(0, &mut observation).expect("a step");
    assert_eq!(observation, [[4; RAM_BYTES], [8; RAM_BYTES]].concat());
}

#[test]
fn colour_observations_have_three_planes() {
    let view = View::Image { colour: Colour::Rgb, height: 2, width: 2 };
    let (environment, observation) = start(AtariOptions { view, ..options() }, Scripted::new(3, &[]));
    assert_eq!(environment.spec().observation.frame, [3, 2, 2]);
    assert_eq!(observation[12..16], screen(0), "the scripted colours are greys");
}

#[test]
fn a_state_of_something_else_is_refused_and_changes_nothing() {
    let (mut environment, mut observation) = start(options(), Scripted::new(3, &[]));
    environment.step(0, &mut observation).expect("a step");
    let state = environment.save_state().expect("a state");
    let (other, _) = start(AtariOptions { stack: 3, ..options() }, Scripted::new(3, &[]));
    let wrong = [other.save_state().expect("a state"), vec![], state[..state.len() - 3].to_vec(), vec![7; 100]];
    for bytes in wrong {
        let error = environment.load_state(&bytes).expect_err("not a state of this environment");
        assert!(matches!(error, EnvironmentError::BadState { .. }), "{error}");
        assert_eq!(environment.save_state().expect("a state"), state);
    }
}
