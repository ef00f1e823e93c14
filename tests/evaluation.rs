//! `prism eval`: seeds, devices, and the row in the table of the run.

use prism_model::Weights;

use crate::support::{assert_says, prism, tiny_run};

#[test]
fn an_evaluation_depends_on_its_seed_alone() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let scores = |seed| {
        let output =
            prism(folder.path(), &["eval", "run", "--episodes", "30", "--epsilon", "1", "--games", "--seed", seed]);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| line.starts_with("game ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(scores("1").len(), 30);
    assert_eq!(scores("1"), scores("1"));
    assert_ne!(scores("1"), scores("2"));
}

#[test]
fn a_seed_and_a_device_of_set_count_and_those_of_flags_count_more() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &["run.seed=3"]);
    let eval = |arguments: &[&str]| {
        let output = prism(folder.path(), &[&["eval", "run", "--episodes", "2"][..], arguments].concat());
        let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (out, error, output.status.code())
    };
    // The seed of a run is not that of its evaluation.
    assert_says(&eval(&[]).0, &["seed 0"]);
    let (out, error, _) = eval(&["--set", "run.seed=5"]);
    assert_says(&out, &["seed 5"]);
    assert_eq!(error, "");
    let (out, error, _) = eval(&["--set", "run.seed=5", "--seed", "6"]);
    assert_says(&out, &["seed 6"]);
    assert_says(
        &error,
        &["run.seed is given twice: 6 (--seed on the command line) counts, 5 (--set on the command line) does not"],
    );
    let (_, error, code) = eval(&["--set", "run.device=cuda:99"]);
    assert_eq!(code, Some(2).filter(|_| !cfg!(feature = "cuda")).or(code), "{error}");
    assert_says(&error, &["cuda:99"]);
}

#[test]
fn weights_that_do_not_say_where_their_run_was_leave_its_table_alone() {
    let folder = tempfile::tempdir().unwrap();
    tiny_run(folder.path(), "run", &[]);
    let [path, table] = ["run/weights/latest.safetensors", "run/evaluations.csv"].map(|name| folder.path().join(name));
    let before = std::fs::read(&table).ok();
    let weights = Weights::read(&path).unwrap();
    let device = prism_model::open_device("flex").unwrap();
    let bare = Weights::of(&weights.network(&device).unwrap(), weights.config());
    std::fs::write(&path, bare.bytes()).unwrap();
    let output = prism(folder.path(), &["eval", "run/weights/latest.safetensors", "--episodes", "2"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{error}");
    assert_says(&error, &["the run's own table does not have this evaluation", "at which agent step"]);
    assert_eq!(std::fs::read(&table).ok(), before);
}
