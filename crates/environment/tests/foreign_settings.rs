//! Settings files in the current directory: in a process of its own, for it changes that directory.

use prism_environment::{Ale, ConsoleSettings, EmulatorError, RomLibrary, Seed};

#[test]
fn settings_files_in_the_current_directory_are_refused() {
    let rom =
        RomLibrary::locate(None).and_then(|library| library.rom("pong")).unwrap_or_else(|error| panic!("{error}"));
    let directory = tempfile::tempdir().expect("a directory");
    std::env::set_current_dir(&directory).expect("a directory");
    let settings = ConsoleSettings { mode: 0, difficulty: 0, seed: Seed(1) };
    for name in ["ale.cfg", "stella.pro", "stella.pal"] {
        std::fs::write(name, "frame_skip=9\n").expect("a file");
        let error = Ale::new(&rom, settings).expect_err("the file would be read");
        assert!(matches!(error, EmulatorError::ForeignSettings { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
        std::fs::remove_file(name).expect("a file");
    }
    Ale::new(&rom, settings).expect("no file is in the way");
}
