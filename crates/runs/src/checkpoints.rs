//! Checkpoints: the whole state of a run, from which a later process goes on.
//!
//! The folder `checkpoints` of a run holds, for each of the last two checkpoints, a *head* (`000000025000.head`, named after
//! its agent steps), and *parts* of the replay that both share, each of them twice (`replay-0-24997.part` and `.copy`): a
//! checkpoint writes only what came since the one before. Every file is complete under its name or not there, and every block
//! of it has a checksum.

mod blocks;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::blocks::{BlockError, BlockReader, BlockWriter};
use crate::file::{PartialFile, sync_folder};
use crate::folder::RunFolder;
use crate::names::CHECKPOINTS;
use crate::position::Position;

/// Bytes that are read or written at once.
const BUFFER: usize = 1 << 18;
/// How many checkpoints are kept.
const KEPT: usize = 2;
/// Bytes of a head before its state at most.
const LONGEST_ENTRY: u64 = 1 << 24;

/// The checkpoints of one run.
#[derive(Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    /// The newest last.
    kept: Vec<CheckpointEntry>,
}

/// What a checkpoint says of itself before the state of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointEntry {
    /// Where the run was.
    pub at: Position,
    /// Version and commit of the program that wrote it.
    pub program: String,
    /// Names of the parts that it needs, in the order in which they are to be read.
    pub parts: Vec<String>,
}

/// Writes what a file is to hold.
pub type Content<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// A checkpoint of which every file is whole.
#[derive(Debug)]
pub struct WholeCheckpoint {
    /// What it says of itself.
    pub entry: CheckpointEntry,
    /// The state of the run, as it was written.
    pub state: Vec<u8>,
    /// The files of its parts, in the order of the entry.
    pub parts: Vec<PathBuf>,
    /// What was found damaged on the way to it, in words.
    pub damage: Vec<String>,
}

/// Why a checkpoint cannot be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The system refused to write.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system refused to read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The run has none.
    #[error("the run in {} has no checkpoint to go on from", .0.display())]
    None(PathBuf),
    /// None is whole.
    #[error("no checkpoint of the run in {} can be used: {}", .run.display(), .damage.join("; "))]
    Damaged {
        /// The run's folder.
        run: PathBuf,
        /// What is wrong with each.
        damage: Vec<String>,
    },
}

impl Checkpoints {
    /// The checkpoints of a run, none yet in a new one.
    pub fn of(run: &RunFolder) -> Self {
        Self { folder: run.path().join(CHECKPOINTS), kept: Vec::new() }
    }

    /// Writes a part under the name `name`, twice.
    ///
    /// # Errors
    /// [`CheckpointError::Write`]; nothing that a kept checkpoint needs has changed then.
    pub fn write_part(&self, name: &str, content: Content<'_>) -> Result<(), CheckpointError> {
        self.make_folder()?;
        copies(&self.folder, name).into_iter().try_for_each(|path| write(path, content))
    }

    /// Completes a checkpoint whose parts are written, and removes what only older ones needed.
    ///
    /// # Errors
    /// [`CheckpointError::Write`]; the checkpoints before it are then as they were.
    pub fn write_head(&mut self, entry: CheckpointEntry, state: Content<'_>) -> Result<(), CheckpointError> {
        self.make_folder()?;
        let about = serde_json::to_vec(&entry).expect("an entry is plain data");
        let path = self.folder.join(head_name(&entry));
        write(path, &|out| {
            out.write_all(&(about.len() as u64).to_le_bytes())?;
            out.write_all(&about)?;
            state(out)
        })?;
        sync_folder(&self.folder).map_err(|source| CheckpointError::Write { path: self.folder.clone(), source })?;
        self.kept.retain(|kept| kept.at.agent_steps != entry.at.agent_steps);
        self.kept.push(entry);
        self.kept.drain(..self.kept.len().saturating_sub(KEPT));
        // What cannot be removed takes room and does no harm.
        let _ = self.remove_others();
        Ok(())
    }

    /// The newest checkpoint that is whole, and what was wrong with those after it. It and what it needs are kept from now on;
    /// a part with one damaged copy is written anew from the other.
    ///
    /// # Errors
    /// [`CheckpointError::None`] without checkpoints, [`CheckpointError::Damaged`] where none can be used, and
    /// [`CheckpointError::Read`].
    pub fn newest_whole(&mut self) -> Result<WholeCheckpoint, CheckpointError> {
        let mut damage = Vec::new();
        let run = || self.folder.parent().unwrap_or(&self.folder).to_owned();
        let mut found = None;
        for head in self.heads()?.into_iter().rev() {
            let older = found.is_some();
            let refused = |reason: String| format!("{}: {reason}", head.display());
            match read_head(&head) {
                Ok((entry, _)) if older => self.kept.insert(0, entry),
                Ok((entry, state)) => match self.whole_parts(&entry, &mut damage) {
                    Ok(parts) => {
                        self.kept = vec![entry.clone()];
                        found = Some((entry, state, parts));
                    }
                    Err(reason) => damage.push(refused(reason)),
                },
                Err(error) if !older => damage.push(refused(error.to_string())),
                Err(_) => {}
            }
        }
        match found {
            Some((entry, state, parts)) => Ok(WholeCheckpoint { entry, state, parts, damage }),
            None if damage.is_empty() => Err(CheckpointError::None(run())),
            None => Err(CheckpointError::Damaged { run: run(), damage }),
        }
    }

    /// Whether there is one, whole or damaged.
    ///
    /// # Errors
    /// [`CheckpointError::Read`].
    pub fn any(&self) -> Result<bool, CheckpointError> {
        Ok(!self.heads()?.is_empty())
    }

    /// Bytes that the checkpoints take.
    pub fn bytes(&self) -> u64 {
        let Ok(files) = fs::read_dir(&self.folder) else { return 0 };
        files.flatten().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
    }

    /// Paths of the heads, the newest last.
    fn heads(&self) -> Result<Vec<PathBuf>, CheckpointError> {
        let files = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files.map_err(|source| CheckpointError::Read { path: self.folder.clone(), source })?,
        };
        let mut heads: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
        heads.retain(|path| path.extension().is_some_and(|extension| extension == "head"));
        heads.sort();
        Ok(heads)
    }

    /// A whole file of each part, and what is wrong where there is none.
    fn whole_parts(&self, entry: &CheckpointEntry, damage: &mut Vec<String>) -> Result<Vec<PathBuf>, String> {
        entry.parts.iter().map(|name| self.whole_part(name, damage)).collect()
    }

    fn whole_part(&self, name: &str, damage: &mut Vec<String>) -> Result<PathBuf, String> {
        if !is_part_name(name) {
            return Err(format!("`{name}` is no name of a part"));
        }
        let [part, copy] = copies(&self.folder, name);
        let Err(error) = check(&part) else { return Ok(part) };
        let reason = format!("{}: {error}", part.display());
        check(&copy).map_err(|error| format!("{reason}; {}: {error}", copy.display()))?;
        damage.push(format!("{reason}; its copy is used"));
        // Mended, if that can be done; if not, the copy serves.
        let mended = fs::read(&copy).and_then(|bytes| crate::file::replace(&part, &bytes));
        Ok(if mended.is_ok() { part } else { copy })
    }

    fn make_folder(&self) -> Result<(), CheckpointError> {
        match fs::create_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.map_err(|source| CheckpointError::Write { path: self.folder.clone(), source }),
        }
    }

    /// Removes what no kept checkpoint needs.
    fn remove_others(&self) -> io::Result<()> {
        let parts = self.kept.iter().flat_map(|entry| &entry.parts).flat_map(|name| copies(&self.folder, name));
        let heads = self.kept.iter().map(|entry| self.folder.join(head_name(entry)));
        let needed: BTreeSet<PathBuf> = parts.chain(heads).collect();
        for file in fs::read_dir(&self.folder)? {
            let path = file?.path();
            if !needed.contains(&path) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

impl WholeCheckpoint {
    /// Opens the part at `path`, one of [`parts`](Self::parts).
    ///
    /// # Errors
    /// [`CheckpointError::Read`].
    pub fn open_part(path: &Path) -> Result<impl Read + use<>, CheckpointError> {
        open(path).map_err(|error| CheckpointError::Read { path: path.to_owned(), source: io::Error::other(error) })
    }
}

fn head_name(entry: &CheckpointEntry) -> String {
    format!("{:012}.head", entry.at.agent_steps.0)
}

/// Whether a name, read from a file, is one that leads to no other folder.
fn is_part_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The two files of a part.
fn copies(folder: &Path, name: &str) -> [PathBuf; 2] {
    ["part", "copy"].map(|extension| folder.join(format!("{name}.{extension}")))
}

/// Writes a file in blocks, whole or not at all.
fn write(path: PathBuf, content: Content<'_>) -> Result<(), CheckpointError> {
    let written = || {
        let partial = PartialFile::create(path.clone())?;
        let mut writer = BlockWriter::new(BufWriter::with_capacity(BUFFER, partial.file()))?;
        content(&mut writer)?;
        writer.finish()?.flush()?;
        partial.keep()
    };
    written().map_err(|source| CheckpointError::Write { path: path.clone(), source })
}

fn open(path: &Path) -> Result<BlockReader<BufReader<fs::File>>, BlockError> {
    BlockReader::new(BufReader::with_capacity(BUFFER, fs::File::open(path)?))
}

fn check(path: &Path) -> Result<(), BlockError> {
    open(path)?.check()
}

fn read_head(path: &Path) -> Result<(CheckpointEntry, Vec<u8>), BlockError> {
    check(path)?;
    let mut file = open(path)?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_ENTRY {
        return Err(BlockError::Damaged("it does not say what it is"));
    }
    let mut about = vec![0; length as usize];
    file.read_exact(&mut about)?;
    let entry = serde_json::from_slice(&about).map_err(|_| BlockError::Damaged("it does not say what it is"))?;
    let mut state = Vec::new();
    file.read_to_end(&mut state)?;
    Ok((entry, state))
}

#[cfg(test)]
mod tests {
    use prism_environment::{AgentSteps, Frames};

    use super::*;
    use crate::manifest::tests::manifest;

    fn entry(steps: u64, parts: &[&str]) -> CheckpointEntry {
        CheckpointEntry {
            at: Position { agent_steps: AgentSteps(steps), frames: Frames(4 * steps), updates: steps, epsilon: 0.1 },
            program: "prism 0.1.0".to_owned(),
            parts: parts.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn run(parent: &Path) -> RunFolder {
        RunFolder::create(&parent.join("run"), &manifest()).unwrap()
    }

    fn write_all(checkpoints: &mut Checkpoints, steps: u64, new: &str, parts: &[&str]) {
        checkpoints.write_part(new, &|out| out.write_all(new.as_bytes())).unwrap();
        checkpoints.write_head(entry(steps, parts), &|out| out.write_all(&[steps as u8; 100])).unwrap();
    }

    /// Three checkpoints: of the first only its part is left, which the others need.
    fn three(run: &RunFolder) -> Checkpoints {
        let mut checkpoints = Checkpoints::of(run);
        write_all(&mut checkpoints, 1, "a", &["a"]);
        write_all(&mut checkpoints, 2, "b", &["a", "b"]);
        write_all(&mut checkpoints, 3, "c", &["a", "b", "c"]);
        checkpoints
    }

    fn names(run: &RunFolder) -> Vec<String> {
        let files = fs::read_dir(run.path().join("checkpoints")).unwrap();
        let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn flip(path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs::write(path, bytes).unwrap();
    }

    fn contents(whole: &WholeCheckpoint) -> Vec<String> {
        let read = |path: &PathBuf| io::read_to_string(WholeCheckpoint::open_part(path).unwrap()).unwrap();
        whole.parts.iter().map(read).collect()
    }

    #[test]
    fn the_last_two_are_kept_with_what_they_need() {
        let parent = tempfile::tempdir().unwrap();
        let run = run(parent.path());
        let mut checkpoints = three(&run);
        let both = |name: &str| [format!("{name}.copy"), format!("{name}.part")];
        let heads = ["000000000002.head", "000000000003.head"].map(str::to_owned);
        assert_eq!(names(&run), [heads.to_vec(), both("a").into(), both("b").into(), both("c").into()].concat());
        // The part `a` leaves with the last checkpoint that needs it.
        write_all(&mut checkpoints, 4, "d", &["c", "d"]);
        assert!(names(&run).contains(&"a.part".to_owned()));
        write_all(&mut checkpoints, 5, "e", &["d", "e"]);
        let heads = ["000000000004.head", "000000000005.head"].map(str::to_owned);
        assert_eq!(names(&run), [heads.to_vec(), both("c").into(), both("d").into(), both("e").into()].concat());
        assert!(checkpoints.bytes() > 300);
    }

    #[test]
    fn what_was_written_is_read() {
        let parent = tempfile::tempdir().unwrap();
        let run = run(parent.path());
        let mut checkpoints = Checkpoints::of(&run);
        assert!(matches!(checkpoints.newest_whole(), Err(CheckpointError::None(path)) if path == run.path()));
        three(&run);
        let whole = checkpoints.newest_whole().unwrap();
        assert_eq!((&whole.entry, whole.state.as_slice()), (&entry(3, &["a", "b", "c"]), &[3; 100][..]));
        assert_eq!((contents(&whole), whole.damage), (["a", "b", "c"].map(str::to_owned).to_vec(), vec![]));
        // The one before it is kept until there are two newer ones.
        write_all(&mut checkpoints, 4, "d", &["c", "d"]);
        assert!(names(&run).contains(&"000000000003.head".to_owned()));
        assert!(!names(&run).contains(&"000000000002.head".to_owned()));
    }

    #[test]
    fn of_a_damaged_head_the_one_before_is_used() {
        let parent = tempfile::tempdir().unwrap();
        let run = run(parent.path());
        three(&run);
        flip(&run.path().join("checkpoints/000000000003.head"));
        let mut checkpoints = Checkpoints::of(&run);
        let whole = checkpoints.newest_whole().unwrap();
        assert_eq!(whole.entry.at.agent_steps, AgentSteps(2));
        assert!(whole.damage[0].contains("000000000003.head: a block"), "{:?}", whole.damage);
        flip(&run.path().join("checkpoints/000000000002.head"));
        let Err(CheckpointError::Damaged { damage, .. }) = checkpoints.newest_whole() else { panic!("one is whole") };
        assert_eq!(damage.len(), 2);
    }

    #[test]
    fn of_a_damaged_part_the_copy_is_used_and_the_part_mended() {
        for damage in [flip, |path: &Path| fs::write(path, "").unwrap(), |path: &Path| fs::remove_file(path).unwrap()] {
            let parent = tempfile::tempdir().unwrap();
            let run = run(parent.path());
            three(&run);
            damage(&run.path().join("checkpoints/a.part"));
            damage(&run.path().join("checkpoints/b.copy"));
            let mut checkpoints = Checkpoints::of(&run);
            let whole = checkpoints.newest_whole().unwrap();
            assert_eq!(contents(&whole), ["a", "b", "c"]);
            assert!(whole.damage.len() == 1 && whole.damage[0].contains("a.part: "), "{:?}", whole.damage);
            assert_eq!(checkpoints.newest_whole().unwrap().damage, Vec::<String>::new());
        }
    }

    #[test]
    fn without_either_copy_of_a_part_no_checkpoint_that_needs_it_is_used() {
        let parent = tempfile::tempdir().unwrap();
        let run = run(parent.path());
        three(&run);
        let damage =
            |name: &str| ["part", "copy"].map(|of| flip(&run.path().join("checkpoints").join(name).with_extension(of)));
        damage("c");
        let whole = Checkpoints::of(&run).newest_whole().unwrap();
        assert_eq!(whole.entry.at.agent_steps, AgentSteps(2));
        damage("a");
        assert!(matches!(Checkpoints::of(&run).newest_whole(), Err(CheckpointError::Damaged { .. })));
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_no_part() {
        let parent = tempfile::tempdir().unwrap();
        let run = run(parent.path());
        let mut checkpoints = Checkpoints::of(&run);
        for name in ["../log", "/etc/passwd", "", "a/b", "a.part"] {
            checkpoints.write_head(entry(1, &[name]), &|_| Ok(())).unwrap();
            let message = Checkpoints::of(&run).newest_whole().unwrap_err().to_string();
            assert!(message.contains("is no name of a part"), "{message}");
        }
    }
}
