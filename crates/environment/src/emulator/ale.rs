//! The Arcade Learning Environment's C library, made safe.
//!
//! The library answers bad input with `exit()` or with a C++ exception that cannot cross into Rust. Whatever it would not
//! accept is refused here first, and it only ever loads ROMs whose MD5 is known.
#![expect(unsafe_code, reason = "calls a C library; each block lists why it is sound")]

use std::ffi::{CString, c_int};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::interface::{Action, BadSnapshot, ConsoleSettings, Emulator, EmulatorError, RAM_BYTES};
use crate::atari::games::GameInfo;
use crate::atari::palette::Palette;
use crate::roms::library::Rom;
use crate::seed::fnv1a;

/// Files that the library silently reads from the current directory and that change what it emulates.
const FOREIGN_SETTINGS: [&str; 3] = ["ale.cfg", "stella.pro", "stella.pal"];

/// Held while the library makes, loads or deletes an emulator: these write variables of the whole process.
static LIFECYCLE: Mutex<()> = Mutex::new(());

/// One emulator with one game in it.
///
/// Snapshots are exact: from one, equal actions give equal points, lives, RAM and screens, in all games. Two things are
/// not in them. Until the first frame after [`Emulator::restore`], the screen and the RAM read as before it. And a game that
/// does not draw some pixel in a frame shows what was there two frames ago, so that the first frame after a restore can
/// differ in such pixels (seen in yars_revenge only, 16 pixels).
#[derive(Debug)]
pub struct Ale {
    handle: NonNull<ale_sys::ALEInterface>,
    game: &'static GameInfo,
    minimal_actions: Vec<Action>,
    modes: Vec<u32>,
    difficulties: Vec<u32>,
    screen_size: (usize, usize),
}

// SAFETY:
// * the handle is the only one to its emulator, so moving `Ale` moves all access to it;
// * after loading, the library keeps an emulator's state in the emulator, and what it shares between emulators is either
//   constant or written under `LIFECYCLE`;
// * it uses no thread-local variables, so creation and use may happen on different threads.
unsafe impl Send for Ale {}

impl Ale {
    /// Starts an emulator, loads the ROM and resets the game.
    ///
    /// # Errors
    /// When a setting does not exist in this game, when a file in the current directory would change the emulator, or when
    /// the ROM cannot be handed over.
    pub fn new(rom: &Rom, settings: ConsoleSettings) -> Result<Self, EmulatorError> {
        let game = rom.game();
        // The library picks a game's rules by the name of its ROM file and leaves the process when it does not know
        // the name, so the checked bytes go into a file of that name, whatever the user's own is called.
        let handover =
            |source| EmulatorError::Handover { game: game.name.into(), directory: std::env::temp_dir(), source };
        let directory = tempfile::Builder::new().prefix("prism-rom-").tempdir().map_err(handover)?;
        let file = directory.path().join(format!("{}.bin", game.name));
        fs::write(&file, rom.bytes()).map_err(handover)?;
        let path = CString::new(file.as_os_str().as_encoded_bytes())
            .map_err(|_| handover(io::Error::other("its path has a NUL byte")))?;

        let lifecycle = lock_lifecycle();
        refuse_foreign_settings()?;
        // SAFETY:
        // * the mutex is held, so no other thread makes, loads or deletes an emulator;
        // * the logger's mode is the same at every call and is set before any emulator exists;
        // * `ALE_new` returns a pointer from C++ `new`, never null.
        let handle = unsafe {
            ale_sys::setLoggerMode(2);
            NonNull::new(ale_sys::ALE_new()).expect("ALE_new returned no emulator")
        };
        let mut ale = Self {
            handle,
            game,
            minimal_actions: Vec::new(),
            modes: Vec::new(),
            difficulties: Vec::new(),
            screen_size: (0, 0),
        };
        // The library takes 0 for "seed from the clock".
        let seed = settings.seed.0 % (i32::MAX as u64) + 1;
        // SAFETY:
        // * the handle is live and owned;
        // * each key is a NUL-terminated literal that this version of the library declares;
        // * the ROM file exists, holds a ROM that the library can run, and has a name that it knows;
        // * the mutex is held while the ROM is loaded.
        unsafe {
            ale_sys::setInt(ale.raw(), c"random_seed".as_ptr(), seed as c_int);
            // Sticky actions, frame skipping, pooling and the frame limit are `AtariEnvironment`'s, frame by frame. The
            // library's own sticky actions would also escape its snapshots, which lack the previous action.
            ale_sys::setFloat(ale.raw(), c"repeat_action_probability".as_ptr(), 0.0);
            ale_sys::setInt(ale.raw(), c"frame_skip".as_ptr(), 1);
            ale_sys::setInt(ale.raw(), c"max_num_frames_per_episode".as_ptr(), 0);
            ale_sys::setBool(ale.raw(), c"color_averaging".as_ptr(), false);
            if game.name == "wizard_of_wor" {
                // The game's stick is plugged into the other port, which this version forgets and later ones know.
                ale_sys::setString(ale.raw(), c"sp".as_ptr(), c"YES".as_ptr());
            }
            ale_sys::loadROM(ale.raw(), path.as_ptr());
        }
        drop(lifecycle);

        ale.read_facts();
        ale.apply(settings)?;
        ale.reset();
        Ok(ale)
    }

    /// Modes that the game lists, in ascending order.
    pub fn modes(&self) -> &[u32] {
        &self.modes
    }

    /// Difficulties that the game lists, in ascending order.
    pub fn difficulties(&self) -> &[u32] {
        &self.difficulties
    }

    /// Frames since the emulator was made.
    pub fn frame_number(&self) -> u32 {
        // SAFETY: the handle is live and has a ROM; the call reads the emulator, which is not shared between threads.
        count(unsafe { ale_sys::getFrameNumber(self.raw()) }) as u32
    }

    /// Frames since the last reset.
    pub fn episode_frame_number(&self) -> u32 {
        // SAFETY: the handle is live and has a ROM; the call reads the emulator, which is not shared between threads.
        count(unsafe { ale_sys::getEpisodeFrameNumber(self.raw()) }) as u32
    }

    fn raw(&self) -> *mut ale_sys::ALEInterface {
        self.handle.as_ptr()
    }

    /// Tells an intact state of this game from other bytes, which the library must not be given.
    fn seal(&self, state: &[u8]) -> u64 {
        fnv1a(state) ^ self.game.md5 as u64
    }

    /// Asks the library what does not change while a game is loaded.
    fn read_facts(&mut self) {
        // SAFETY:
        // * the handle is live, owned and has a ROM;
        // * each buffer has as many elements as the library's size function says it will write.
        let (actions, modes, difficulties) = unsafe {
            let mut actions = vec![0; count(ale_sys::getMinimalActionSize(self.raw()))];
            ale_sys::getMinimalActionSet(self.raw(), actions.as_mut_ptr());
            let mut modes = vec![0; count(ale_sys::getAvailableModesSize(self.raw()))];
            ale_sys::getAvailableModes(self.raw(), modes.as_mut_ptr());
            let mut difficulties = vec![0; count(ale_sys::getAvailableDifficultiesSize(self.raw()))];
            ale_sys::getAvailableDifficulties(self.raw(), difficulties.as_mut_ptr());
            self.screen_size =
                (count(ale_sys::getScreenHeight(self.raw())), count(ale_sys::getScreenWidth(self.raw())));
            assert_eq!(count(ale_sys::getRAMSize(self.raw())), RAM_BYTES, "an Atari 2600 has 128 bytes of RAM");
            (actions, modes, difficulties)
        };
        self.minimal_actions = Action::ALL.into_iter().filter(|action| actions.contains(&(*action as c_int))).collect();
        self.modes = ascending(&modes);
        self.difficulties = ascending(&difficulties);
    }

    fn apply(&mut self, settings: ConsoleSettings) -> Result<(), EmulatorError> {
        let ConsoleSettings { mode, difficulty, .. } = settings;
        if mode != 0 && !self.modes.contains(&mode) {
            let game = self.game.name.into();
            return Err(EmulatorError::UnknownMode { game, mode, available: self.modes.clone() });
        }
        if difficulty != 0 && !self.difficulties.contains(&difficulty) {
            let game = self.game.name.into();
            return Err(EmulatorError::UnknownDifficulty { game, difficulty, available: self.difficulties.clone() });
        }
        // SAFETY:
        // * the handle is live, owned and has a ROM;
        // * the library accepts the modes and difficulties that it lists.
        unsafe {
            if mode != 0 {
                ale_sys::setMode(self.raw(), mode as c_int);
            }
            if difficulty != 0 {
                ale_sys::setDifficulty(self.raw(), difficulty as c_int);
            }
        }
        Ok(())
    }
}

impl Emulator for Ale {
    fn game(&self) -> &str {
        self.game.name
    }

    fn screen_size(&self) -> (usize, usize) {
        self.screen_size
    }

    fn palette(&self) -> &'static Palette {
        self.game.palette
    }

    fn minimal_actions(&self) -> &[Action] {
        &self.minimal_actions
    }

    fn reset(&mut self) {
        // SAFETY: the handle is live, owned exclusively and has a ROM.
        unsafe { ale_sys::reset_game(self.raw()) }
    }

    fn act(&mut self, action: Action) -> i32 {
        // SAFETY:
        // * the handle is live, owned exclusively and has a ROM;
        // * the library accepts the actions 0 to 17, which are all that `Action` has.
        unsafe { ale_sys::act(self.raw(), c_int::from(action.number())) }
    }

    fn game_over(&self) -> bool {
        // SAFETY: the handle is live and has a ROM; the call reads the emulator, which is not shared between threads.
        unsafe { ale_sys::game_over(self.raw()) }
    }

    fn lives(&self) -> u32 {
        // SAFETY: the handle is live and has a ROM; the call reads the emulator, which is not shared between threads.
        let lives = unsafe { ale_sys::lives(self.raw()) };
        u32::try_from(lives).unwrap_or(0)
    }

    fn read_screen(&self, screen: &mut [u8]) {
        let (height, width) = self.screen_size;
        assert_eq!(screen.len(), height * width, "the buffer must hold {height} x {width} pixels");
        // SAFETY:
        // * the handle is live and has a ROM; the call reads the emulator, which is not shared between threads;
        // * the library writes height x width bytes, which the buffer has.
        unsafe { ale_sys::getScreen(self.raw(), screen.as_mut_ptr()) }
    }

    fn read_ram(&self, ram: &mut [u8; RAM_BYTES]) {
        // SAFETY:
        // * the handle is live and has a ROM; the call reads the emulator, which is not shared between threads;
        // * the library writes as many bytes as its RAM has, which was compared with `RAM_BYTES`.
        unsafe { ale_sys::getRAM(self.raw(), ram.as_mut_ptr()) }
    }

    fn snapshot(&self) -> Vec<u8> {
        // SAFETY:
        // * the handle is live and has a ROM; the calls read the emulator, which is not shared between threads;
        // * the state is deleted once and not used afterwards;
        // * the buffer has the size that the library says it will write.
        let state = unsafe {
            let state = ale_sys::cloneSystemState(self.raw());
            let length = ale_sys::encodeStateLen(state);
            let mut bytes = vec![0; count(length)];
            ale_sys::encodeState(state, bytes.as_mut_ptr().cast(), length);
            ale_sys::deleteState(state);
            bytes
        };
        [self.seal(&state).to_le_bytes().as_slice(), &state].concat()
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), BadSnapshot> {
        let (seal, state) =
            snapshot.split_first_chunk().ok_or_else(|| BadSnapshot { reason: "it is too short".into() })?;
        if u64::from_le_bytes(*seal) != self.seal(state) {
            let reason = format!("it is damaged or not an emulator's of {}", self.game.name);
            return Err(BadSnapshot { reason });
        }
        let length = c_int::try_from(state.len()).map_err(|_| BadSnapshot { reason: "it is too long".into() })?;
        // SAFETY:
        // * the handle is live, owned exclusively and has a ROM;
        // * the seal says that the bytes are what `encodeState` wrote for a console with this ROM;
        // * the state is deleted once and not used afterwards.
        unsafe {
            let state = ale_sys::decodeState(state.as_ptr().cast(), length);
            ale_sys::restoreSystemState(self.raw(), state);
            ale_sys::deleteState(state);
        }
        Ok(())
    }
}

impl Drop for Ale {
    fn drop(&mut self) {
        let _lifecycle = lock_lifecycle();
        // SAFETY: the handle is live, owned exclusively and never used again; the mutex is held.
        unsafe { ale_sys::ALE_del(self.raw()) }
    }
}

fn lock_lifecycle() -> MutexGuard<'static, ()> {
    // The mutex guards nothing of ours that a panic could leave half done.
    LIFECYCLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refuse_foreign_settings() -> Result<(), EmulatorError> {
    match FOREIGN_SETTINGS.iter().map(PathBuf::from).find(|path| path.exists()) {
        Some(path) => Err(EmulatorError::ForeignSettings { path: std::path::absolute(&path).unwrap_or(path) }),
        None => Ok(()),
    }
}

fn count(value: c_int) -> usize {
    usize::try_from(value).expect("the library counts from 0")
}

fn ascending(values: &[c_int]) -> Vec<u32> {
    let mut values: Vec<u32> = values.iter().filter_map(|value| u32::try_from(*value).ok()).collect();
    values.sort_unstable();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::atari::games::GAMES;
    use crate::roms::library::RomLibrary;
    use crate::seed::Seed;

    fn rom(game: &str) -> Rom {
        RomLibrary::locate(None).and_then(|library| library.rom(game)).unwrap_or_else(|error| panic!("{error}"))
    }

    fn start(game: &str, seed: u64) -> Ale {
        Ale::new(&rom(game), ConsoleSettings { mode: 0, difficulty: 0, seed: Seed(seed) }).expect("an emulator")
    }

    /// Points, lives, frame number, RAM and screen.
    type Seen = (i32, u32, u32, [u8; RAM_BYTES], Vec<u8>);

    /// Plays random frames, with resets, and returns what was seen in each.
    fn play(ale: &mut Ale, frames: usize, seed: u64) -> Vec<Seen> {
        let mut generator = Seed(seed).generator();
        let mut seen = Vec::new();
        for _ in 0..frames {
            let action = ale.minimal_actions[generator.random_range(0..ale.minimal_actions.len())];
            let points = ale.act(action);
            let mut ram = [0; RAM_BYTES];
            ale.read_ram(&mut ram);
            let mut screen = vec![0; ale.screen_size.0 * ale.screen_size.1];
            ale.read_screen(&mut screen);
            seen.push((points, ale.lives(), ale.frame_number(), ram, screen));
            if ale.game_over() {
                ale.reset();
            }
        }
        seen
    }

    #[test]
    fn a_snapshot_in_another_emulator_goes_on_the_same() {
        for game in ["asteroids", "elevator_action", "kung_fu_master", "mr_do", "qbert", "solaris"] {
            let mut first = start(game, 1);
            let mut second = start(game, 2);
            play(&mut first, 300, 1);
            play(&mut second, 50, 2);
            second.restore(&first.snapshot()).expect("the same game");
            assert!(play(&mut first, 600, 3) == play(&mut second, 600, 3), "{game}");
        }
    }

    #[test]
    fn damaged_and_foreign_snapshots_are_refused() {
        let mut pong = start("pong", 1);
        let good = pong.snapshot();
        let mut flipped = good.clone();
        flipped[good.len() / 2] ^= 1;
        let foreign = start("breakout", 1).snapshot();
        for bad in [&flipped, &good[..good.len() - 1], &[], &foreign[..]].map(|bytes: &[u8]| bytes) {
            pong.restore(bad).expect_err("no snapshot of this game");
        }
        assert_eq!(pong.snapshot(), good);
    }

    #[test]
    fn palettes_are_those_of_the_library() {
        for game in &GAMES {
            let mut ale = start(game.name, 1);
            let pixels = ale.screen_size.0 * ale.screen_size.1;
            let (mut screen, mut grey, mut rgb) = (vec![0; pixels], vec![0; pixels], vec![[0; 3]; pixels]);
            for _ in 0..4 {
                play(&mut ale, 13, 1);
                ale.read_screen(&mut screen);
                // SAFETY: the handle is live and has a ROM; the buffers have one and three bytes for each pixel.
                unsafe {
                    ale_sys::getScreenGrayscale(ale.raw(), grey.as_mut_ptr());
                    ale_sys::getScreenRGB(ale.raw(), rgb.as_mut_ptr().cast());
                }
                for (pixel, byte) in screen.iter().map(|byte| usize::from(*byte)).enumerate() {
                    let ours = (game.palette.grey[byte], game.palette.rgb[byte]);
                    assert_eq!(ours, (grey[pixel], rgb[pixel]), "{}: palette byte {byte}", game.name);
                }
            }
        }
    }

    #[test]
    fn modes_and_difficulties_that_a_game_lacks_are_refused() {
        let refused = |mode, difficulty| {
            let settings = ConsoleSettings { mode, difficulty, seed: Seed(1) };
            Ale::new(&rom("breakout"), settings).map(|_| ()).expect_err("breakout has none").to_string()
        };
        assert_eq!(refused(1, 0), "breakout has no mode 1: it has 0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44");
        assert_eq!(refused(0, 3), "breakout has no difficulty 3: it has 0, 1");
    }

    #[test]
    fn modes_and_difficulties_change_the_game() {
        let seen = |mode, difficulty| {
            let settings = ConsoleSettings { mode, difficulty, seed: Seed(1) };
            let mut ale = Ale::new(&rom("space_invaders"), settings).expect("an emulator");
            play(&mut ale, 400, 1)
        };
        assert!(seen(0, 0) == seen(0, 0));
        assert!(seen(0, 0) != seen(3, 0));
        assert!(seen(0, 0) != seen(0, 1));
    }

    #[test]
    fn emulators_may_be_made_used_and_dropped_on_many_threads() {
        let expected = play(&mut start("pong", 1), 200, 1);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..3 {
                        assert!(play(&mut start("pong", 1), 200, 1) == expected);
                    }
                });
            }
        });
    }
}
