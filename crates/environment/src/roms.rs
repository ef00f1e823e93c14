//! ROM files: where they are looked for, how they are checked, how they are installed.
//!
//! Games are never part of this project. [`install`] runs the user's own pip to obtain the `ale-py` wheel, which carries
//! them, and keeps only the files whose MD5 is known.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use etcetera::BaseStrategy;
use md5::{Digest, Md5};
use thiserror::Error;

use crate::{GAMES, GameInfo, UnknownGame};

/// Environment variable that names a directory of ROM files.
pub const ROMS_VARIABLE: &str = "ALE_ROMS_DIR";

/// The pip requirement that carries the ROM files.
pub const WHEEL: &str = "ale-py==0.12.1";

// Only the ROM files are read, so any platform's wheel serves any machine and any Python.
const WHEEL_TAGS: [&str; 8] =
    ["--platform", "manylinux_2_28_x86_64", "--python-version", "3.12", "--implementation", "cp", "--abi", "cp312"];

/// Why there is no ROM to play, or none could be installed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RomError {
    /// No game has this name.
    #[error(transparent)]
    UnknownGame(#[from] UnknownGame),
    /// No file for the game in any directory.
    #[error(
        "no ROM for {game} in {searched}: run `prism roms install`, or name your own directory with --roms DIR or {ROMS_VARIABLE}"
    )]
    Missing {
        /// Game that was wanted.
        game: String,
        /// Directories that were looked into.
        searched: String,
    },
    /// The file is shorter than the ROM.
    #[error("{} is truncated: {found} bytes where the ROM of {game} has {expected}; delete it and run `prism roms install`", path.display())]
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
    #[error("{} is not the ROM of {game} that ALE knows: its MD5 is {found:032x}, expected {expected:032x}; delete it and run `prism roms install`", path.display())]
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
    #[error("cannot read {}: {source}; check that it exists and that you may read it", path.display())]
    Unreadable {
        /// File or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory to install into cannot be written.
    #[error("cannot write ROMs into {}: {source}; name another directory with --roms DIR", path.display())]
    Unwritable {
        /// Directory to install into.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no home directory to put ROMs into.
    #[error("there is no home directory for ROMs: name a directory with --roms DIR or {ROMS_VARIABLE}")]
    NoHome,
    /// No Python was found to run pip with.
    #[error(
        "python3 was not found, which `prism roms install` needs to run pip: install Python 3 with pip, or copy your own ROM files to a directory and name it with --roms DIR"
    )]
    NoPython,
    /// Python has no pip.
    #[error(
        "{python} has no pip, which `prism roms install` needs: install it (Debian and Ubuntu: apt install python3-pip; elsewhere: {python} -m ensurepip)"
    )]
    NoPip {
        /// Python that was run.
        python: String,
    },
    /// pip did not deliver the wheel.
    #[error(
        "pip could not download {WHEEL}: check the network connection and pip's index settings, then run `prism roms install` again. The command was `{command}`; it said:\n{output}"
    )]
    Download {
        /// Command that was run.
        command: String,
        /// Last lines of its output.
        output: String,
    },
    /// The downloaded wheel is damaged or not what it should be.
    #[error(
        "the downloaded {WHEEL} wheel is of no use: {reason}; run `prism roms install` again, and look at pip's index settings if that does not help"
    )]
    BadWheel {
        /// What is wrong with it.
        reason: String,
    },
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

    /// The game.
    pub fn game(&self) -> &'static GameInfo {
        self.game
    }

    /// The program.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Where one game's ROM is, or why there is none.
#[derive(Debug)]
pub struct RomStatus {
    /// The game.
    pub game: &'static GameInfo,
    /// File that holds the ROM.
    pub file: Result<PathBuf, RomError>,
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

    /// Directories in the order they are looked into.
    pub fn directories(&self) -> &[PathBuf] {
        &self.directories
    }

    /// The ROM of a game: the file of its name (`pong.bin`), or else a file of any name with the ROM's MD5.
    ///
    /// # Errors
    /// [`RomError::UnknownGame`], [`RomError::Missing`], or what is wrong with the file of its name.
    pub fn rom(&self, game: &str) -> Result<Rom, RomError> {
        self.find(GameInfo::find(game)?).map(|(_, rom)| rom)
    }

    /// The state of every game's ROM.
    pub fn check(&self) -> Vec<RomStatus> {
        GAMES.iter().map(|game| RomStatus { game, file: self.find(game).map(|(path, _)| path) }).collect()
    }

    fn find(&self, game: &'static GameInfo) -> Result<(PathBuf, Rom), RomError> {
        let mut problem = None;
        for directory in &self.directories {
            let path = directory.join(file_name(game));
            match read(game, &path) {
                Ok(Some(rom)) => return Ok((path, rom)),
                Ok(None) => {}
                Err(error) => problem = problem.or(Some(error)),
            }
            if let Some(found) = find_by_content(game, directory) {
                return Ok(found);
            }
        }
        let searched: Vec<String> = self.directories.iter().map(|path| path.display().to_string()).collect();
        Err(problem.unwrap_or_else(|| RomError::Missing { game: game.name.into(), searched: searched.join(", ") }))
    }
}

/// The user's directory for ROMs: `prism/roms` under `XDG_DATA_HOME` or `~/.local/share` (`%APPDATA%` on Windows).
///
/// # Errors
/// [`RomError::NoHome`].
pub fn data_directory() -> Result<PathBuf, RomError> {
    let strategy = etcetera::choose_base_strategy().map_err(|_| RomError::NoHome)?;
    Ok(strategy.data_dir().join("prism").join("roms"))
}

/// What [`install`] is doing.
#[derive(Debug)]
#[non_exhaustive]
pub enum InstallProgress<'a> {
    /// pip is about to run.
    Downloading {
        /// The command, as one would type it.
        command: &'a str,
    },
    /// A ROM was checked and written.
    Installed {
        /// The game.
        game: &'static GameInfo,
    },
}

/// What [`install`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Installed {
    /// ROMs that were written.
    pub written: usize,
    /// ROMs that were there already.
    pub kept: usize,
}

/// Makes `directory` hold the ROM of every game: downloads what is missing or damaged, keeps what is right.
///
/// Each file appears complete or not at all.
///
/// # Errors
/// When the directory cannot be written, pip cannot be run or cannot download, or the download is not what it should be.
pub fn install(directory: &Path, progress: &mut dyn FnMut(InstallProgress)) -> Result<Installed, RomError> {
    install_with(directory, &["python3", "python"], progress)
}

fn install_with(
    directory: &Path,
    pythons: &[&str],
    progress: &mut dyn FnMut(InstallProgress),
) -> Result<Installed, RomError> {
    let wanted: Vec<&'static GameInfo> =
        GAMES.iter().filter(|game| !matches!(read(game, &directory.join(file_name(game))), Ok(Some(_)))).collect();
    let kept = GAMES.len() - wanted.len();
    if wanted.is_empty() {
        return Ok(Installed { written: 0, kept });
    }
    let unwritable = |source| RomError::Unwritable { path: directory.into(), source };
    // Both before the download: it would be for nothing if either failed.
    fs::create_dir_all(directory).map_err(unwritable)?;
    let staging = tempfile::Builder::new().prefix(".install-").tempdir_in(directory).map_err(unwritable)?;

    let wheel = download(pythons, staging.path(), progress)?;
    let mut roms = read_wheel(&wheel)?;
    for game in &wanted {
        let bytes = roms
            .remove(game.name)
            .ok_or_else(|| RomError::BadWheel { reason: format!("it has no ROM for {}", game.name) })?;
        let rom = Rom::check(game, bytes, &wheel).map_err(|error| RomError::BadWheel { reason: error.to_string() })?;
        let mut file = tempfile::NamedTempFile::new_in(directory).map_err(unwritable)?;
        file.write_all(rom.bytes()).and_then(|()| file.as_file().sync_all()).map_err(unwritable)?;
        share(file.as_file()).map_err(unwritable)?;
        file.persist(directory.join(file_name(game))).map_err(|error| unwritable(error.error))?;
        progress(InstallProgress::Installed { game });
    }
    Ok(Installed { written: wanted.len(), kept })
}

/// Temporary files are private; ROMs in a shared directory are for everybody who may read it.
fn share(file: &fs::File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    let _ = file;
    Ok(())
}

/// Runs pip of the first Python there is and returns the wheel it wrote into `staging`.
fn download(pythons: &[&str], staging: &Path, progress: &mut dyn FnMut(InstallProgress)) -> Result<PathBuf, RomError> {
    let python = pythons
        .iter()
        .find(|python| {
            let version = Command::new(python).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            version.is_ok_and(|status| status.success())
        })
        .ok_or(RomError::NoPython)?;
    let mut command = Command::new(python);
    command.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"]);
    command.args(WHEEL_TAGS).arg("--dest").arg(staging).arg(WHEEL).stdin(Stdio::null());
    let typed = format!("{python} -m pip download --no-deps --only-binary=:all: {} {WHEEL}", WHEEL_TAGS.join(" "));
    progress(InstallProgress::Downloading { command: &typed });

    let output = command.output().map_err(|_| RomError::NoPython)?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        if said.contains("No module named pip") {
            return Err(RomError::NoPip { python: (*python).into() });
        }
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(6)..].join("\n");
        return Err(RomError::Download { command: typed, output: last });
    }
    let files = fs::read_dir(staging).map_err(|source| RomError::Unreadable { path: staging.into(), source })?;
    files
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| RomError::BadWheel { reason: "pip wrote no wheel".into() })
}

/// The files under `ale_py/roms` in a wheel, by the name of their game.
fn read_wheel(path: &Path) -> Result<HashMap<String, Vec<u8>>, RomError> {
    // No cartridge is larger; a damaged archive must not claim all memory.
    const LARGEST_ROM: u64 = 64 * 1024;
    let bad = |reason: &dyn std::fmt::Display| RomError::BadWheel { reason: reason.to_string() };
    let file = fs::File::open(path).map_err(|source| RomError::Unreadable { path: path.into(), source })?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| bad(&error))?;
    let mut roms = HashMap::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| bad(&error))?;
        let path = entry.name().map_err(|error| bad(&error))?.into_owned();
        let Some(name) = path.strip_prefix("ale_py/roms/").and_then(|name| name.strip_suffix(".bin")) else { continue };
        let mut bytes = Vec::new();
        entry.take(LARGEST_ROM).read_to_end(&mut bytes).map_err(|error| bad(&error))?;
        roms.insert(name.to_owned(), bytes);
    }
    Ok(roms)
}

fn file_name(game: &GameInfo) -> String {
    format!("{}.bin", game.name)
}

fn md5(bytes: &[u8]) -> u128 {
    u128::from_be_bytes(Md5::digest(bytes).into())
}

/// The ROM in the file at `path`, or `None` when there is no such file.
fn read(game: &'static GameInfo, path: &Path) -> Result<Option<Rom>, RomError> {
    match fs::read(path) {
        Ok(bytes) => Rom::check(game, bytes, path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(RomError::Unreadable { path: path.into(), source }),
    }
}

/// People's collections have names of their own: the ROM may be in any file of its size.
fn find_by_content(game: &'static GameInfo, directory: &Path) -> Option<(PathBuf, Rom)> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let metadata = fs::metadata(entry.path()).ok()?;
            (metadata.is_file() && metadata.len() == game.rom_bytes as u64).then(|| entry.path())
        })
        .collect();
    files.sort();
    files.into_iter().find_map(|path| read(game, &path).ok().flatten().map(|rom| (path, rom)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pong() -> &'static GameInfo {
        GameInfo::find("pong").expect("a game")
    }

    fn library(directory: &Path) -> RomLibrary {
        RomLibrary { directories: vec![directory.into()] }
    }

    /// The ROM of a game from wherever this machine has it.
    fn real(game: &str) -> Rom {
        RomLibrary::locate(None).and_then(|library| library.rom(game)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A stand-in for Python, a shell script.
    #[cfg(unix)]
    fn python(directory: &Path, script: &str) -> String {
        use std::os::unix::fs::PermissionsExt;
        let path = directory.join("python");
        fs::write(&path, format!("#!/bin/sh\n[ \"$1\" = --version ] && exit 0\n{script}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a script");
        path.to_str().expect("a plain path").into()
    }

    /// A wheel with these ROM files.
    fn wheel(path: &Path, roms: &[(&str, &[u8])]) {
        let mut wheel = zip::ZipWriter::new(fs::File::create(path).expect("a file"));
        for (game, bytes) in roms {
            let options = zip::write::SimpleFileOptions::default();
            wheel.start_file(format!("ale_py/roms/{game}.bin"), options).expect("an entry");
            wheel.write_all(bytes).expect("an entry");
        }
        wheel.finish().expect("a wheel");
    }

    #[test]
    fn missing_truncated_and_wrong_roms_are_told_apart() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("pong.bin");
        let rom = || library(directory.path()).rom("pong").map(|_| ()).expect_err("no ROM");

        let error = rom();
        assert!(matches!(error, RomError::Missing { .. }), "{error}");
        assert!(error.to_string().contains("prism roms install"), "{error}");

        fs::write(&path, vec![0; 1000]).expect("a file");
        let error = rom();
        assert!(matches!(error, RomError::Truncated { found: 1000, expected: 2048, .. }), "{error}");

        fs::write(&path, vec![0; 2048]).expect("a file");
        let error = rom();
        assert!(matches!(error, RomError::Wrong { .. }), "{error}");
        assert!(error.to_string().contains("60e0ea3cbe0913d39803477945e9e5ec"), "{error}");
    }

    #[test]
    fn a_rom_is_found_under_any_name() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("Video Olympics.a26"), real("pong").bytes()).expect("a file");
        assert_eq!(library(directory.path()).rom("pong").expect("the ROM").game().name, "pong");
        let found = library(directory.path()).check().into_iter().filter(|status| status.file.is_ok()).count();
        assert_eq!(found, 1);
    }

    #[test]
    fn an_unknown_game_and_an_unreadable_directory_are_errors() {
        let directory = tempfile::tempdir().expect("a directory");
        let error = library(directory.path()).rom("pnog").expect_err("no game");
        assert!(error.to_string().contains("did you mean pong"), "{error}");
        let error = RomLibrary::locate(Some(&directory.path().join("none"))).expect_err("no directory");
        assert!(matches!(error, RomError::Unreadable { .. }), "{error}");
    }

    #[test]
    fn an_installation_without_python_pip_or_network_says_so() {
        let directory = tempfile::tempdir().expect("a directory");
        let roms = directory.path().join("roms");
        let error = install_with(&roms, &["no-such-python"], &mut |_| {}).expect_err("no Python");
        assert!(matches!(error, RomError::NoPython), "{error}");

        #[cfg(unix)]
        {
            let without_pip = python(directory.path(), "echo 'python: No module named pip' >&2; exit 1");
            let error = install_with(&roms, &[&without_pip], &mut |_| {}).expect_err("no pip");
            assert!(matches!(error, RomError::NoPip { .. }), "{error}");
            let offline = python(directory.path(), "echo 'ERROR: Could not find a version' >&2; exit 1");
            let error = install_with(&roms, &[&offline], &mut |_| {}).expect_err("no network");
            assert!(error.to_string().contains("ERROR: Could not find a version"), "{error}");
            assert!(error.to_string().contains("ale-py==0.12.1"), "{error}");
        }
        assert_eq!(fs::read_dir(&roms).expect("a directory").count(), 0, "nothing is left behind");
    }

    #[cfg(unix)]
    #[test]
    fn a_wheel_that_is_not_what_it_should_be_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let roms = directory.path().join("roms");
        let source = directory.path().join("source.whl");
        // pip is told where to write by --dest.
        let script =
            "while [ \"$1\" != --dest ]; do shift; done; cp \"$(dirname \"$0\")/source.whl\" \"$2/ale_py.whl\"";
        let python = python(directory.path(), script);
        let install = || install_with(&roms, &[&python], &mut |_| {}).expect_err("a bad wheel").to_string();

        fs::write(&source, b"not a zip archive").expect("a file");
        assert!(install().contains("of no use"), "{}", install());
        wheel(&source, &[]);
        assert!(install().contains("no ROM for adventure"), "{}", install());
        wheel(&source, &[("adventure", &[0; 4096])]);
        assert!(install().contains("MD5"), "{}", install());
        assert_eq!(fs::read_dir(&roms).expect("a directory").count(), 0, "nothing is left behind");
    }

    #[cfg(unix)]
    #[test]
    fn an_installation_writes_what_is_missing_and_keeps_what_is_right() {
        let directory = tempfile::tempdir().expect("a directory");
        let roms = directory.path().join("roms");
        let every: Vec<Rom> = GAMES.iter().map(|game| real(game.name)).collect();
        let files: Vec<(&str, &[u8])> = every.iter().map(|rom| (rom.game().name, rom.bytes())).collect();
        wheel(&directory.path().join("source.whl"), &files);
        let script =
            "while [ \"$1\" != --dest ]; do shift; done; cp \"$(dirname \"$0\")/source.whl\" \"$2/ale_py.whl\"";
        let python = python(directory.path(), script);

        let mut told = Vec::new();
        let installed = install_with(&roms, &[&python], &mut |progress| told.push(format!("{progress:?}")));
        assert_eq!(installed.expect("ROMs"), Installed { written: 76, kept: 0 });
        assert_eq!(told.len(), 77, "the download and each game are reported");
        assert!(library(&roms).check().iter().all(|status| status.file.is_ok()));

        fs::write(roms.join("pong.bin"), b"damaged").expect("a file");
        let installed = install_with(&roms, &[&python], &mut |_| {}).expect("ROMs");
        assert_eq!(installed, Installed { written: 1, kept: 75 });
        let installed = install_with(&roms, &["no-such-python"], &mut |_| {}).expect("nothing to do");
        assert_eq!(installed, Installed { written: 0, kept: 76 });
        assert_eq!(real("pong").bytes(), fs::read(roms.join("pong.bin")).expect("a file"));
        assert_eq!(pong().rom_bytes, real("pong").bytes().len());
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_refused_before_the_download() {
        let directory = tempfile::tempdir().expect("a directory");
        // A file in its place stops root as well, whom no permission stops.
        let blocked = directory.path().join("roms");
        fs::write(&blocked, b"").expect("a file");
        let mut told = 0;
        let error = install_with(&blocked, &["python3"], &mut |_| told += 1).expect_err("no directory");
        assert!(matches!(error, RomError::Unwritable { .. }), "{error}");
        assert_eq!(told, 0);
    }
}
