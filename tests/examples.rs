//! The examples that end by themselves, run as they are.

#[path = "../examples/own_environment.rs"]
mod own_environment;

#[path = "../examples/in_a_game.rs"]
#[allow(dead_code, reason = "its main is for the command line")]
mod in_a_game;

#[test]
fn the_environment_of_the_guide_is_trained_to_its_score() {
    own_environment::main().expect("it ends solved");
}

#[test]
fn the_agent_of_the_guide_acts_on_screens_and_on_numbers() {
    let numbers = include_bytes!("../games/lanterns/lanterns.safetensors");
    assert_eq!(in_a_game::play(numbers).expect("it plays").len(), 60);
    let folder = tempfile::tempdir().unwrap();
    let config = crate::support::preset("pong", &["training.agent_steps=20", "environment.count=1"]);
    crate::support::train_into(&folder.path().join("run"), &config, 0);
    let weights = std::fs::read(folder.path().join("run/weights/latest.safetensors")).expect("weights");
    let actions = in_a_game::play(&weights).expect("it plays");
    // The first screen and every fourth after it.
    assert_eq!(actions.len(), 15);
    assert!(actions.iter().all(|name| ["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"].contains(&&**name)));
}

#[test]
fn the_guide_shows_lines_of_the_examples() {
    let guide = include_str!("../GUIDE.md");
    for (begins, name, example) in [
        ("let settings", "own_environment", include_str!("../examples/own_environment.rs")),
        ("let mut policy", "in_a_game", include_str!("../examples/in_a_game.rs")),
        ("if let Some(frames)", "in_a_game", include_str!("../examples/in_a_game.rs")),
        ("impl Environment for Lanterns", "lanterns", include_str!("../games/lanterns/src/environment.rs")),
        ("self.seen = observe", "lanterns", include_str!("../games/lanterns/src/captain.rs")),
    ] {
        let start = format!("```rust\n{begins}");
        let (_, rest) =
            guide.split_once(&start).unwrap_or_else(|| panic!("the guide has no block that begins {begins}"));
        let (shown, _) = rest.split_once("```").expect("the block ends");
        for line in shown.lines().skip(1).map(str::trim).filter(|line| *line != "// ...") {
            // The example's folder is one that goes away.
            let line = line.split("Place::").next().expect("a line has a beginning");
            assert!(example.contains(line), "{name} has no line that begins `{line}`");
        }
    }
}
