//! The examples that end by themselves, run as they are.

#[path = "../examples/own_environment.rs"]
mod own_environment;

#[test]
fn the_environment_of_the_guide_is_trained_to_its_score() {
    own_environment::main().expect("it ends solved");
}

#[test]
fn the_guide_shows_lines_of_the_example() {
    let (guide, example) = (include_str!("../GUIDE.md"), include_str!("../examples/own_environment.rs"));
    let (_, rest) =
        guide.split_once("```rust\nlet settings").expect("the guide shows how an own environment is trained");
    let (shown, _) = rest.split_once("```").expect("the block ends");
    for line in shown.lines().skip(1) {
        // The example's folder is one that goes away.
        let line = line.split("Place::").next().expect("a line has a beginning");
        assert!(example.contains(line), "examples/own_environment.rs has no line that begins `{line}`");
    }
}
