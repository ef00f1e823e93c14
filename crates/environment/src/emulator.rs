//! Emulators of the Atari 2600: what is asked of one, and those that this build has.

#[cfg(feature = "ale")]
pub mod ale;
#[cfg(feature = "roms")]
pub mod console;
pub mod interface;

#[cfg(feature = "roms")]
use self::console::Version;
#[cfg(feature = "roms")]
use self::interface::{ConsoleSettings, Emulator, EmulatorError};
#[cfg(feature = "roms")]
use crate::atari::options::EmulatorChoice;
#[cfg(feature = "roms")]
use crate::roms::library::Rom;

/// Whether this build has an emulator, so that an environment can be made of a game's ROM.
pub const HAS_EMULATOR: bool = cfg!(feature = "ale");

/// Starts an emulator with the ROM in it.
///
/// # Errors
/// When a setting does not exist in this game, when the emulator cannot start, or when this build does not have it.
#[cfg(feature = "roms")]
pub fn start(rom: &Rom, settings: ConsoleSettings, choice: EmulatorChoice) -> Result<Box<dyn Emulator>, EmulatorError> {
    match choice {
        #[cfg(feature = "ale")]
        EmulatorChoice::Ale => Ok(Box::new(ale::Ale::new(rom, settings)?)),
        #[cfg(not(feature = "ale"))]
        EmulatorChoice::Ale => Err(EmulatorError::NotInBuild { game: rom.game().name.into() }),
        EmulatorChoice::Console2020 => Ok(Box::new(console::Console::new(rom, settings, Version::Ale2020)?)),
        EmulatorChoice::Console => Ok(Box::new(console::Console::new(rom, settings, Version::Ale012)?)),
    }
}
