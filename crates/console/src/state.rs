//! Everything about a console that play changes, as plain data.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::atari::{Atari, Profile};
use crate::cartridge::CartridgeState;
use crate::controls::Controls;
use crate::cpu::Cpu;
use crate::games::Standing;
use crate::random::Random;
use crate::riot::Riot;
use crate::tia::Tia;

/// What a console was when [`Atari::state`] was called. From it, equal actions give equal frames.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    version: u32,
    md5: u128,
    pub(crate) profile: Profile,
    pub(crate) cpu: Cpu,
    pub(crate) riot: Riot,
    pub(crate) tia: Tia,
    pub(crate) cartridge: CartridgeState,
    pub(crate) controls: Controls,
    pub(crate) random: Random,
    pub(crate) chance: Option<Random>,
    pub(crate) standing: Standing,
    pub(crate) mode: u32,
    pub(crate) difficulty: u32,
    pub(crate) paddle: i32,
    pub(crate) frames: u32,
    pub(crate) episode_frames: u32,
}

/// A state that a console cannot go on from.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WrongState {
    /// It is of another version of this library.
    #[error("the state is of version {given}, this is version {}", State::VERSION)]
    Version {
        /// Its version.
        given: u32,
    },
    /// It is of another game.
    #[error("the state is of the game with MD5 {given:032x}, this is {game}")]
    Game {
        /// MD5 of its cartridge.
        given: u128,
        /// The game that is played.
        game: &'static str,
    },
    /// It is none that a console was ever in.
    #[error("the state is damaged: {what}")]
    Damaged {
        /// What does not fit.
        what: &'static str,
    },
}

impl State {
    /// What is stored changes with this number.
    const VERSION: u32 = 1;
}

impl Atari {
    /// Everything that decides the frames to come, and the picture of the last.
    pub fn state(&self) -> State {
        let board = &self.console.board;
        State {
            version: State::VERSION,
            md5: self.game().md5,
            profile: self.profile,
            cpu: self.console.cpu.clone(),
            riot: board.riot.clone(),
            tia: board.tia.clone(),
            cartridge: board.cartridge.state(),
            controls: board.controls.clone(),
            random: self.random.clone(),
            chance: self.chance.clone(),
            standing: self.standing().clone(),
            mode: self.mode,
            difficulty: self.difficulty,
            paddle: self.paddle,
            frames: self.frames,
            episode_frames: self.episode_frames,
        }
    }

    /// Goes on from a state of the same game.
    ///
    /// # Errors
    /// When the state is of another game or version, or damaged; the console is then unchanged.
    pub fn restore(&mut self, state: State) -> Result<(), WrongState> {
        if state.version != State::VERSION {
            return Err(WrongState::Version { given: state.version });
        }
        if state.md5 != self.game().md5 {
            return Err(WrongState::Game { given: state.md5, game: self.game().name });
        }
        let damaged = |what| Err(WrongState::Damaged { what });
        if !state.random.is_sound() || !state.chance.iter().all(Random::is_sound) {
            return damaged("random numbers");
        }
        if !state.tia.is_sound(self.height()) {
            return damaged("video chip");
        }
        if !self.console.board.cartridge.accepts(&state.cartridge) {
            return damaged("cartridge");
        }
        let board = &mut self.console.board;
        board.cartridge.restore(state.cartridge);
        board.riot = state.riot;
        board.tia = state.tia;
        board.controls = state.controls;
        self.console.cpu = state.cpu;
        self.profile = state.profile;
        self.random = state.random;
        self.chance = state.chance;
        self.standing = state.standing;
        self.mode = state.mode;
        self.difficulty = state.difficulty;
        self.paddle = state.paddle;
        self.frames = state.frames;
        self.episode_frames = state.episode_frames;
        Ok(())
    }
}
