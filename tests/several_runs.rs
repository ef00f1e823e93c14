//! Several runs of one command.

use crate::support::{TINY_RUN, assert_says, prism, refusal_in, wrong_usage};

#[test]
fn several_seeds_and_games_make_several_runs() {
    let folder = tempfile::tempdir().unwrap();
    let output = prism(folder.path(), &[&TINY_RUN[..], &["--seeds", "1..2,5", "--out", "runs"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for seed in [1, 2, 5] {
        let run = folder.path().join(format!("runs/catch-seed{seed}"));
        assert!(run.join("summary.json").is_file(), "{}", run.display());
    }
    assert_says(&wrong_usage(&["train", "catch", "--seed", "-1"]), &["--seed", "-1", "from 0 to 18446744073709551615"]);
    assert_says(&wrong_usage(&["train", "catch", "--seeds", "2..1"]), &["--seeds", "0..2 or 3,5,8"]);
    assert_says(&wrong_usage(&["train", "catch", "--seeds", "0..2,1"]), &["--seeds", "seed 1 is there twice"]);
    assert_says(&wrong_usage(&["train", "dqn", "--game", "pong, pong"]), &["--game", "pong is there twice"]);
    assert_says(&wrong_usage(&["train", "dqn", "--game", "ALE/Pong-v5,pong"]), &["--game", "pong is there twice"]);
}

#[test]
fn what_would_stop_a_later_run_is_refused_before_the_first() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("runs/catch-seed2")).unwrap();
    let message = refusal_in(folder.path(), &[&TINY_RUN[..], &["--seeds", "1,2", "--out", "runs"]].concat());
    assert_says(&message, &["catch-seed2 exists already", "--out"]);
    assert!(!folder.path().join("runs/catch-seed1").exists(), "the first has begun: {message}");
}

#[cfg(feature = "ale")]
#[test]
fn a_rom_that_a_later_run_lacks_is_refused_before_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let library = prism_environment::RomLibrary::locate(None).unwrap();
    let roms = folder.path().join("roms");
    std::fs::create_dir(&roms).unwrap();
    std::fs::write(roms.join("pong.bin"), library.rom("pong").unwrap().bytes()).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_prism"))
        .args(["train", "dqn", "--game", "pong,breakout", "--frames", "400", "--roms", "roms", "--out", "runs"])
        .args(["--set", "replay.capacity=100", "--set", "replay.warm_up=50"])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env_remove("ALE_ROMS_DIR")
        .env_remove("XDG_DATA_HOME")
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert_says(&message, &["breakout", "prism roms install"]);
    assert!(!folder.path().join("runs").exists(), "the first has begun: {message}");
}
