//! The console in Rust, from this workspace's `prism-console`.

use std::sync::Arc;

use prism_console::{Atari, Profile, games};

use super::interface::{Action, BadSnapshot, ConsoleSettings, Emulator, EmulatorError, RAM_BYTES};
use crate::atari::games::GameInfo;
use crate::atari::palette::Palette;
use crate::roms::library::Rom;
use crate::seed::fnv1a;

/// Whose frames the console's are equal to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// ALE's library of February 2020, which is what [`Ale`](crate::Ale) runs.
    Ale2020,
    /// ALE 0.12.
    Ale012,
}

/// One console with one game in it. Snapshots are exact, screen and RAM included.
#[derive(Clone, Debug)]
pub struct Console {
    atari: Atari,
    game: &'static GameInfo,
    minimal_actions: Vec<Action>,
}

impl Console {
    /// Puts the ROM into a console and starts the game.
    ///
    /// # Errors
    /// When a mode or difficulty does not exist in this game.
    pub fn new(rom: &Rom, settings: ConsoleSettings, version: Version) -> Result<Self, EmulatorError> {
        let info = rom.game();
        // As the library takes its seeds, so that both play alike.
        let seed = (settings.seed.0 % (i32::MAX as u64) + 1) as u32;
        let profile = match version {
            Version::Ale2020 => Profile::Ale2020 { seed },
            Version::Ale012 => Profile::Ale012 { seed },
        };
        let game = games::find(info.name, profile).expect("the console has every game of the library of 2020");
        let unknown = |what: u32, list: &[u32]| what != 0 && !list.contains(&what);
        let ascending = |list: &[u32]| {
            let mut list = list.to_vec();
            list.sort_unstable();
            list
        };
        if unknown(settings.mode, game.modes) {
            let (game, mode, available) = (info.name.into(), settings.mode, ascending(game.modes));
            return Err(EmulatorError::UnknownMode { game, mode, available });
        }
        if unknown(settings.difficulty, game.difficulties) {
            let (game, difficulty, available) = (info.name.into(), settings.difficulty, ascending(game.difficulties));
            return Err(EmulatorError::UnknownDifficulty { game, difficulty, available });
        }
        let mut atari =
            Atari::new(game, Arc::from(rom.bytes()), profile).expect("a ROM of known MD5 has its cartridge's size");
        if settings.mode != 0 {
            atari.set_mode(settings.mode);
        }
        if settings.difficulty != 0 {
            atari.set_difficulty(settings.difficulty);
        }
        atari.reset();
        let minimal_actions =
            Action::ALL.into_iter().filter(|action| game.actions.contains(&pressed(*action))).collect();
        Ok(Self { atari, game: info, minimal_actions })
    }

    /// Frames since the console was switched on.
    pub fn frame_number(&self) -> u32 {
        self.atari.frame_number()
    }

    /// Tells an intact state of this game from other bytes.
    fn seal(&self, state: &[u8]) -> u64 {
        fnv1a(state) ^ self.game.md5 as u64
    }
}

/// The same action in the console's words.
fn pressed(action: Action) -> prism_console::Action {
    prism_console::Action::ALL[usize::from(action.number())]
}

impl Emulator for Console {
    fn game(&self) -> &str {
        self.game.name
    }

    fn screen_size(&self) -> (usize, usize) {
        (self.atari.height(), prism_console::WIDTH)
    }

    fn palette(&self) -> &'static Palette {
        self.game.palette
    }

    fn minimal_actions(&self) -> &[Action] {
        &self.minimal_actions
    }

    fn reset(&mut self) {
        self.atari.reset();
    }

    fn act(&mut self, action: Action) -> i32 {
        self.atari.act(pressed(action))
    }

    fn game_over(&self) -> bool {
        self.atari.standing().over
    }

    fn lives(&self) -> u32 {
        u32::try_from(self.atari.standing().lives).unwrap_or(0)
    }

    fn read_screen(&self, screen: &mut [u8]) {
        self.atari.read_picture(screen);
    }

    fn read_ram(&self, ram: &mut [u8; RAM_BYTES]) {
        *ram = self.atari.ram().0;
    }

    fn snapshot(&self) -> Vec<u8> {
        let state = postcard::to_stdvec(&self.atari.state()).expect("a state is plain data");
        [self.seal(&state).to_le_bytes().as_slice(), &state].concat()
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), BadSnapshot> {
        let bad = |reason: String| BadSnapshot { reason };
        let (seal, state) = snapshot.split_first_chunk().ok_or_else(|| bad("it is too short".into()))?;
        if u64::from_le_bytes(*seal) != self.seal(state) {
            return Err(bad(format!("it is damaged or not a console's of {}", self.game.name)));
        }
        let state = postcard::from_bytes(state).map_err(|error| bad(error.to_string()))?;
        self.atari.restore(state).map_err(|error| bad(error.to_string()))
    }
}
