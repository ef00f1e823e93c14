//! What ale-py and OpenCV made, compared with what we make. `assets/golden/README.md` says where the files are from.

use std::path::{Path, PathBuf};

use png::ColorType;
use prism_environment::{Action, Ale, Colour, ConsoleSettings, Emulator, GameInfo, Preprocessing, RomLibrary, Seed};
use serde::Deserialize;

pub fn golden(path: &str) -> PathBuf {
    // Asked at run time: a target folder shared by several checkouts keeps the path of the one that compiled this.
    let package = std::env::var("CARGO_MANIFEST_DIR").expect("cargo test says where the package lies");
    Path::new(&package).join("../../assets/golden").join(path)
}

fn files_ending(directory: &str, end: &str) -> Vec<(String, PathBuf)> {
    let mut files: Vec<(String, PathBuf)> = std::fs::read_dir(golden(directory))
        .expect("golden files are in the repository")
        .map(|entry| entry.expect("a file").path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(end)?.to_owned();
            Some((name, path))
        })
        .collect();
    files.sort();
    files
}

/// The bytes of a picture of 8 bits a channel.
fn png(path: &Path, colour: ColorType) -> Vec<u8> {
    let file = std::io::BufReader::new(std::fs::File::open(path).expect("a file"));
    let mut reader = png::Decoder::new(file).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a small picture")];
    let info = reader.next_frame(&mut pixels).expect("a PNG");
    assert_eq!((info.color_type, info.buffer_size()), (colour, pixels.len()), "{}", path.display());
    pixels
}

fn grey_png(path: &Path) -> Vec<u8> {
    png(path, ColorType::Grayscale)
}

/// Asserts that at least 99.9% of the bytes are equal and none differs by more than 1.
fn assert_same_image(ours: &[u8], theirs: &[u8], what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let differences = ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b));
    let (count, largest) = differences.fold((0, 0), |(count, largest), d| (count + usize::from(d > 0), d.max(largest)));
    assert!(largest <= 1, "{what}: a pixel differs by {largest}");
    assert!(count * 1000 <= ours.len(), "{what}: {count} of {} pixels differ", ours.len());
}

#[test]
fn frames_are_those_of_ale_and_opencv() {
    let screens = files_ending("frames", ".screens.png");
    assert!(screens.len() >= 10, "only {} games", screens.len());
    let mut compared = 0;
    for (game, path) in screens {
        let palette = GameInfo::find(&game).expect("a game").palette;
        let both = grey_png(&path);
        let (newest, previous) = both.split_at(both.len() / 2);
        let screen_size = (newest.len() / 160, 160);
        for (size, path) in files_ending("frames", ".png") {
            let Some((kind, size)) = size.strip_prefix(&format!("{game}.")).and_then(|rest| rest.split_once('-'))
            else {
                continue;
            };
            let (height, width) = size.split_once('x').expect("height and width");
            let output = (height.parse().expect("a number"), width.parse().expect("a number"));
            let (colour, theirs) = match kind {
                "grey" => (Colour::Grey, grey_png(&path)),
                "rgb" => {
                    let pixels = &png(&path, ColorType::Rgb);
                    let planes = (0..3).flat_map(|channel| pixels.iter().skip(channel).step_by(3));
                    (Colour::Rgb, planes.copied().collect())
                }
                other => panic!("unknown kind {other}"),
            };
            let mut preprocessing = Preprocessing::new(palette, screen_size, colour, output);
            let mut ours = vec![0; preprocessing.frame_bytes()];
            preprocessing.process(newest, Some(previous), &mut ours);
            assert_same_image(&ours, &theirs, &format!("{game}, {kind} {height}x{width}"));
            compared += 1;
        }
    }
    assert!(compared >= 30, "only {compared} images");
}

/// What ale-py saw while it played recorded actions, frames counted from 0.
#[derive(Debug, PartialEq, Deserialize)]
struct Tape {
    game: String,
    hold: usize,
    actions: Vec<usize>,
    start_lives: u32,
    rewards: Vec<(usize, i32)>,
    lives: Vec<(usize, u32)>,
    over: Vec<(usize, u32)>,
    frame_number: u32,
}

/// Plays the tape's actions and returns what happened, in the tape's terms.
fn play(tape: &Tape) -> Tape {
    let rom =
        RomLibrary::locate(None).and_then(|library| library.rom(&tape.game)).unwrap_or_else(|error| panic!("{error}"));
    let mut ale = Ale::new(&rom, ConsoleSettings { mode: 0, difficulty: 0, seed: Seed(1) }).expect("an emulator");
    let mut lives = ale.lives();
    let mut ours = Tape {
        game: tape.game.clone(),
        hold: tape.hold,
        actions: tape.actions.clone(),
        start_lives: lives,
        rewards: vec![],
        lives: vec![],
        over: vec![],
        frame_number: 0,
    };
    for (frame, action) in tape.actions.iter().flat_map(|action| std::iter::repeat_n(*action, tape.hold)).enumerate() {
        let reward = ale.act(Action::ALL[action]);
        if reward != 0 {
            ours.rewards.push((frame, reward));
        }
        if ale.lives() != lives {
            lives = ale.lives();
            ours.lives.push((frame, lives));
        }
        if ale.game_over() {
            ours.over.push((frame, ale.episode_frame_number()));
            ale.reset();
            lives = ale.lives();
        }
    }
    ours.frame_number = ale.frame_number();
    ours
}

#[test]
fn rewards_lives_and_endings_follow_ale_frame_by_frame() {
    let tapes = files_ending("tapes", ".json");
    assert!(tapes.len() >= 10, "only {} games", tapes.len());
    for (game, path) in tapes {
        let text = std::fs::read_to_string(path).expect("a tape");
        let theirs: Tape = serde_json::from_str(&text).expect("a tape");
        assert_eq!(play(&theirs), theirs, "{game}");
    }
}
