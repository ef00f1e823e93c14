//! Files in which ROMs are looked for, and the wheel that they are installed from.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use prism_environment::{RomLibrary, roms_of_wheel};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Answer, Target, scratch, words_of};

const WORDS: [&str; 9] = [
    "PK\u{3}\u{4}",
    "PK\u{1}\u{2}",
    "PK\u{5}\u{6}",
    "PK\u{6}\u{6}",
    "PK\u{6}\u{7}",
    "PK\u{7}\u{8}",
    "../../../",
    "ale_py/roms/",
    ".bin",
];

/// A zip file of these files.
pub fn zip_of(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).expect("an entry");
        zip.write_all(bytes).expect("an entry");
    }
    zip.finish().expect("a zip file").into_inner()
}

/// Zip files with the ROM of Pong, made here since ROMs are no part of the tree.
fn seeds() -> Vec<Vec<u8>> {
    let pong = RomLibrary::locate(None).and_then(|library| library.rom("pong"));
    let pong = pong.unwrap_or_else(|error| panic!("{error}: `prism roms install` fetches it"));
    let zeros = vec![0; 1 << 16];
    let files: [(&str, &[u8]); 4] = [
        ("ale_py/roms/pong.bin", pong.bytes()),
        ("folder/Breakout (1978).a26", &zeros[..2048]),
        ("ale_py/roms/breakout.bin", &zeros),
        ("read.me", b"ROMs"),
    ];
    [CompressionMethod::Deflated, CompressionMethod::Stored].map(|method| zip_of(&files, method)).to_vec()
}

#[test]
fn zip_files_of_roms() {
    let folder = scratch();
    let path = folder.path().join("roms.zip");
    let library = RomLibrary::of(folder.path());
    Target { name: "roms", seeds: seeds(), words: &WORDS, room: 64 << 20, inputs: 1_000 }.run(|input| -> Answer {
        fs::write(&path, input).expect("a file");
        let found = library.rom("pong").map(|_| ()).map_err(|error| words_of(&error));
        only(&path);
        found
    });
}

#[test]
fn wheels() {
    let folder = scratch();
    let path = folder.path().join("ale_py.whl");
    Target { name: "wheels", seeds: seeds(), words: &WORDS, room: 64 << 20, inputs: 1_000 }.run(|input| -> Answer {
        fs::write(&path, input).expect("a file");
        let read = roms_of_wheel(&path).map(|_| ()).map_err(|error| words_of(&error));
        only(&path);
        read
    });
}

/// Nothing has been written beside the file, nor above its folder.
fn only(path: &Path) {
    let beside = fs::read_dir(path.parent().expect("a folder")).expect("a folder").count();
    assert_eq!(beside, 1, "files were written while {} was read", path.display());
}
