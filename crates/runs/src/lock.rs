//! One process at a time writes a run.

use std::fs::{File, TryLockError};

use crate::folder::{RunFolder, RunFolderError};
use crate::names::LOCK;

/// Keeps other processes from writing the run as long as it lives, however the process that has it ends.
#[derive(Debug)]
pub struct RunLock {
    /// The system lets go of the lock when the file is closed.
    _file: File,
}

impl RunLock {
    /// Takes the lock of a run.
    ///
    /// # Errors
    /// [`RunFolderError::InUse`] while another process has it, [`RunFolderError::Write`] when its file cannot be made.
    pub fn take(run: &RunFolder) -> Result<Self, RunFolderError> {
        let path = run.path().join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| RunFolderError::Write { path, source })?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(RunFolderError::InUse(run.path().to_owned())),
            // Some file systems of networks have no locks: two processes at once are then not noticed.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Self { _file: file }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;

    #[test]
    fn a_run_is_written_by_one_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&parent.path().join("run"), &manifest()).unwrap();
        let lock = RunLock::take(&run).unwrap();
        assert!(matches!(RunLock::take(&run), Err(RunFolderError::InUse(path)) if path == run.path()));
        drop(lock);
        RunLock::take(&run).unwrap();
    }
}
