//! An Atari game as a reinforcement learning environment.

use std::mem;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::emulator::RAM_BYTES;
use crate::state;
use crate::{
    Action, ActionSet, AtariConfig, AtariOptions, Colour, Element, Emulator, Environment, EnvironmentError,
    EnvironmentSpec, FireReset, Game, Generator, LifeLoss, ObservationSpec, Points, Pooling, Preprocessing, Seed,
    StepType, TimeStep, View,
};

/// Where the environment is between two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Before the first game and after each.
    BetweenGames,
    /// After an episode that ended with a lost life, in the middle of a game.
    BetweenLives,
    /// Inside an episode.
    Playing,
}

/// How far the game has come and what decides its future outside of the emulator and the stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Course {
    phase: Phase,
    /// Draws no-op starts and sticky actions.
    generator: Generator,
    /// What the console saw in the last frame.
    last_action: Action,
    /// Frames of this game since its first observation.
    game_frames: u32,
    /// Lives after the last step.
    lives: u32,
}

/// One Atari game, one agent step at a time: see [`AtariEnvironment::step`] for what that is made of.
///
/// The order of preprocessing is that of ALE's own vector environment. Differences from it:
///
/// * when a game or life ends before the step's last frame, the observation still shows the last two frames emulated;
///   ALE's repeats the pooled frame of the step before;
/// * no-op starts last 1 to `no_op_max` frames, drawn uniformly by our own generator, after a FIRE where one is pressed;
///   ALE's last 0 to `no_op_max - 1`, the FIRE counted in;
/// * after an episode that ended with a lost life, a reset goes on with the game after one frame without action.
pub struct AtariEnvironment {
    emulator: Box<dyn Emulator>,
    config: AtariConfig,
    spec: EnvironmentSpec,
    actions: Vec<Action>,
    view: ViewBuffers,
    stack: FrameStack,
    course: Course,
}

impl AtariEnvironment {
    /// Puts the game of a console that was made for `config` to an agent.
    pub fn with_emulator(config: &AtariConfig, emulator: Box<dyn Emulator>, seed: Seed) -> Self {
        let options = config.options();
        let actions = match options.actions {
            ActionSet::Minimal => emulator.minimal_actions().to_vec(),
            ActionSet::Full => Action::ALL.to_vec(),
        };
        let (view, frame) = match options.view {
            View::Image { colour, height, width } => {
                let screen = emulator.screen_size();
                let blank = vec![0; screen.0 * screen.1];
                let preprocessing = Preprocessing::new(emulator.palette(), screen, colour, (height, width));
                let screens = Screens { preprocessing, newest: blank.clone(), previous: blank };
                let frame = match colour {
                    Colour::Grey => vec![height, width],
                    Colour::Rgb => vec![3, height, width],
                };
                (ViewBuffers::Image(Box::new(screens)), frame)
            }
            View::Ram => (ViewBuffers::Ram, vec![RAM_BYTES]),
        };
        let observation = ObservationSpec { stack: options.stack, frame, element: Element::U8 };
        Self {
            stack: FrameStack::new(&observation),
            spec: EnvironmentSpec {
                name: emulator.game().into(),
                observation,
                actions: actions.iter().map(Action::to_string).collect(),
                frame_skip: options.frame_skip,
            },
            emulator,
            config: config.clone(),
            actions,
            view,
            course: Course {
                phase: Phase::BetweenGames,
                generator: seed.derive("atari", 0).generator(),
                last_action: Action::Noop,
                game_frames: 0,
                lives: 0,
            },
        }
    }

    /// Starts a console with the game's ROM in it and puts it to an agent. Everything random follows from `seed`.
    ///
    /// # Errors
    /// When the ROM is another game's, or the console cannot be started with these settings.
    #[cfg(feature = "ale")]
    pub fn new(config: &AtariConfig, rom: &crate::Rom, seed: Seed) -> Result<Self, crate::AleError> {
        let options = config.options();
        if rom.game().name != options.game {
            return Err(crate::AleError::OtherGame { wanted: options.game.clone(), given: rom.game().name.into() });
        }
        let settings =
            crate::AleSettings { mode: options.mode, difficulty: options.difficulty, seed: seed.derive("ale", 0) };
        Ok(Self::with_emulator(config, Box::new(crate::Ale::new(rom, settings)?), seed))
    }

    /// The configuration.
    pub fn config(&self) -> &AtariConfig {
        &self.config
    }

    /// The console.
    pub fn emulator(&self) -> &dyn Emulator {
        self.emulator.as_ref()
    }

    /// Starts a new game: reset, fire, no-op start.
    fn start_game(&mut self) {
        let no_op_max = self.config.options().no_op_max;
        let no_ops = if no_op_max == 0 { 0 } else { self.course.generator.random_range(1..=no_op_max) };
        self.press_reset();
        self.press_fire();
        for _ in 0..no_ops {
            self.act(Action::Noop);
            if self.emulator.game_over() {
                self.press_reset();
            }
        }
        self.course.game_frames = 0;
    }

    /// Goes on with the same game after a lost life.
    fn start_life(&mut self) {
        self.act(Action::Noop);
        self.press_fire();
    }

    fn press_reset(&mut self) {
        self.emulator.reset();
        self.course.last_action = Action::Noop;
    }

    fn press_fire(&mut self) {
        if self.config.options().fire_reset == FireReset::Press && self.actions.contains(&Action::Fire) {
            self.act(Action::Fire);
        }
    }

    /// Emulates one frame and returns the points it gave: the console sees `action`, or the last one again where it sticks.
    fn act(&mut self, action: Action) -> i32 {
        let sticks = self.course.generator.random::<f32>() < self.config.options().repeat_action_probability;
        if !sticks {
            self.course.last_action = action;
        }
        self.course.game_frames += 1;
        self.emulator.act(self.course.last_action)
    }

    /// What observations are and are made of, which a saved state must agree with.
    fn shape(&self) -> String {
        let (height, width) = self.emulator.screen_size();
        format!("{} from a screen of {height}x{width}", self.spec.observation)
    }

    fn playable(&self, action: usize) -> Result<Action, EnvironmentError> {
        if self.course.phase != Phase::Playing {
            return Err(self.spec.needs_reset());
        }
        self.actions.get(action).copied().ok_or_else(|| self.spec.unknown_action(action))
    }

    fn state_of_game(&self) -> Game {
        if self.emulator.game_over() {
            Game::Over
        } else if self.config.options().frame_limit.is_some_and(|limit| self.course.game_frames >= limit) {
            Game::Truncated
        } else {
            Game::Running
        }
    }
}

impl Environment for AtariEnvironment {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        let mut game = Game::Running;
        match self.course.phase {
            Phase::BetweenLives => {
                self.start_life();
                // The frames that open a life can be the ones that end the game.
                if self.emulator.game_over() {
                    game = Game::Over;
                    self.start_game();
                }
            }
            Phase::BetweenGames | Phase::Playing => self.start_game(),
        }
        self.course.phase = Phase::Playing;
        self.course.lives = self.emulator.lives();
        self.stack.clear();
        self.view.capture(self.emulator.as_ref());
        self.view.frame(Pooling::Last, self.emulator.as_ref(), self.stack.next());
        self.stack.write(observation);
        Ok(TimeStep { game, ..TimeStep::first(self.course.lives) })
    }

    fn step(&mut self, action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        let action = self.playable(action)?;
        let &AtariOptions { frame_skip, pooling, life_loss, points: points_mean, reward, .. } = self.config.options();

        // Repeat the action, frame by frame, so that sticky actions are drawn for each; sum the points.
        let mut points = 0;
        let mut frames = 0;
        let (game, life_lost) = loop {
            points += self.act(action);
            frames += 1;
            self.view.capture(self.emulator.as_ref());
            let game = self.state_of_game();
            let life_lost = game != Game::Over && self.emulator.lives() < self.course.lives;
            if frames == frame_skip || game != Game::Running || (life_lost && life_loss == LifeLoss::EpisodeEnd) {
                break (game, life_lost);
            }
        };
        self.course.lives = self.emulator.lives();

        // The last two screens: grey or colour, maximum, area resize; then onto the stack.
        let pooling = if frames == 1 { Pooling::Last } else { pooling };
        self.view.frame(pooling, self.emulator.as_ref(), self.stack.next());
        self.stack.write(observation);

        // A truncated game keeps its discount: it would have gone on.
        let life_ends = life_lost && life_loss == LifeLoss::EpisodeEnd;
        self.course.phase = match game {
            Game::Over | Game::Truncated => Phase::BetweenGames,
            Game::Running if life_ends => Phase::BetweenLives,
            Game::Running => Phase::Playing,
        };
        let rally_ends = points != 0 && points_mean == Points::ZeroDiscount;
        let terminal = game == Game::Over || (life_lost && life_loss != LifeLoss::Ignore) || rally_ends;
        Ok(TimeStep {
            step_type: if self.course.phase == Phase::Playing { StepType::Mid } else { StepType::Last },
            reward: reward.apply(points as f32, game == Game::Over),
            raw_reward: points as f32,
            discount: if terminal { 0.0 } else { 1.0 },
            game,
            lives: self.course.lives,
            frames,
        })
    }

    fn save_state(&self) -> Result<Vec<u8>, EnvironmentError> {
        let mut frames = vec![0; self.spec.observation.bytes()];
        self.stack.write(&mut frames);
        let saved =
            SavedState { shape: self.shape(), course: self.course.clone(), frames, emulator: self.emulator.snapshot() };
        Ok(state::encode(&self.spec.name, &saved))
    }

    fn load_state(&mut self, state: &[u8]) -> Result<(), EnvironmentError> {
        let saved: SavedState = state::decode(&self.spec.name, state, |saved: &SavedState| {
            if saved.shape != self.shape() {
                return Err(format!("it has observations of {}, not {}", saved.shape, self.shape()));
            }
            if saved.frames.len() != self.spec.observation.bytes() {
                return Err(format!("its frames have {} bytes", saved.frames.len()));
            }
            Ok(())
        })?;
        self.emulator.restore(&saved.emulator).map_err(|error| EnvironmentError::BadState {
            environment: self.spec.name.clone(),
            reason: error.to_string(),
        })?;
        self.stack.read(&saved.frames);
        self.course = saved.course;
        Ok(())
    }
}

/// What is written down of an environment.
#[derive(Serialize, Deserialize)]
struct SavedState {
    shape: String,
    course: Course,
    frames: Vec<u8>,
    emulator: Vec<u8>,
}

/// What an agent's view needs between the emulator and the stack.
enum ViewBuffers {
    Image(Box<Screens>),
    Ram,
}

/// The last two screens, as palette bytes, and what becomes of them.
struct Screens {
    preprocessing: Preprocessing,
    newest: Vec<u8>,
    previous: Vec<u8>,
}

impl ViewBuffers {
    /// Takes the screen of the emulator's last frame.
    fn capture(&mut self, emulator: &dyn Emulator) {
        if let Self::Image(screens) = self {
            let Screens { newest, previous, .. } = screens.as_mut();
            mem::swap(newest, previous);
            emulator.read_screen(newest);
        }
    }

    /// Writes one frame of the view.
    fn frame(&mut self, pooling: Pooling, emulator: &dyn Emulator, frame: &mut [u8]) {
        match self {
            Self::Image(screens) => {
                let Screens { preprocessing, newest, previous } = screens.as_mut();
                preprocessing.process(newest, (pooling == Pooling::LastTwo).then_some(previous), frame);
            }
            Self::Ram => {
                let mut ram = [0; RAM_BYTES];
                emulator.read_ram(&mut ram);
                frame.copy_from_slice(&ram);
            }
        }
    }
}

/// The last few frames, a ring.
struct FrameStack {
    frames: Vec<u8>,
    frame_bytes: usize,
    /// Byte where the oldest frame starts, the next to be replaced.
    oldest: usize,
}

impl FrameStack {
    fn new(observation: &ObservationSpec) -> Self {
        Self { frames: vec![0; observation.bytes()], frame_bytes: observation.frame_bytes(), oldest: 0 }
    }

    fn clear(&mut self) {
        self.frames.fill(0);
    }

    /// The place of a new frame, which replaces the oldest.
    fn next(&mut self) -> &mut [u8] {
        let start = self.oldest;
        self.oldest = (start + self.frame_bytes) % self.frames.len();
        &mut self.frames[start..start + self.frame_bytes]
    }

    /// Writes all frames, oldest first.
    fn write(&self, observation: &mut [u8]) {
        assert_eq!(observation.len(), self.frames.len(), "the buffer must hold an observation");
        let (newer, older) = self.frames.split_at(self.oldest);
        observation[..older.len()].copy_from_slice(older);
        observation[older.len()..].copy_from_slice(newer);
    }

    /// Takes over the frames of [`FrameStack::write`].
    fn read(&mut self, observation: &[u8]) {
        self.frames.copy_from_slice(observation);
        self.oldest = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AtariConfig, BadSnapshot, Palette, Protocol, RewardTransform};

    /// A console whose game follows a script: one event for each frame after a reset, nothing once they are over.
    #[derive(Clone)]
    struct Scripted {
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
            Self { script, lives_at_start: lives, lives, frame: 0, over: false, seen }
        }
    }

    impl Emulator for Scripted {
        fn game(&self) -> &str {
            "scripted"
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

        fn frame_number(&self) -> u32 {
            self.frame
        }

        fn episode_frame_number(&self) -> u32 {
            self.frame
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
        AtariEnvironment::with_emulator(&config, Box::new(console), Seed(1))
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
        let end = step(LifeLoss::EpisodeEnd);
        assert_eq!((end.step_type, end.discount, end.frames, end.game), (StepType::Last, 0.0, 2, Game::Running));
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
        let console = Scripted::new(3, &[Event::LoseLife, Event::Points(0), Event::LoseLife, Event::End]);
        let seen = console.seen.clone();
        let (mut environment, mut observation) = start(options, console);
        environment.step(2, &mut observation).expect("a step");
        let first = environment.reset(&mut observation).expect("a new life");
        assert_eq!((first.step_type, first.lives, first.game), (StepType::First, 2, Game::Running));
        assert_eq!(observation, [[0; 4], screen(2)].concat());
        assert_eq!(*seen.lock().unwrap(), [Action::Up, Action::Noop]);

        environment.step(2, &mut observation).expect("a step");
        let first = environment.reset(&mut observation).expect("the no-op frame ended the game: a new one");
        assert_eq!((first.lives, first.game, environment.emulator().episode_frame_number()), (3, Game::Over, 0));
    }

    #[test]
    fn a_reset_within_a_life_starts_a_new_game() {
        let (mut environment, mut observation) = start(options(), Scripted::new(3, &[Event::LoseLife]));
        environment.step(0, &mut observation).expect("a step");
        assert_eq!(environment.reset(&mut observation).expect("a start").lives, 3);
    }

    #[test]
    fn games_start_with_fire_and_then_a_drawn_number_of_no_ops() {
        let options = AtariOptions { fire_reset: FireReset::Press, no_op_max: 5, ..options() };
        let console = Scripted::new(3, &[]);
        let seen = console.seen.clone();
        let mut environment = environment(options, console);
        let mut observation = vec![0; environment.spec().observation.bytes()];
        let mut lengths = std::collections::BTreeSet::new();
        for _ in 0..100 {
            seen.lock().unwrap().clear();
            environment.reset(&mut observation).expect("a start");
            let seen = seen.lock().unwrap();
            assert_eq!(seen[0], Action::Fire);
            assert!(seen[1..].iter().all(|action| *action == Action::Noop));
            lengths.insert(seen.len() - 1);
        }
        assert_eq!(lengths, (1..=5).collect());
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
}
