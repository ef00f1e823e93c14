//! `prism export` and `prism import`.

use std::fs;
use std::path::Path;

use prism_agent::Policy;
use prism_environment::{Catch, Environment, Seed};

use crate::support::{assert_says, prism, refusal_in, tiny_run};

fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = prism(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn policy(path: &Path) -> Policy {
    Policy::from_bytes(&fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn an_exported_policy_says_what_it_plays_and_what_it_scored() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    tiny_run(folder, "run", &[]);
    assert_says(&said(folder, &["export", "run"]), &["catch (protocol catch 10x5), 3 actions", "no scores", "KB"]);
    let exported = policy(&folder.join("catch.safetensors"));
    let card = exported.card().expect("a card");
    assert_eq!((card.environment.as_str(), card.protocol.as_str(), card.scores), ("catch", "catch 10x5", None));
    assert_eq!(card.actions, Catch::new(Seed(0)).spec().actions);

    said(folder, &["eval", "run", "--episodes", "7", "--epsilon", "0.5"]);
    let told = said(folder, &["export", "run", "--out", "small.safetensors", "--onnx", "catch.onnx", "--int8"]);
    assert_says(&told, &[", 7 games with epsilon 0.5", "small.safetensors has", "catch.onnx has"]);
    let small = policy(&folder.join("small.safetensors"));
    assert_eq!(small.card().expect("a card").scores.map(|scores| (scores.games, scores.epsilon)), Some((7, 0.5)));
    let size = |name: &str| fs::metadata(folder.join(name)).unwrap().len();
    assert!(size("small.safetensors") < size("catch.safetensors"));

    // What was exported can be scored as the run can.
    let score = |what: &str| said(folder, &["eval", what, "--episodes", "20"]).lines().nth(1).map(str::to_owned);
    assert_eq!(score("catch.safetensors"), score("run"));
    assert!(score("small.safetensors").is_some_and(|line| line.starts_with("mean")));
    assert_says(&said(folder, &["play", "small.safetensors", "--out", "catch.gif"]), &["score", "catch.gif"]);
    said(folder, &["export", "small.safetensors", "--out", "wide.safetensors"]);
    assert!(size("wide.safetensors") >= size("catch.safetensors"));
    // Scores with the epsilon of the run count more than others, and a policy file keeps its own.
    said(folder, &["eval", "run", "--episodes", "5"]);
    said(folder, &["eval", "run", "--episodes", "6", "--epsilon", "1"]);
    assert_says(&said(folder, &["export", "run", "--out", "scored.safetensors"]), &[", 5 games with epsilon 0"]);
    assert_says(&said(folder, &["export", "scored.safetensors", "--out", "again.safetensors"]), &[", 5 games with"]);
}

#[test]
fn files_are_not_exported_over_what_is_read_or_kept() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    tiny_run(folder, "run", &[]);
    said(folder, &["export", "run"]);
    for (arguments, parts) in [
        (&["run", "--out", "catch.onnx"][..], "does not end in .safetensors"),
        (&["run", "--onnx", "catch.onnx", "--int8"], "--int8 is about the policy file"),
        (&["run", "--out", "run/weights/latest.safetensors"], "is a record of the run"),
        (&["catch.safetensors", "--out", "./catch.safetensors"], "is the file that is read"),
    ] {
        let weights = folder.join("run/weights/latest.safetensors");
        let before = fs::read(&weights).unwrap();
        assert_says(&refusal_in(folder, &[&["export"], arguments].concat()), &[parts]);
        assert_eq!(fs::read(&weights).unwrap(), before);
    }
}

/// Weights with another text under this key.
fn changed(weights: &Path, key: &str, text: &str, to: &Path) {
    let changed = prism_model::Weights::read(weights).unwrap().with_metadata(key, text);
    fs::write(to, changed.bytes()).unwrap();
}

#[test]
fn what_cannot_act_is_refused_alike_by_all_who_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    tiny_run(folder, "run", &[]);
    let weights = folder.join("run/weights/latest.safetensors");
    changed(&weights, "prism.policy", r#"{"version": 9}"#, &folder.join("newer.safetensors"));
    let bytes = fs::read(&weights).unwrap();
    let name = b"head.output.weight";
    let at = bytes.windows(name.len()).position(|text| text == name).expect("the last layer");
    let renamed = [&bytes[..at], b"head.nothing.other", &bytes[at + name.len()..]].concat();
    fs::write(folder.join("missing.safetensors"), renamed).unwrap();
    for (file, part) in [("newer", "format version 9"), ("missing", "the tensor head.output.weight is missing")] {
        let file = format!("{file}.safetensors");
        for command in [&["eval"][..], &["play", "--out", "catch.gif"], &["export", "--out", "copy.safetensors"]] {
            let message = refusal_in(folder, &[command, &[&file]].concat());
            assert_says(&message, &[&file, "cannot act", part]);
        }
    }
}

#[test]
fn imported_weights_are_scored_under_the_preset_that_was_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/exchange/tests/pytorch/vector.pth");
    let import = ["import", file, "--preset", "cartpole", "--out", "cp.safetensors"];
    let message = refusal_in(folder, &import);
    assert_says(&message, &["cannot import", "would be 0.weight, of shape [12, 4]", "--set network.hidden=256"]);
    // What is wrong with the file is not mended by another preset.
    fs::write(folder.join("table.csv"), "game,score\n").unwrap();
    let of = |file: &str, out: &str| refusal_in(folder, &["import", file, "--preset", "cartpole", "--out", out]);
    let message = of("table.csv", "cp.safetensors");
    assert!(message.contains("this is a text") && !message.contains("--set"), "{message}");
    assert_says(&of("table.csv", "table.csv"), &["does not end in .safetensors"]);
    fs::copy(file, folder.join("own.safetensors")).unwrap();
    assert_says(&of("own.safetensors", "own.safetensors"), &["is the file that is read"]);
    assert_says(&of(".", "cp.safetensors"), &["cannot read .: it is no file"]);
    #[cfg(unix)]
    assert_says(&of("/dev/zero", "cp.safetensors"), &["cannot read /dev/zero: it is no file"]);

    let told = said(folder, &[&import[..], &["--set", "network.hidden=[12, 9]"]].concat());
    assert_says(&told, &["cp.safetensors plays cartpole"]);
    assert_eq!(policy(&folder.join("cp.safetensors")).card().expect("a card").actions, ["left", "right"]);
    assert_says(&said(folder, &["eval", "cp.safetensors", "--episodes", "3"]), &["3 episodes", "CartPole-v1"]);

    for (file, part) in [("nothing.pth", "cannot read nothing.pth"), ("text.pth", "expected what torch.save writes")] {
        fs::write(folder.join("text.pth"), "no weights").unwrap();
        let message = refusal_in(folder, &["import", file, "--preset", "cartpole", "--out", "x.safetensors"]);
        assert_says(&message, &[part]);
    }
}
