//! Obtaining ROM files.
//!
//! Games are never part of this project. [`install`] runs the user's own pip to obtain the `ale-py` wheel, which carries
//! them, and keeps only the files whose MD5 is known.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use thiserror::Error;

use super::library::{LARGEST_ROM, Rom, file_name};
use crate::atari::games::{GAMES, GameInfo};

/// The pip requirement that carries the ROM files.
pub const WHEEL: &str = "ale-py==0.12.1";

// Only the ROM files are read, so any platform's wheel serves any machine and any Python.
const WHEEL_TAGS: [&str; 8] =
    ["--platform", "manylinux_2_28_x86_64", "--python-version", "3.12", "--implementation", "cp", "--abi", "cp312"];

/// Why ROMs could not be installed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The directory to install into cannot be written.
    #[error("cannot write ROMs into {}: {source}", path.display())]
    Unwritable {
        /// Directory to install into.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was downloaded could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// File or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No Python was found to run pip with.
    #[error("python3 was not found, which runs pip")]
    NoPython,
    /// Python has no pip.
    #[error("{python} has no pip")]
    NoPip {
        /// Python that was run.
        python: String,
    },
    /// pip did not deliver the wheel.
    #[error("pip could not download {WHEEL}. The command was `{command}`; it said:\n{output}")]
    Download {
        /// Command that was run.
        command: String,
        /// Last lines of its output.
        output: String,
    },
    /// The downloaded wheel is damaged or not what it should be.
    #[error("the downloaded {WHEEL} wheel is of no use: {reason}")]
    BadWheel {
        /// What is wrong with it.
        reason: String,
    },
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
pub fn install(directory: &Path, progress: &mut dyn FnMut(InstallProgress)) -> Result<Installed, InstallError> {
    install_with(directory, &["python3", "python"], progress)
}

fn install_with(
    directory: &Path,
    pythons: &[&str],
    progress: &mut dyn FnMut(InstallProgress),
) -> Result<Installed, InstallError> {
    let wanted: Vec<&'static GameInfo> =
        GAMES.iter().filter(|game| !matches!(Rom::read(game, &directory.join(file_name(game))), Ok(Some(_)))).collect();
    let kept = GAMES.len() - wanted.len();
    if wanted.is_empty() {
        return Ok(Installed { written: 0, kept });
    }
    let unwritable = |source| InstallError::Unwritable { path: directory.into(), source };
    // Both before the download: it would be for nothing if either failed.
    fs::create_dir_all(directory).map_err(unwritable)?;
    let staging = tempfile::Builder::new().prefix(".install-").tempdir_in(directory).map_err(unwritable)?;

    let wheel = download(pythons, staging.path(), progress)?;
    let mut roms = roms_of_wheel(&wheel)?;
    for game in &wanted {
        let bytes = roms
            .remove(game.name)
            .ok_or_else(|| InstallError::BadWheel { reason: format!("it has no ROM for {}", game.name) })?;
        let rom =
            Rom::check(game, bytes, &wheel).map_err(|error| InstallError::BadWheel { reason: error.to_string() })?;
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
fn download(
    pythons: &[&str],
    staging: &Path,
    progress: &mut dyn FnMut(InstallProgress),
) -> Result<PathBuf, InstallError> {
    let python = pythons
        .iter()
        .find(|python| {
            let version = Command::new(python).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            version.is_ok_and(|status| status.success())
        })
        .ok_or(InstallError::NoPython)?;
    let mut command = Command::new(python);
    command.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"]);
    command.args(WHEEL_TAGS).arg("--dest").arg(staging).arg(WHEEL).stdin(Stdio::null());
    let typed = format!("{python} -m pip download --no-deps --only-binary=:all: {} {WHEEL}", WHEEL_TAGS.join(" "));
    progress(InstallProgress::Downloading { command: &typed });

    let output = command.output().map_err(|_| InstallError::NoPython)?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        if said.contains("No module named pip") {
            return Err(InstallError::NoPip { python: (*python).into() });
        }
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(6)..].join("\n");
        return Err(InstallError::Download { command: typed, output: last });
    }
    let files = fs::read_dir(staging).map_err(|source| InstallError::Unreadable { path: staging.into(), source })?;
    files
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| InstallError::BadWheel { reason: "pip wrote no wheel".into() })
}

/// The files under `ale_py/roms` in a wheel, by the name of their game; nothing of them has been checked.
///
/// # Errors
/// [`InstallError::Unreadable`], and [`InstallError::BadWheel`] when it is no zip file or a damaged one.
pub fn roms_of_wheel(path: &Path) -> Result<HashMap<String, Vec<u8>>, InstallError> {
    let bad = |reason: &dyn std::fmt::Display| InstallError::BadWheel { reason: reason.to_string() };
    let file = fs::File::open(path).map_err(|source| InstallError::Unreadable { path: path.into(), source })?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roms::library::RomLibrary;

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
    fn an_installation_without_python_pip_or_network_says_so() {
        let directory = tempfile::tempdir().expect("a directory");
        let roms = directory.path().join("roms");
        let error = install_with(&roms, &["no-such-python"], &mut |_| {}).expect_err("no Python");
        assert!(matches!(error, InstallError::NoPython), "{error}");

        #[cfg(unix)]
        {
            let without_pip = python(directory.path(), "echo 'python: No module named pip' >&2; exit 1");
            let error = install_with(&roms, &[&without_pip], &mut |_| {}).expect_err("no pip");
            assert!(matches!(error, InstallError::NoPip { .. }), "{error}");
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
        assert!(RomLibrary::of(&roms).check().iter().all(|status| status.place.is_ok()));

        fs::write(roms.join("pong.bin"), b"damaged").expect("a file");
        let installed = install_with(&roms, &[&python], &mut |_| {}).expect("ROMs");
        assert_eq!(installed, Installed { written: 1, kept: 75 });
        let installed = install_with(&roms, &["no-such-python"], &mut |_| {}).expect("nothing to do");
        assert_eq!(installed, Installed { written: 0, kept: 76 });
        assert_eq!(real("pong").bytes(), fs::read(roms.join("pong.bin")).expect("a file"));
        assert_eq!(real("pong").game().rom_bytes, real("pong").bytes().len());
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_refused_before_the_download() {
        let directory = tempfile::tempdir().expect("a directory");
        // A file in its place stops root as well, whom no permission stops.
        let blocked = directory.path().join("roms");
        fs::write(&blocked, b"").expect("a file");
        let mut told = 0;
        let error = install_with(&blocked, &["python3"], &mut |_| told += 1).expect_err("no directory");
        assert!(matches!(error, InstallError::Unwritable { .. }), "{error}");
        assert_eq!(told, 0);
    }
}
