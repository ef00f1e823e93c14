//! Looking for ROM files, and telling what they are by their MD5.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::env;
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::BaseStrategy;
use md5::{Digest, Md5};
use thiserror::Error;

use crate::atari::games::{GAMES, GameInfo, UnknownGame};

/// Environment variable that names a directory of ROM files.
pub const ROMS_VARIABLE: &str = "ALE_ROMS_DIR";

/// No cartridge is larger; a damaged archive must not claim all memory.
pub(super) const LARGEST_ROM: u64 = 64 * 1024;

/// Folders within folders that are searched, the directory itself being the first.
const DEEPEST: usize = 8;

/// Files, folders and entries of zip files that a search of one directory looks at, so that naming a home directory by
/// mistake takes seconds. The usual collection of every cartridge has about 6,000.
const MOST_ENTRIES: usize = 50_000;

/// Why there is no ROM to play.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RomError {
    /// No game has this name.
    #[error(transparent)]
    UnknownGame(#[from] UnknownGame),
    /// No file for the game in any directory.
    #[error("no ROM for {game} in {}{}", list(searched), unsearched(incomplete))]
    Missing {
        /// Game that was wanted.
        game: String,
        /// Directories that were searched, with the folders and zip files in them.
        searched: Vec<PathBuf>,
        /// Those of them that hold more files than a search looks at.
        incomplete: Vec<PathBuf>,
    },
    /// The file is shorter than the ROM.
    #[error("{} is truncated: {found} bytes where the ROM of {game} has {expected}", path.display())]
    Truncated {
        /// Game that was wanted.
        game: String,
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        found: usize,
        /// Size of the ROM in bytes.
        expected: usize,
    },
    /// The file holds something else.
    #[error("{} is not the ROM of {game} that ALE knows: its MD5 is {found:032x}, expected {expected:032x}", path.display())]
    Wrong {
        /// Game that was wanted.
        game: String,
        /// The file.
        path: PathBuf,
        /// MD5 of the file.
        found: u128,
        /// MD5 of the ROM.
        expected: u128,
    },
    /// A file or directory could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// File or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no home directory to put ROMs into.
    #[error("there is no home directory for ROMs")]
    NoHome,
}

fn list(directories: &[PathBuf]) -> String {
    let directories: Vec<String> = directories.iter().map(|path| path.display().to_string()).collect();
    directories.join(", ")
}

fn unsearched(incomplete: &[PathBuf]) -> String {
    if incomplete.is_empty() {
        return String::new();
    }
    format!(" ({}: only the first {MOST_ENTRIES} files were looked at)", list(incomplete))
}

/// A game's ROM, checked, in memory.
#[derive(Clone, Debug)]
pub struct Rom {
    game: &'static GameInfo,
    bytes: Arc<[u8]>,
}

impl Rom {
    /// Takes the bytes for the ROM of `game` if they are. `path` is named in errors.
    ///
    /// # Errors
    /// [`RomError::Truncated`] or [`RomError::Wrong`].
    pub fn check(game: &'static GameInfo, bytes: Vec<u8>, path: &Path) -> Result<Self, RomError> {
        let found = md5(&bytes);
        if found == game.md5 {
            return Ok(Self { game, bytes: bytes.into() });
        }
        let (name, path) = (game.name.to_string(), path.to_path_buf());
        if bytes.len() < game.rom_bytes {
            return Err(RomError::Truncated { game: name, path, found: bytes.len(), expected: game.rom_bytes });
        }
        Err(RomError::Wrong { game: name, path, found, expected: game.md5 })
    }

    /// The ROM in the file at `path`, or `None` when there is no such file.
    pub(super) fn read(game: &'static GameInfo, path: &Path) -> Result<Option<Self>, RomError> {
        let mut bytes = Vec::new();
        // Whatever has the name of a ROM, a film or a device without an end.
        let read = fs::File::open(path).and_then(|file| file.take(LARGEST_ROM + 1).read_to_end(&mut bytes));
        match read {
            Ok(_) => Self::check(game, bytes, path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(RomError::Unreadable { path: path.into(), source }),
        }
    }

    /// The game.
    pub fn game(&self) -> &'static GameInfo {
        self.game
    }

    /// The program.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Where a ROM lies: in a file of its own, or in a zip file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RomPlace {
    /// The file.
    pub path: PathBuf,
    /// If it is a zip file, the name within it.
    pub entry: Option<String>,
}

impl RomPlace {
    fn read(&self) -> io::Result<Vec<u8>> {
        let Some(entry) = &self.entry else { return fs::read(&self.path) };
        let mut archive = zip::ZipArchive::new(fs::File::open(&self.path)?)?;
        let mut bytes = Vec::new();
        archive.by_name(entry)?.take(LARGEST_ROM).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl fmt::Display for RomPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.entry {
            None => write!(f, "{}", self.path.display()),
            Some(entry) => write!(f, "{} in {}", entry, self.path.display()),
        }
    }
}

/// Where one game's ROM is, or why there is none.
#[derive(Debug)]
pub struct RomStatus {
    /// The game.
    pub game: &'static GameInfo,
    /// Where its ROM lies, whatever its name is there.
    pub place: Result<RomPlace, RomError>,
}

/// The directories that ROMs are looked for in, in order.
#[derive(Clone, Debug)]
pub struct RomLibrary {
    directories: Vec<PathBuf>,
}

impl RomLibrary {
    /// Looks into `directory` if given, then the directory that [`ROMS_VARIABLE`] names, then the data directory.
    ///
    /// # Errors
    /// [`RomError::Unreadable`] when the given or named directory is none.
    pub fn locate(directory: Option<&Path>) -> Result<Self, RomError> {
        let named = env::var_os(ROMS_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let asked: Vec<PathBuf> = directory.map(Path::to_path_buf).into_iter().chain(named).collect();
        for path in &asked {
            fs::read_dir(path).map_err(|source| RomError::Unreadable { path: path.clone(), source })?;
        }
        Ok(Self { directories: asked.into_iter().chain(data_directory().ok()).collect() })
    }

    /// A library of one directory.
    pub fn of(directory: &Path) -> Self {
        Self { directories: vec![directory.into()] }
    }

    /// Directories in the order they are looked into.
    pub fn directories(&self) -> &[PathBuf] {
        &self.directories
    }

    /// The ROM of a game: the file of its name (`pong.bin`), or else whatever has the ROM's MD5, under any name, in
    /// folders within the directory and in zip files.
    ///
    /// # Errors
    /// [`RomError::UnknownGame`], [`RomError::Missing`], or what is wrong with the file of its name.
    pub fn rom(&self, game: &str) -> Result<Rom, RomError> {
        let game = GameInfo::find(game)?;
        self.find(game, Contents::of).map(|(_, rom)| rom)
    }

    /// The state of every game's ROM.
    pub fn check(&self) -> Vec<RomStatus> {
        let mut known: HashMap<&Path, Contents> = HashMap::new();
        for directory in &self.directories {
            known.insert(directory, Contents::of(directory));
        }
        let place = |game| self.find(game, |directory| known[directory].clone()).map(|(place, _)| place);
        GAMES.iter().map(|game| RomStatus { game, place: place(game) }).collect()
    }

    fn find(&self, game: &'static GameInfo, contents: impl Fn(&Path) -> Contents) -> Result<(RomPlace, Rom), RomError> {
        let mut problem = None;
        let mut incomplete = Vec::new();
        for directory in &self.directories {
            let path = directory.join(file_name(game));
            match Rom::read(game, &path) {
                Ok(Some(rom)) => return Ok((RomPlace { path, entry: None }, rom)),
                Ok(None) => {}
                Err(error) => problem = problem.or(Some(error)),
            }
            let contents = contents(directory);
            if let Some(place) = contents.places.get(&game.md5) {
                let unreadable = |source| RomError::Unreadable { path: place.path.clone(), source };
                let rom = Rom::check(game, place.read().map_err(unreadable)?, &place.path)?;
                return Ok((place.clone(), rom));
            }
            if contents.extent == Extent::Part {
                incomplete.push(directory.clone());
            }
        }
        let (game, searched) = (game.name.into(), self.directories.clone());
        Err(problem.unwrap_or(RomError::Missing { game, searched, incomplete }))
    }
}

/// How much of a directory a search has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

/// The ROMs of known games in a directory, by their MD5. Where there are several of one game it is the first one, folder by
/// folder from the top, in alphabetical order.
#[derive(Clone, Debug)]
struct Contents {
    places: HashMap<u128, RomPlace>,
    extent: Extent,
}

impl Contents {
    /// Searches a directory, the folders in it, and the zip files in those. What cannot be read is passed over.
    fn of(directory: &Path) -> Self {
        Self::within(directory, MOST_ENTRIES)
    }

    fn within(directory: &Path, most_entries: usize) -> Self {
        let mut contents = Self { places: HashMap::new(), extent: Extent::Whole };
        let mut left = most_entries;
        let mut folders = vec![directory.to_path_buf()];
        for _ in 0..DEEPEST {
            let mut deeper = Vec::new();
            for folder in folders {
                contents.look_into(&folder, &mut left, &mut deeper);
            }
            folders = deeper;
        }
        if left == 0 {
            contents.extent = Extent::Part;
        }
        contents
    }

    /// Takes note of a folder's ROMs and adds the folders in it to `deeper`.
    fn look_into(&mut self, folder: &Path, left: &mut usize, deeper: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).take(*left).collect();
        *left -= paths.len();
        paths.sort();
        for path in paths {
            let Ok(metadata) = fs::metadata(&path) else { continue };
            if metadata.is_dir() {
                deeper.push(path);
            } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
                self.look_into_zip(&path, left);
            } else if metadata.is_file()
                && is_size_of_a_rom(metadata.len())
                && let Ok(bytes) = fs::read(&path)
            {
                self.note(&bytes, RomPlace { path, entry: None });
            }
        }
    }

    fn look_into_zip(&mut self, path: &Path, left: &mut usize) {
        let Some(mut archive) = fs::File::open(path).ok().and_then(|file| zip::ZipArchive::new(file).ok()) else {
            return;
        };
        let entries = archive.len().min(*left);
        *left -= entries;
        for index in 0..entries {
            let Ok(entry) = archive.by_index(index) else { continue };
            let Ok(name) = entry.name().map(|name| name.into_owned()) else { continue };
            if entry.is_file() && is_size_of_a_rom(entry.size()) {
                let mut bytes = Vec::new();
                // The size is what the archive says, which need not be true.
                if entry.take(LARGEST_ROM).read_to_end(&mut bytes).is_ok() {
                    self.note(&bytes, RomPlace { path: path.into(), entry: Some(name) });
                }
            }
        }
    }

    fn note(&mut self, bytes: &[u8], place: RomPlace) {
        let md5 = md5(bytes);
        if let (true, Entry::Vacant(vacant)) = (GAMES.iter().any(|game| game.md5 == md5), self.places.entry(md5)) {
            vacant.insert(place);
        }
    }
}

fn is_size_of_a_rom(bytes: u64) -> bool {
    GAMES.iter().any(|game| game.rom_bytes as u64 == bytes)
}

/// The user's directory for ROMs: `prism/roms` under `XDG_DATA_HOME` or `~/.local/share` (`%APPDATA%` on Windows).
///
/// # Errors
/// [`RomError::NoHome`].
pub fn data_directory() -> Result<PathBuf, RomError> {
    let strategy = etcetera::choose_base_strategy().map_err(|_| RomError::NoHome)?;
    Ok(strategy.data_dir().join("prism").join("roms"))
}

/// Name of a game's ROM file where we write it.
pub(super) fn file_name(game: &GameInfo) -> String {
    format!("{}.bin", game.name)
}

fn md5(bytes: &[u8]) -> u128 {
    u128::from_be_bytes(Md5::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// The ROM of a game from wherever this machine has it.
    fn real(game: &str) -> Rom {
        RomLibrary::locate(None).and_then(|library| library.rom(game)).unwrap_or_else(|error| panic!("{error}"))
    }

    fn zip_of(path: &Path, files: &[(&str, &[u8])]) {
        let mut archive = zip::ZipWriter::new(fs::File::create(path).expect("a file"));
        for (name, bytes) in files {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).expect("an entry");
            archive.write_all(bytes).expect("an entry");
        }
        archive.finish().expect("a zip file");
    }

    #[test]
    fn missing_truncated_and_wrong_roms_are_told_apart() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("pong.bin");
        let rom = || RomLibrary::of(directory.path()).rom("pong").map(|_| ()).expect_err("no ROM");

        let error = rom();
        assert!(matches!(error, RomError::Missing { .. }), "{error}");
        assert_eq!(error.to_string(), format!("no ROM for pong in {}", directory.path().display()));

        fs::write(&path, vec![0; 1000]).expect("a file");
        let error = rom();
        assert!(matches!(error, RomError::Truncated { found: 1000, expected: 2048, .. }), "{error}");

        fs::write(&path, vec![0; 2048]).expect("a file");
        let error = rom();
        assert!(matches!(error, RomError::Wrong { .. }), "{error}");
        assert!(error.to_string().contains("60e0ea3cbe0913d39803477945e9e5ec"), "{error}");
    }

    #[test]
    fn roms_are_found_under_any_name_in_folders_and_zip_files() {
        let directory = tempfile::tempdir().expect("a directory");
        let deep = directory.path().join("Atari 2600/NTSC/Sports");
        fs::create_dir_all(&deep).expect("folders");
        let pong = deep.join("Video Olympics.a26");
        fs::write(&pong, real("pong").bytes()).expect("a file");
        let archive = directory.path().join("Atari 2600/ROMS.ZIP");
        let breakout = "ROMS/Breakout (1978) (Atari).bin";
        zip_of(&archive, &[("ROMS/read me.txt", b"hello"), (breakout, real("breakout").bytes()), ("x", &[0; 2048])]);
        fs::write(directory.path().join("broken.zip"), b"PK no more").expect("a file");

        let library = RomLibrary::of(directory.path());
        assert_eq!(library.rom("pong").expect("the ROM").bytes(), real("pong").bytes());
        assert_eq!(library.rom("breakout").expect("the ROM").bytes(), real("breakout").bytes());
        let found: Vec<(&str, RomPlace)> =
            library.check().into_iter().filter_map(|status| Some((status.game.name, status.place.ok()?))).collect();
        let places = [
            ("breakout", RomPlace { path: archive.clone(), entry: Some(breakout.into()) }),
            ("pong", RomPlace { path: pong, entry: None }),
        ];
        assert_eq!(found, places);
        assert_eq!(found[0].1.to_string(), format!("{breakout} in {}", archive.display()));
    }

    #[test]
    fn a_search_ends_where_there_are_too_many_files_and_says_so() {
        let directory = tempfile::tempdir().expect("a directory");
        for file in ["a", "b", "c"] {
            fs::write(directory.path().join(file), file).expect("a file");
        }
        let folder = directory.path().join("folder");
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join("pong"), real("pong").bytes()).expect("a file");
        let found = |most| {
            let contents = Contents::within(directory.path(), most);
            (contents.places.len(), contents.extent)
        };
        assert_eq!(found(4), (0, Extent::Part));
        assert_eq!(found(6), (1, Extent::Whole));

        let incomplete = vec![directory.path().to_path_buf()];
        let error = RomError::Missing { game: "pong".into(), searched: incomplete.clone(), incomplete };
        assert!(error.to_string().ends_with("only the first 50000 files were looked at)"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_contains_itself_is_no_trap() {
        let directory = tempfile::tempdir().expect("a directory");
        std::os::unix::fs::symlink(directory.path(), directory.path().join("again")).expect("a link");
        fs::write(directory.path().join("game"), real("pong").bytes()).expect("a file");
        assert_eq!(RomLibrary::of(directory.path()).rom("pong").expect("the ROM").game().name, "pong");
    }

    #[test]
    fn an_unknown_game_and_an_unreadable_directory_are_errors() {
        let directory = tempfile::tempdir().expect("a directory");
        let error = RomLibrary::of(directory.path()).rom("pnog").expect_err("no game");
        assert!(error.to_string().contains("did you mean pong"), "{error}");
        let error = RomLibrary::locate(Some(&directory.path().join("none"))).expect_err("no directory");
        assert!(matches!(error, RomError::Unreadable { .. }), "{error}");
    }
}
