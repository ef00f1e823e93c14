//! An Atari game as a reinforcement learning environment.

use std::mem;

use rand::RngExt;

use crate::emulator::RAM_BYTES;
use crate::seed::fnv1a;
use crate::{
    Action, ActionSet, AtariConfig, AtariOptions, Colour, Element, Emulator, Environment, EnvironmentError,
    EnvironmentSpec, FireReset, Game, LifeLoss, ObservationSpec, Pooling, Preprocessing, Seed, StepType, TimeStep,
    View,
};

/// First bytes of a saved state, with the version of its layout.
const STATE_MAGIC: &[u8; 8] = b"PRISMAT1";

/// Where the environment is between two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before the first game and after each.
    BetweenGames,
    /// After an episode that ended with a lost life, in the middle of a game.
    BetweenLives,
    /// Inside an episode.
    Playing,
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
    phase: Phase,
    seed: Seed,
    /// Games started, which picks the random stream of the next game's start.
    games: u64,
    /// Frames of this game since its first observation.
    game_frames: u32,
    lives: u32,
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
            phase: Phase::BetweenGames,
            seed,
            games: 0,
            game_frames: 0,
            lives: 0,
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
        let settings = crate::AleSettings {
            repeat_action_probability: options.repeat_action_probability,
            mode: options.mode,
            difficulty: options.difficulty,
            seed: seed.derive("ale", 0),
        };
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

    /// Starts a new game: reset, fire, no-op start. Starts again if the game ends meanwhile.
    fn start_game(&mut self) {
        let options = self.config.options();
        let mut generator = self.seed.derive("no-op start", self.games).generator();
        self.games += 1;
        let no_ops = if options.no_op_max == 0 { 0 } else { generator.random_range(1..=options.no_op_max) };
        self.emulator.reset();
        self.press_fire();
        for _ in 0..no_ops {
            self.emulator.act(Action::Noop);
            if self.emulator.game_over() {
                self.emulator.reset();
            }
        }
        self.game_frames = 0;
    }

    /// Goes on with the same game after a lost life.
    fn start_life(&mut self) {
        self.emulator.act(Action::Noop);
        self.press_fire();
    }

    fn press_fire(&mut self) {
        if self.config.options().fire_reset == FireReset::Press && self.actions.contains(&Action::Fire) {
            self.emulator.act(Action::Fire);
        }
    }

    /// Takes over a saved state, or says why it does not fit and changes nothing.
    fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        let (content, checksum) = state.split_last_chunk().ok_or(TOO_SHORT)?;
        if fnv1a(content) != u64::from_le_bytes(*checksum) {
            return Err("its checksum is wrong".into());
        }
        let mut content = content.strip_prefix(STATE_MAGIC).ok_or("it is of another kind or version")?;
        let game = take_bytes(&mut content)?;
        if game != self.spec.name.as_bytes() {
            return Err(format!("it is of {}", String::from_utf8_lossy(game)));
        }
        let shape = take_bytes(&mut content)?;
        if shape != self.shape().as_bytes() {
            return Err(format!("it has observations of {}, not {}", String::from_utf8_lossy(shape), self.shape()));
        }
        let phase = match take::<1>(&mut content)? {
            [0] => Phase::BetweenGames,
            [1] => Phase::BetweenLives,
            [2] => Phase::Playing,
            [other] => return Err(format!("it has an unknown phase {other}")),
        };
        let seed = Seed(u64::from_le_bytes(take(&mut content)?));
        let games = u64::from_le_bytes(take(&mut content)?);
        let game_frames = u32::from_le_bytes(take(&mut content)?);
        let lives = u32::from_le_bytes(take(&mut content)?);
        let frames = take_bytes(&mut content)?;
        if frames.len() != self.spec.observation.bytes() {
            return Err("its frames have another size".into());
        }
        self.emulator.restore(take_bytes(&mut content)?).map_err(|error| error.to_string())?;
        self.stack.read(frames);
        (self.phase, self.seed, self.games) = (phase, seed, games);
        (self.game_frames, self.lives) = (game_frames, lives);
        Ok(())
    }

    /// What observations are made of and like, which a saved state must agree with.
    fn shape(&self) -> String {
        let (height, width) = self.emulator.screen_size();
        format!("{} from a screen of {height}x{width}", self.spec.observation)
    }

    fn playable(&self, action: usize) -> Result<Action, EnvironmentError> {
        if self.phase != Phase::Playing {
            return Err(EnvironmentError::NeedsReset { environment: self.spec.name.clone() });
        }
        let unknown = || EnvironmentError::UnknownAction {
            environment: self.spec.name.clone(),
            action,
            count: self.actions.len(),
        };
        self.actions.get(action).copied().ok_or_else(unknown)
    }

    fn state_of_game(&self) -> Game {
        if self.emulator.game_over() {
            Game::Over
        } else if self.config.options().frame_limit.is_some_and(|limit| self.game_frames >= limit) {
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
        // The no-op frame that opens a life can be the one that ends the game.
        if self.phase == Phase::BetweenLives {
            self.start_life();
        }
        if self.phase != Phase::BetweenLives || self.emulator.game_over() {
            self.start_game();
        }
        self.phase = Phase::Playing;
        self.lives = self.emulator.lives();
        self.stack.clear();
        self.view.capture(self.emulator.as_ref());
        self.view.frame(Pooling::Last, self.emulator.as_ref(), self.stack.next());
        self.stack.write(observation);
        Ok(TimeStep::first(self.lives))
    }

    fn step(&mut self, action: usize, observation: &mut [u8]) -> Result<TimeStep, EnvironmentError> {
        let action = self.playable(action)?;
        let &AtariOptions { frame_skip, pooling, life_loss, reward, .. } = self.config.options();

        // Repeat the action, frame by frame, so that sticky actions are drawn for each; sum the points.
        let mut points = 0;
        let mut frames = 0;
        let (game, life_lost) = loop {
            points += self.emulator.act(action);
            frames += 1;
            self.game_frames += 1;
            self.view.capture(self.emulator.as_ref());
            let game = self.state_of_game();
            let life_lost = game != Game::Over && self.emulator.lives() < self.lives;
            if frames == frame_skip || game != Game::Running || (life_lost && life_loss == LifeLoss::EpisodeEnd) {
                break (game, life_lost);
            }
        };
        self.lives = self.emulator.lives();

        // The last two screens: grey or colour, maximum, area resize; then onto the stack.
        let pooling = if frames == 1 { Pooling::Last } else { pooling };
        self.view.frame(pooling, self.emulator.as_ref(), self.stack.next());
        self.stack.write(observation);

        // A truncated game keeps its discount: it would have gone on.
        let life_ends = life_lost && life_loss == LifeLoss::EpisodeEnd;
        self.phase = match game {
            Game::Over | Game::Truncated => Phase::BetweenGames,
            Game::Running if life_ends => Phase::BetweenLives,
            Game::Running => Phase::Playing,
        };
        let terminal = game == Game::Over || (life_lost && life_loss != LifeLoss::Ignore);
        Ok(TimeStep {
            step_type: if self.phase == Phase::Playing { StepType::Mid } else { StepType::Last },
            reward: reward.apply(points as f32),
            raw_reward: points as f32,
            discount: if terminal { 0.0 } else { 1.0 },
            game,
            lives: self.lives,
            frames,
        })
    }

    fn save_state(&self) -> Result<Vec<u8>, EnvironmentError> {
        let mut state = STATE_MAGIC.to_vec();
        put(&mut state, self.spec.name.as_bytes());
        put(&mut state, self.shape().as_bytes());
        state.push(self.phase as u8);
        state.extend(self.seed.0.to_le_bytes());
        state.extend(self.games.to_le_bytes());
        state.extend(self.game_frames.to_le_bytes());
        state.extend(self.lives.to_le_bytes());
        let mut frames = vec![0; self.spec.observation.bytes()];
        self.stack.write(&mut frames);
        put(&mut state, &frames);
        put(&mut state, &self.emulator.snapshot());
        state.extend(fnv1a(&state).to_le_bytes());
        Ok(state)
    }

    fn load_state(&mut self, state: &[u8]) -> Result<(), EnvironmentError> {
        self.restore(state).map_err(|reason| EnvironmentError::BadState { environment: self.spec.name.clone(), reason })
    }
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

/// Appends `bytes` with their length.
fn put(state: &mut Vec<u8>, bytes: &[u8]) {
    state.extend((bytes.len() as u32).to_le_bytes());
    state.extend(bytes);
}

/// Takes what [`put`] appended off the front of `state`.
fn take_bytes<'a>(state: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let length = u32::from_le_bytes(take(state)?) as usize;
    let (bytes, rest) = state.split_at_checked(length).ok_or(TOO_SHORT)?;
    *state = rest;
    Ok(bytes)
}

fn take<const N: usize>(state: &mut &[u8]) -> Result<[u8; N], String> {
    let (bytes, rest) = state.split_first_chunk().ok_or(TOO_SHORT)?;
    *state = rest;
    Ok(*bytes)
}

const TOO_SHORT: &str = "it is too short";
