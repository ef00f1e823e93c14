//! An Atari game as a reinforcement learning environment.

use std::iter;
use std::mem;

use prism_frames::{Colour, FrameStack};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::games::{GameEnd, Restores};
use super::options::{
    ActionSet, AtariConfig, AtariOptions, EmulatorChoice, FireReset, LifeLoss, Points, Pooling, View,
};
use super::preprocessing::Preprocessing;
use crate::emulator::interface::{Action, Emulator, EmulatorError, RAM_BYTES};
#[cfg(feature = "roms")]
use crate::emulator::{self, interface::ConsoleSettings};
use crate::environment::{Element, Environment, EnvironmentError, EnvironmentSpec, ObservationSpec};
use crate::picture::Picture;
#[cfg(feature = "roms")]
use crate::roms::library::Rom;
use crate::seed::{Generator, Seed};
use crate::state;
use crate::time_step::{Game, StepType, TimeStep};

/// Where the environment is between two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Before the first game and after each.
    BetweenGames,
    /// After an episode that ended with a lost life, in the middle of a game: the next life has been opened, and its first
    /// frame lies in the stack.
    BetweenLives,
    /// Inside an episode.
    Playing,
}

/// How far the game has come and what decides its future outside of the emulator and the stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct GameState {
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
/// * no-op starts last 1 to `no_op_max` frames, drawn uniformly by our own generator; ALE's last 0 to `no_op_max - 1`;
/// * where FIRE is pressed, it is held for an agent step after the no-op start, and the third action for another, as
///   Baselines' wrappers do; ALE presses it for one frame before the no-op start, which counts it in;
/// * after an episode that ended with a lost life, the game goes on with an agent step without action, before any FIRE;
/// * a game whose end ALE misses is over as its [`GameEnd`] says.
pub struct AtariEnvironment {
    emulator: Box<dyn Emulator>,
    config: AtariConfig,
    spec: EnvironmentSpec,
    actions: Vec<Action>,
    end: GameEnd,
    view: ViewBuffers,
    stack: FrameStack,
    state: GameState,
}

impl AtariEnvironment {
    /// An environment over an emulator that was made for `config`: with its game in its mode and difficulty.
    ///
    /// # Errors
    /// [`EmulatorError::OtherGame`] when the emulator plays another game.
    pub fn with_emulator(config: &AtariConfig, emulator: Box<dyn Emulator>, seed: Seed) -> Result<Self, EmulatorError> {
        let options = config.options();
        if emulator.game() != options.game {
            let given = format!("an emulator of {}", emulator.game());
            return Err(EmulatorError::OtherGame { wanted: options.game.clone(), given });
        }
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
        Ok(Self {
            stack: FrameStack::new(observation.stack, observation.frame_bytes()),
            spec: EnvironmentSpec {
                name: emulator.game().into(),
                observation,
                actions: actions.iter().map(Action::to_string).collect(),
            },
            emulator,
            config: config.clone(),
            actions,
            end: config.game().end,
            view,
            state: GameState {
                phase: Phase::BetweenGames,
                generator: seed.derive("atari", 0).generator(),
                last_action: Action::Noop,
                game_frames: 0,
                lives: 0,
            },
        })
    }

    /// An environment over this build's emulator with the game's ROM in it. Everything random follows from `seed`.
    ///
    /// # Errors
    /// When the ROM is another game's, when the emulator cannot be started with these settings, or when this build has none.
    #[cfg(feature = "roms")]
    pub fn new(config: &AtariConfig, rom: &Rom, seed: Seed) -> Result<Self, EmulatorError> {
        let options = config.options();
        if rom.game().name != options.game {
            let given = format!("the ROM of {}", rom.game().name);
            return Err(EmulatorError::OtherGame { wanted: options.game.clone(), given });
        }
        let settings =
            ConsoleSettings { mode: options.mode, difficulty: options.difficulty, seed: seed.derive("ale", 0) };
        Self::with_emulator(config, emulator::start(rom, settings, options.emulator)?, seed)
    }

    /// The configuration.
    pub fn config(&self) -> &AtariConfig {
        &self.config
    }

    /// The console.
    pub fn emulator(&self) -> &dyn Emulator {
        self.emulator.as_ref()
    }

    /// Starts a new game: reset, no-op start, then the actions that open a life. Where one of these ends the game, another
    /// one starts.
    fn start_game(&mut self) -> Unseen {
        let mut unseen = self.wait_at_start();
        for action in self.opening() {
            self.state.game_frames = 0;
            if self.press(action, &mut unseen) == Game::Over {
                unseen = self.wait_at_start();
            }
        }
        self.state.game_frames = 0;
        unseen
    }

    /// Goes on with the same game after a lost life, or ends it: the frames that open a life can be its last.
    fn open_life(&mut self) -> Unseen {
        let mut unseen = Unseen::default();
        for action in iter::once(Action::Noop).chain(self.opening()) {
            if self.press(action, &mut unseen) != Game::Running {
                break;
            }
        }
        unseen
    }

    /// Presses the reset switch and nothing for the frames of a no-op start.
    fn wait_at_start(&mut self) -> Unseen {
        let no_op_max = self.config.options().no_op_max;
        let no_ops = if no_op_max == 0 { 0 } else { self.state.generator.random_range(1..=no_op_max) };
        let mut unseen = self.press_reset();
        for _ in 0..no_ops {
            unseen.add(self.act(Action::Noop));
            if self.game_over() {
                unseen = self.press_reset();
            }
        }
        self.state.lives = self.emulator.lives();
        self.view.capture(self.emulator.as_ref());
        self.view.forget_previous();
        unseen
    }

    /// What opens a life: FIRE where it is to be pressed and can be, and the action after it.
    fn opening(&self) -> Vec<Action> {
        match self.config.options().fire_reset {
            FireReset::Press if self.actions.contains(&Action::Fire) => {
                iter::once(Action::Fire).chain(self.actions.get(2).copied()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Holds an action for an unseen agent step, and nothing for another if that costs a life.
    fn press(&mut self, action: Action, unseen: &mut Unseen) -> Game {
        let mut held = self.hold(action);
        unseen.add_all(held);
        if held.game == Game::Running && held.life_lost {
            held = self.hold(Action::Noop);
            unseen.add_all(held);
        }
        held.game
    }

    /// Another game begins: nothing of it has been emulated yet.
    fn press_reset(&mut self) -> Unseen {
        self.emulator.reset();
        self.state.last_action = Action::Noop;
        Unseen::default()
    }

    /// Repeats an action for an agent step, frame by frame, so that sticky actions are drawn for each. The step is shorter
    /// where the game ends, or a life where that ends an episode.
    fn hold(&mut self, action: Action) -> Held {
        let &AtariOptions { frame_skip, life_loss, .. } = self.config.options();
        let mut points = 0;
        let mut frames = 0;
        loop {
            points += self.act(action);
            frames += 1;
            self.view.capture(self.emulator.as_ref());
            let game = self.state_of_game();
            let life_lost = game != Game::Over && self.emulator.lives() < self.state.lives;
            if frames == frame_skip || game != Game::Running || (life_lost && life_loss == LifeLoss::EpisodeEnd) {
                self.state.lives = self.emulator.lives();
                if frames == 1 {
                    self.view.forget_previous();
                }
                return Held { points, frames, game, life_lost };
            }
        }
    }

    /// Pushes the frame of the last two screens onto the stack: grey or colour, maximum, area resize.
    fn show(&mut self) {
        let pooling = self.config.options().pooling;
        self.view.frame(pooling, self.emulator.as_ref(), self.stack.advance());
    }

    /// Has the stack show nothing but the frame of the last two screens.
    fn show_first(&mut self) {
        self.stack.clear();
        self.show();
    }

    /// Emulates one frame and returns the points it gave: the console sees `action`, or the last one again where it sticks.
    fn act(&mut self, action: Action) -> i32 {
        let sticks = self.state.generator.random::<f32>() < self.config.options().repeat_action_probability;
        if !sticks {
            self.state.last_action = action;
        }
        self.state.game_frames += 1;
        self.emulator.act(self.state.last_action)
    }

    /// What observations are and are made of, which a saved state must agree with.
    fn shape(&self) -> String {
        let (height, width) = self.emulator.screen_size();
        format!("{} from a screen of {height}x{width}", self.spec.observation)
    }

    fn playable(&self, action: usize) -> Result<Action, EnvironmentError> {
        if self.state.phase != Phase::Playing {
            return Err(self.spec.needs_reset());
        }
        self.actions.get(action).copied().ok_or_else(|| self.spec.unknown_action(action))
    }

    /// Whether the game has ended by its own rules, also where the emulator misses it.
    fn game_over(&self) -> bool {
        let missed = match self.end {
            GameEnd::Reported => false,
            GameEnd::NoLives => self.emulator.lives() == 0,
        };
        missed || self.emulator.game_over()
    }

    fn state_of_game(&self) -> Game {
        if self.game_over() {
            Game::Over
        } else if self.config.options().frame_limit.is_some_and(|limit| self.state.game_frames >= limit) {
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
        let unseen = match self.state.phase {
            Phase::BetweenLives => Unseen::default(),
            Phase::BetweenGames | Phase::Playing => {
                let unseen = self.start_game();
                self.show_first();
                unseen
            }
        };
        self.state.phase = Phase::Playing;
        self.stack.write(observation);
        let Unseen { points, frames } = unseen;
        Ok(TimeStep { raw_reward: points as f32, frames, ..TimeStep::first(self.state.lives) })
    }

    fn step(&mut self, action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        let action = self.playable(action)?;
        let &AtariOptions { life_loss, points: points_mean, reward, .. } = self.config.options();
        let Held { points, frames, game, life_lost } = self.hold(action);
        self.show();
        self.stack.write(observation);

        // A truncated game keeps its discount: it would have gone on.
        let life_ends = life_lost && life_loss == LifeLoss::EpisodeEnd;
        let rally_ends = points != 0 && points_mean == Points::ZeroDiscount;
        let terminal = game == Game::Over || (life_lost && life_loss != LifeLoss::Ignore) || rally_ends;
        let mut time_step = TimeStep {
            step_type: if game != Game::Running || life_ends { StepType::Last } else { StepType::Mid },
            reward: reward.apply(points as f32, game),
            raw_reward: points as f32,
            discount: if terminal { 0.0 } else { 1.0 },
            game,
            lives: self.state.lives,
            frames,
        };

        // The next life is opened at once, so that what its first frames give belongs to this game whatever comes next.
        if game == Game::Running && life_ends {
            let unseen = self.open_life();
            time_step.raw_reward += unseen.points as f32;
            time_step.frames += unseen.frames;
            time_step.game = self.state_of_game();
            self.show_first();
        }
        self.state.phase = match time_step.game {
            Game::Over | Game::Truncated => Phase::BetweenGames,
            Game::Running if life_ends => Phase::BetweenLives,
            Game::Running => Phase::Playing,
        };
        Ok(time_step)
    }

    fn picture(&self) -> Option<Picture> {
        let (height, width) = self.emulator.screen_size();
        let mut screen = vec![0; height * width];
        self.emulator.read_screen(&mut screen);
        let colours = &self.emulator.palette().rgb;
        let pixels = screen.into_iter().map(|byte| colours[usize::from(byte)]).collect();
        // A screen of 160 by 210 fills a television of 4 by 3, nearly.
        Some(Picture { width, pixel_aspect: 2.0, pixels })
    }

    fn save_state(&self) -> Result<Vec<u8>, EnvironmentError> {
        // The console in Rust saves every pixel.
        if self.config.options().emulator == EmulatorChoice::Ale
            && let (Restores::NotTheScreen, ViewBuffers::Image(_)) = (self.config.game().restores, &self.view)
        {
            let reason = "a few pixels of its next picture are those of two frames ago, which the emulator does not save \
                          (it can be saved with environment.emulator = \"console\" or environment.view = \"ram\")";
            return Err(EnvironmentError::Inexact { environment: self.spec.name.clone(), reason });
        }
        let mut frames = vec![0; self.spec.observation.bytes()];
        self.stack.write(&mut frames);
        let saved =
            SavedState { shape: self.shape(), state: self.state.clone(), frames, emulator: self.emulator.snapshot() };
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
        self.state = saved.state;
        Ok(())
    }
}

/// What is written down of an environment.
#[derive(Serialize, Deserialize)]
struct SavedState {
    shape: String,
    state: GameState,
    frames: Vec<u8>,
    emulator: Vec<u8>,
}

/// What the console did where no agent step looks: before a game's first observation and between two lives.
#[derive(Clone, Copy, Debug, Default)]
struct Unseen {
    points: i32,
    frames: u32,
}

impl Unseen {
    /// One more frame, and the points it gave.
    fn add(&mut self, points: i32) {
        self.points += points;
        self.frames += 1;
    }

    fn add_all(&mut self, held: Held) {
        self.points += held.points;
        self.frames += held.frames;
    }
}

/// What an action did that was held for an agent step.
#[derive(Clone, Copy, Debug)]
struct Held {
    points: i32,
    frames: u32,
    game: Game,
    /// Whether fewer lives are left of a game that is not over.
    life_lost: bool,
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

    /// Lets the newest screen stand for the one before as well: that one is of another time.
    fn forget_previous(&mut self) {
        if let Self::Image(screens) = self {
            let Screens { newest, previous, .. } = screens.as_mut();
            previous.copy_from_slice(newest);
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

#[cfg(test)]
mod tests;
