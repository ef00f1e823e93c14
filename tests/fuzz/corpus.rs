//! Files in `tests/corpus`: seeds, which the program wrote, and in the folders `broke` what once broke a parser.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of a seed at most.
const LARGEST: usize = 1 << 16;

/// The folder of a parser.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name)
}

/// The seeds of a parser, in the order of their names.
pub fn seeds(name: &str) -> Vec<Vec<u8>> {
    let seeds = files(&folder(name));
    assert!(!seeds.is_empty(), "{} has no seeds: PRISM_WRITE_CORPUS=1 writes them", folder(name).display());
    seeds
}

/// What once broke a parser.
pub fn regressions(name: &str) -> Vec<Vec<u8>> {
    files(&folder(name).join("broke"))
}

/// The small files of a folder, in the order of their names; none where there is no folder.
pub fn files(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file()).collect();
    paths.sort();
    let files = paths.iter().map(|path| fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    files.filter(|bytes| bytes.len() <= LARGEST).collect()
}

/// Seeds that are being written.
pub struct Corpus {
    bytes: usize,
}

impl Corpus {
    pub fn new() -> Self {
        Self { bytes: 0 }
    }

    /// Writes a seed of a parser.
    pub fn add(&mut self, name: &str, seed: &str, bytes: &[u8]) {
        assert!(bytes.len() <= LARGEST, "{name}/{seed} has {} bytes, more than {LARGEST}", bytes.len());
        fs::create_dir_all(folder(name)).expect("a folder of the tree");
        fs::write(folder(name).join(seed), bytes).expect("a file of the tree");
        self.bytes += bytes.len();
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
