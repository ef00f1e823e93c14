//! A game being played, as the Arcade Learning Environment plays it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::cartridge::{CARTRIDGE_RAM, WrongSize};
use crate::console::Console;
use crate::controls::{Controls, LEFT_DIFFICULT, RESET, RIGHT_DIFFICULT, SELECT};
use crate::game::{Controllers, Game, Paddles, Press, RightPort, Rules, Select};
use crate::games::Standing;
use crate::ram::{RAM_BYTES, Ram};
use crate::random::Random;
use crate::tia::{Television, Window};

/// Which version of the Arcade Learning Environment is followed where they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Profile {
    /// The library of February 2020, with this seed of its only generator.
    Ale2020 {
        /// From 1 on.
        seed: u32,
    },
    /// Version 0.12, with this seed of the generator that only chance of play draws from. Memory and timers begin alike
    /// whatever the seed is.
    Ale012 {
        /// Any.
        seed: u32,
    },
}

/// The seed behind memory and timers in version 0.12.
const SYSTEM_SEED: u32 = 4_753_849;
/// Frames for which the console runs before the television is chosen by the lines that they had.
const PROBE_FRAMES: u32 = 60;
/// More lines than this are of a frame for PAL.
const NTSC_LINES: u32 = 285;
/// Frames with too many lines, of the last half of those that are looked at, from which on the television is PAL.
const PAL_FRAMES: u32 = 15;
/// Rows of a picture for PAL where one for NTSC has the usual 210.
const PAL_HEIGHT: u32 = 250;
/// Frames without any action after a reset.
const IDLE_FRAMES: u32 = 60;
/// Frames for which the reset switch is held.
const RESET_FRAMES: u32 = 4;

/// How often something is pressed for a mode at most: a program that never shows the mode would keep us for ever.
const PRESS_LIMIT: u32 = 1_000;

/// The smallest resistance of a paddle, in ohm.
const SMALLEST_RESISTANCE: i32 = 27_450;
/// By how much a paddle is turned in a frame.
const PADDLE_STEP: i32 = 23_000;

/// A console with a game in it.
#[derive(Clone, Debug)]
pub struct Atari {
    game: &'static Game,
    pub(crate) profile: Profile,
    pub(crate) console: Console,
    /// Draws memory and timers.
    pub(crate) random: Random,
    /// Draws for each frame of play; in the profile of 2020 the other one does.
    pub(crate) chance: Option<Random>,
    pub(crate) standing: Standing,
    pub(crate) mode: u32,
    pub(crate) difficulty: u32,
    pub(crate) paddle: i32,
    pub(crate) frames: u32,
    pub(crate) episode_frames: u32,
}

impl Atari {
    /// Puts a cartridge into the console and starts the game in its default mode and difficulty.
    ///
    /// # Errors
    /// When the ROM has not the size of the game's.
    pub fn new(game: &'static Game, rom: Arc<[u8]>, profile: Profile) -> Result<Self, WrongSize> {
        let mut random = Random::new(match profile {
            Profile::Ale2020 { seed } => seed,
            Profile::Ale012 { .. } => SYSTEM_SEED,
        });
        let mut console = Console::new(rom, game.scheme, game.television.unwrap_or(Television::Ntsc), game.window)?;
        // In 2020 the cartridge's memory is filled once and for all.
        if let (Profile::Ale2020 { .. }, Some(ram)) = (profile, console.cartridge_ram_mut()) {
            *ram = random_bytes(&mut random);
        }
        console.set_ram(Ram(random_bytes(&mut random)));
        // Of a timer that is set again before anybody reads it.
        random.word();
        let mut atari = Self {
            game,
            profile,
            console,
            random,
            chance: match profile {
                Profile::Ale2020 { .. } => None,
                Profile::Ale012 { seed } => Some(Random::new(seed)),
            },
            standing: game.start.clone(),
            mode: game.modes[0],
            // Also in a game that does not list it.
            difficulty: 0,
            paddle: 0,
            frames: 0,
            episode_frames: 0,
        };
        atari.reset_console();
        atari.choose_television();
        atari.reset_console();
        if let Profile::Ale2020 { seed } = profile {
            atari.random = Random::new(seed);
        }
        atari.reset();
        Ok(atari)
    }

    /// Runs some frames to see how many lines the program makes.
    fn choose_television(&mut self) {
        let lines = (0..PROBE_FRAMES).map(|_| self.console.run_frame()).collect::<Vec<_>>();
        let long = lines[(PROBE_FRAMES / 2) as usize..].iter().filter(|lines| **lines > NTSC_LINES).count();
        if self.game.television.is_none() && long as u32 >= PAL_FRAMES {
            let window = self.game.window;
            let height = if window.height == Window::USUAL.height { PAL_HEIGHT } else { window.height };
            self.console.set_television(Television::Pal, Window { height, ..window });
        }
    }

    /// Resets the console's chips, not its memory.
    fn reset_console(&mut self) {
        let timer = 25 + (self.random.word() % 75) as u8;
        self.console.reset(timer);
        if let (Profile::Ale012 { .. }, Some(ram)) = (self.profile, self.console.cartridge_ram_mut()) {
            *ram = random_bytes(&mut self.random);
        }
    }

    /// Starts a game: the console is reset, runs for a second, the reset switch is pressed, the mode chosen, the switch
    /// pressed again, and then whatever begins this game.
    pub fn reset(&mut self) {
        self.episode_frames = 0;
        if let Controllers::Paddles(paddles) = self.game.controllers {
            self.paddle = middle(paddles);
        }
        self.reset_console();
        for _ in 0..IDLE_FRAMES {
            self.frame(Press::Player(Action::Noop), 0);
        }
        self.press_reset();
        self.standing = self.game.start.clone();
        self.choose_mode();
        self.press_reset();
        for (press, frames) in self.game.opening {
            for _ in 0..*frames {
                self.frame(*press, 0);
            }
        }
    }

    /// Holds the reset switch.
    pub(crate) fn press_reset(&mut self) {
        for _ in 0..RESET_FRAMES {
            self.frame(Press::Reset, 0);
        }
    }

    fn choose_mode(&mut self) {
        let mode = self.mode;
        self.standing.mode = mode;
        match self.game.select {
            None => return,
            Some(Select::At { address, hold }) => self.select_until(hold, |ram| u32::from(ram.at(address)) == mode),
            Some(Select::When { shown, hold }) => self.select_until(hold, |ram| shown(ram, mode)),
            Some(Select::By(choose)) => return choose(self, mode),
        }
        self.press_reset();
    }

    /// Presses the select switch, for so many frames at a time, until memory shows what is wanted.
    pub(crate) fn select_until(&mut self, hold: u32, shown: impl Fn(&Ram) -> bool) {
        self.repeat_until(shown, |atari| atari.press_select(hold));
    }

    /// Presses again and again until memory shows what is wanted.
    pub(crate) fn repeat_until(&mut self, shown: impl Fn(&Ram) -> bool, press: impl Fn(&mut Self)) {
        for _ in 0..PRESS_LIMIT {
            if shown(self.console.ram()) {
                break;
            }
            press(self);
        }
    }

    /// Holds the select switch, then lets a frame pass; all that counts as one frame of play.
    pub(crate) fn press_select(&mut self, frames: u32) {
        for _ in 0..frames {
            self.frame(Press::Player(Action::Noop), SELECT);
        }
        self.frame(Press::Player(Action::Noop), 0);
        self.count_frame();
    }

    fn count_frame(&mut self) {
        self.frames += 1;
        self.episode_frames += 1;
    }

    /// The next number of the generator that chance of play draws from.
    pub(crate) fn chance(&mut self) -> u32 {
        self.chance.as_mut().unwrap_or(&mut self.random).word()
    }

    /// Emulates one frame in which the player does something, and returns the points it gave. After the game's end, nothing
    /// happens.
    pub fn act(&mut self, action: Action) -> i32 {
        // What decides whether the last action sticks, for two players; here none ever does.
        self.chance();
        self.chance();
        if self.standing.over {
            return 0;
        }
        let action = if self.game.illegal.contains(&action) { Action::Noop } else { action };
        self.frame(Press::Player(action), 0);
        self.count_frame();
        self.standing.reward
    }

    /// One frame with something pressed, and the rules asked afterwards.
    fn frame(&mut self, press: Press, switches: u8) {
        let (action, pressed) = match press {
            Press::Player(action) => (action, switches),
            Press::Reset => (Action::Noop, switches | RESET),
        };
        self.hold(action, pressed);
        self.console.run_frame();
        match self.game.rules {
            Rules::Console(step) => step(self.console.ram(), &mut self.standing),
            Rules::ConsoleAndCartridge(step) => {
                let cartridge = self.console.cartridge_ram().expect("the game's cartridge has memory");
                step(self.console.ram(), cartridge, &mut self.standing);
            }
        }
    }

    /// Sets the controls.
    fn hold(&mut self, action: Action, pressed: u8) {
        let mut controls = Controls::default();
        controls.switches &= !pressed;
        if self.difficulty & 1 != 0 {
            controls.switches |= LEFT_DIFFICULT;
        }
        if self.difficulty & 2 != 0 {
            controls.switches |= RIGHT_DIFFICULT;
        }
        let directions = u8::from(action.right()) << 3
            | u8::from(action.left()) << 2
            | u8::from(action.down()) << 1
            | u8::from(action.up());
        match self.game.controllers {
            Controllers::Stick => {
                controls.sticks &= !(directions << 4);
                controls.trigger_pressed[0] = action.fire();
            }
            Controllers::StickAtTheRight => {
                controls.sticks &= !directions;
                controls.trigger_pressed[1] = action.fire();
            }
            Controllers::Paddles(paddles) => {
                if action.right() {
                    self.paddle = (self.paddle - PADDLE_STEP).max(SMALLEST_RESISTANCE);
                }
                if action.left() {
                    self.paddle = (self.paddle + PADDLE_STEP).min(paddles.largest);
                }
                let right = match paddles.right_port {
                    RightPort::Stick => None,
                    RightPort::Paddles => Some(0),
                };
                let middle = Some(middle(paddles) as u32);
                controls.resistance = [middle, middle, right, right];
                controls.resistance[paddles.which] = Some(self.paddle as u32);
                if action.fire() {
                    controls.sticks &= !(0x80 >> paddles.which);
                }
            }
        }
        *self.console.controls_mut() = controls;
    }

    /// Chooses the mode of games from the next reset on.
    pub fn set_mode(&mut self, mode: u32) {
        self.mode = mode;
    }

    /// Chooses the difficulty, at once.
    pub fn set_difficulty(&mut self, difficulty: u32) {
        self.difficulty = difficulty;
    }

    /// The game.
    pub fn game(&self) -> &'static Game {
        self.game
    }

    /// Which version is followed.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// How the game stands.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Frames of play since the console was switched on.
    pub fn frame_number(&self) -> u32 {
        self.frames
    }

    /// Frames of play since the last reset.
    pub fn episode_frame_number(&self) -> u32 {
        self.episode_frames
    }

    /// The memory.
    pub fn ram(&self) -> &Ram {
        self.console.ram()
    }

    /// Rows of the picture.
    pub fn height(&self) -> usize {
        self.console.height()
    }

    /// Writes the picture of the last frame, [`WIDTH`](crate::WIDTH) palette bytes a row.
    ///
    /// # Panics
    /// When the buffer does not have a byte for each pixel.
    pub fn read_picture(&self, pixels: &mut [u8]) {
        self.console.read_picture(pixels);
    }
}

/// A paddle's resistance half way.
fn middle(paddles: Paddles) -> i32 {
    (SMALLEST_RESISTANCE + paddles.largest) / 2
}

/// Bytes by the low bits of random numbers.
fn random_bytes<const BYTES: usize>(random: &mut Random) -> [u8; BYTES] {
    std::array::from_fn(|_| random.word() as u8)
}

const _: () = assert!(CARTRIDGE_RAM == RAM_BYTES);
