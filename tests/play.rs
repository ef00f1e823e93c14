//! What `prism play` shows and writes.

use std::fs;

use crate::support::{assert_says, prism, refusal_in, tiny_run, wrong_usage};

fn said(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[test]
fn a_game_becomes_a_gif_png_files_or_a_video() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let play = |arguments: &[&str]| said(&prism(folder.path(), &[&["play", "run"], arguments].concat()));
    let told = play(&["--out", "game.gif", "--overlay"]);
    assert_says(&told, &["score", "0.7 s in game.gif"]);
    assert!(fs::read(folder.path().join("game.gif")).unwrap().starts_with(b"GIF89a"));

    // A game of Catch has nine steps, and ten pictures.
    play(&["--out", "frames", "--scale", "3"]);
    let mut names: Vec<_> =
        fs::read_dir(folder.path().join("frames")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!((names.len(), names[9].to_str()), (10, Some("00010.png")));

    play(&["--out", "game.y4m", "--scale", "2", "--from", "0.2", "--seconds", "0.3"]);
    let video = fs::read(folder.path().join("game.y4m")).unwrap();
    assert!(video.starts_with(b"YUV4MPEG2 W10 H20 F15000:1000 "), "{}", String::from_utf8_lossy(&video[..40]));
    let pictures = video.windows(6).filter(|bytes| bytes == b"FRAME\n").count();
    assert_eq!(pictures, 5, "0.3 seconds at 15 a second");

    // The same games every time, and others with another seed.
    let games = |seed: &str| {
        play(&["--out", "game.gif", "--episodes", "9", "--show", "median", "--epsilon", "0.8", "--seed", seed])
    };
    assert_eq!(games("3"), games("3"));
    assert_says(&games("3"), &["scores", "median of them"]);
    let scores: Vec<String> = ["1", "2", "3", "4"].map(games).to_vec();
    assert!(scores.iter().any(|other| *other != scores[0]), "{scores:?}");
}

#[test]
fn what_cannot_be_shown_is_refused_before_it_is_played() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    fs::create_dir(folder.path().join("full")).unwrap();
    fs::write(folder.path().join("full/file"), "kept").unwrap();
    for (arguments, parts) in [
        (["--out", "game.mp4"], ["not written to game.mp4", "ends in .gif or .y4m"]),
        (["--out", ".gif"], ["not written to .gif", "ends in .gif or .y4m"]),
        (["--out", "-"], ["not written to -", "ends in .gif or .y4m"]),
        (
            ["--set", "network.hidden=[3]"],
            ["network.hidden is a setting of training", "environment, evaluation or run"],
        ),
        (["--out", "nowhere/game.gif"], ["no folder nowhere", "give a file in a folder"]),
        (["--out", "full"], ["full", "the folder holds files"]),
        (["--seed", "1"], ["standard output is no terminal", "--out game.gif"]),
        (["--epsilon", "2"], ["evaluation.epsilon", "2"]),
        (["--window", "--overlay"], ["cannot open a window", "--out"]),
    ] {
        let message = refusal_in(folder.path(), &[&["play", "run"], arguments.as_slice()].concat());
        assert_says(&message, &parts);
    }
    assert_eq!(fs::read_to_string(folder.path().join("full/file")).unwrap(), "kept");
    assert_says(&wrong_usage(&["play", "run", "--show", "nicest"]), &["nicest", "median"]);
}

#[test]
fn what_was_there_stays_where_nothing_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let gif = folder.path().join("game.gif");
    fs::write(&gif, "before").unwrap();
    // A game of Catch has ten pictures, 15 a second.
    for out in ["game.gif", "frames"] {
        let message = refusal_in(folder.path(), &["play", "run", "--out", out, "--from", "5"]);
        assert_says(&message, &["the game ended after 0.7 s, before --from", "give a smaller --from"]);
    }
    assert_eq!(fs::read_to_string(&gif).unwrap(), "before");
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.filter(|name| name != "run" && name != "game.gif").count(), 0);

    let told = said(&prism(folder.path(), &["play", "run", "--out", "game.gif", "--seconds", "0.2"]));
    assert_says(&told, &["so far, 0.2 s in game.gif"]);
    assert!(fs::read(&gif).unwrap().starts_with(b"GIF89a"));
}

#[test]
fn a_game_without_a_picture_at_its_end_keeps_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let trained = prism(folder.path(), &["train", "cartpole", "--agent-steps", "1100", "--out", "run"]);
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    said(&prism(folder.path(), &["play", "run", "--out", "frames"]));
    let mut files: Vec<_> =
        fs::read_dir(folder.path().join("frames")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let [.., before, last] = files.as_slice() else { panic!("a game has several pictures: {files:?}") };
    assert!(fs::read(before).unwrap() == fs::read(last).unwrap(), "the last picture is another");
}
